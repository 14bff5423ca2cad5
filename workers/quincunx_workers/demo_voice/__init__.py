"""The demo voice: a singing voice made of formulas, written as two ONNX graphs in DiffSinger's bank layout."""
