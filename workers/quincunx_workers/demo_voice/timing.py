"""When tokens sound: the token, or the note, that stands on each frame. Shared by the graphs that have frames."""

from quincunx_workers.demo_voice.formula_graph import INT, Tensor, count


def place_on_frames(ends: Tensor, frames: Tensor, places: Tensor) -> Tensor:
    """Which of ``places`` stretches stands on each frame, by their ends [B, N]; int64 [B, F].

    Frames past the last end belong to the last stretch. Counted up along the frames: comparing every frame with
    every stretch would grow with the square of the phrase.
    """
    graph = ends.graph
    none = count(graph, frames + 1).with_axis(0) * 0 + ends.summed(1) * 0
    ending = graph.op(
        "ScatterElements", none, ends.at_most(frames), ends * 0 + 1, attributes={"axis": 1, "reduction": "add"}
    )
    return graph.op("CumSum", ending, graph.constant(1, INT)).part(1, 0, frames).at_most(places - 1)


def ends_of(durations: Tensor) -> Tensor:
    """Where each stretch ends; int64, as ``durations``."""
    return durations.graph.op("CumSum", durations, durations.graph.constant(1, INT))


def at(place: Tensor, tensor: Tensor) -> Tensor:
    """Values of a tensor [B, N] at places [B, M]."""
    return tensor.graph.op("GatherElements", tensor, place, attributes={"axis": 1})
