"""Chance inside a model becomes inputs that a seed fills."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from tests.unit import tiny_models

from quincunx_workers.noise import Noise, make_seedable
from quincunx_workers.onnx_runtime import OnnxModel, OnnxRuntime


def loaded(folder: Path, content: bytes) -> OnnxModel:
    return OnnxRuntime().load(*tiny_models.kept(folder, content))


def zeros(count: int) -> dict[str, np.ndarray]:
    return {"x": np.zeros((1, count), dtype=np.float32)}


def test_a_seed_gives_the_same_bits_in_every_run_and_every_session(tmp_path: Path) -> None:
    first, second = (loaded(tmp_path, tiny_models.adding_noise()) for _ in range(2))
    runs = [first.run(zeros(500), seed=7), first.run(zeros(500), seed=7), second.run(zeros(500), seed=7)]
    assert len({(y.tobytes(), z.tobytes()) for y, z in runs}) == 1


def test_another_seed_gives_other_noise(tmp_path: Path) -> None:
    model = loaded(tmp_path, tiny_models.adding_noise())
    one, other = (model.run(zeros(500), seed=seed)[0] for seed in (1, 2))
    assert not np.array_equal(one, other)


def test_the_noise_is_of_the_kind_the_node_asked_for(tmp_path: Path) -> None:
    hiss, start = loaded(tmp_path, tiny_models.adding_noise()).run(zeros(100_000), seed=3)
    assert hiss.mean() == pytest.approx(1.0, abs=0.01)
    assert hiss.std() == pytest.approx(0.5, abs=0.01)
    assert ((start >= 2) & (start < 3)).all()
    assert start.shape == (1, 9)


def test_the_shape_follows_the_input(tmp_path: Path) -> None:
    model = loaded(tmp_path, tiny_models.adding_noise())
    assert [model.run(zeros(count))[0].shape for count in (3, 8)] == [(1, 3), (1, 8)]


def test_a_noise_may_have_the_shape_of_what_another_noise_became(tmp_path: Path) -> None:
    model = loaded(tmp_path, tiny_models.noise_on_noise())
    assert model.noises == ("first", "second")
    assert model.run(zeros(6))[0].shape == (1, 12)


@pytest.mark.parametrize(("long", "count"), [(True, 8), (False, 4)])
def test_a_shape_may_come_out_of_a_branch(tmp_path: Path, long: bool, count: int) -> None:
    model = loaded(tmp_path, tiny_models.noise_behind_a_branch())
    assert model.run({**zeros(4), "long": np.array(long)})[0].shape == (1, count)


def test_the_shape_of_a_noise_is_asked_without_the_rest_of_the_model() -> None:
    (noise,) = make_seedable(tiny_models.hissing()).noises
    kinds = [node.op_type for node in onnx.load_from_string(noise.shape_model).graph.node]
    assert kinds == ["Shape", "Concat", "ConstantOfShape", "Shape"]


def test_a_step_does_not_see_the_noises(tmp_path: Path) -> None:
    model = loaded(tmp_path, tiny_models.adding_noise())
    assert list(model.inputs) == ["x"]
    assert model.outputs == ("y", "z")


def test_chance_in_a_branch_is_named_and_left_alone(tmp_path: Path) -> None:
    model = loaded(tmp_path, tiny_models.chance_in_a_branch())
    assert (model.noises, model.unseeded) == ((), ("p_sample",))


def test_a_model_without_chance_is_not_touched() -> None:
    content = tiny_models.doubling()
    assert make_seedable(content).content is content


def test_the_normal_law_is_the_same_for_ever() -> None:
    noise = Noise("hiss", "normal", "float32", 0.0, 1.0)
    drawn = noise.draw((4,), seed=0)
    assert drawn.dtype == np.float32
    np.testing.assert_allclose(drawn, EXPECTED, rtol=1e-6)


def test_an_odd_count_and_none_at_all_can_be_drawn() -> None:
    noise = Noise("hiss", "normal", "float32", 0.0, 1.0)
    assert noise.draw((1, 3), seed=0).shape == (1, 3)
    assert noise.draw((0, 3), seed=0).shape == (0, 3)


#: Stored renders depend on these: a change makes every seeded take another one.
EXPECTED = [-0.4418207, -0.8890059, -0.9635462, -1.4469484]
