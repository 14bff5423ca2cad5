"""Steps one should not trust."""

import os

from quincunx_shared import Input, Manifest, Output, Step


def step_named(name, run):
    audio = Input(name="audio", type="audio")
    return Step(Manifest(name=name, version="1", inputs=(audio,), outputs=(Output(name="audio", type="audio"),)), run)


def greedy(inputs, options, context):
    return bytearray(3_000_000_000)


def hanging(inputs, options, context):
    while True:
        pass


def crashing(inputs, options, context):
    print("last words")
    os._exit(7)


def raising(inputs, options, context):
    raise ZeroDivisionError("as one does")


GREEDY = step_named("greedy", greedy)
HANGING = step_named("hanging", hanging)
CRASHING = step_named("crashing", crashing)
RAISING = step_named("raising", raising)
