"""A step: louder or softer."""

from quincunx_shared import Input, Manifest, Option, Output, Step


def run(inputs, options, context):
    context.report(50.0, "half way")
    return inputs["audio"] * 10 ** (options["db"] / 20)


STEP = Step(
    Manifest(
        name="gain",
        version="1",  # change it whenever the same inputs may give other outputs
        inputs=(Input(name="audio", type="audio"),),
        outputs=(Output(name="audio", type="audio"),),
        options=(Option(name="db", type="float", default=0.0, minimum=-60.0, maximum=24.0),),
    ),
    run,
)
