"""`vdroppath space`: the space of a template, with a recipe and without."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import tiny

from vdroppath_tf.commands.space import shortened
from vdroppath_tf.spaces.diagnosis import diagnose
from vdroppath_tf.spaces.prior import prior_words
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.training import RECIPES
from vdroppath_tf.zoo import published_space, published_strategy


def test_space_prints_the_space(call: Any, chain: Path, tmp_path: Path) -> None:
    done = call("space", f"--model={chain}/run/template.keras", f"--out={tmp_path}/space.json")
    assert done.code == 0
    space = ProbabilitySpace.load(tmp_path / "space.json")
    assert (tmp_path / "space.json").read_bytes() == (chain / "run" / "space.json").read_bytes()
    for i, name in enumerate(space.layers):
        (line,) = [line for line in done.out.splitlines() if line.startswith(name)]
        numbers = [float(text) for text in re.findall(r"\d\.\d{3}", line)]
        expected = [p[i] for form in ("paper", "sampling") for p in space.marginals(form).values()]
        expected += [space.entropy()[i], space.distance_from_start()[i]]
        np.testing.assert_allclose(numbers, expected, atol=6e-4)
    assert f"mode: {space.mode()}" in done.out
    found = diagnose(space)
    assert found.known  # the file of the template has the record
    lines = done.out.splitlines()
    assert "prior_strength= (" not in done.out  # but flags
    assert f"The prior decided in {found.count('prior')} of 3 layers" in done.out
    movers = [line.split("|")[-1].strip() for line in lines if line.startswith(space.layers)]
    assert movers == list(found.moved_by)
    assert f"prior: {prior_words(prior_strength=RECIPES['small'].prior_strength)}\n" in done.out


def test_a_file_and_a_published_space_are_printed_too(call: Any, tmp_path: Path) -> None:
    ProbabilitySpace(np.array([[0.1, 0.6], [0.3, 0.2]])).save(tmp_path / "space.json")
    done = call("space", f"--space={tmp_path}/space.json")
    assert (done.code, done.out.splitlines()[-1]) == (0, "mode: S S+ST")
    ProbabilitySpace(np.array([[0.3, 0.4], [0.1, 0.9]])).save(tmp_path / "two.json")
    told = call("space", f"--space={tmp_path}/two.json").out.splitlines()
    assert told[-3] == "leading by Eq. 7: - in 1, S in 1 of 2 layers"
    assert told[-2].startswith("The mode has other units in 1 of 2 layers, since these are two")
    assert told[-1] == "mode: S+ST S"
    published = call("space", "--space=published:ucf101").out.splitlines()
    assert published[-1] == f"mode: {published_space('ucf101').mode().runs()}"
    assert published[-2] == f"chosen by the paper: {published_strategy('ucf101').runs()}"
    assert published[-3] == "leading by Eq. 7: S+ST in 61 of 61 layers"
    assert len([line for line in published if line.startswith(("B", "T"))]) == 61
    for flags, message in (
        ([], "Expected one of --model (a template, .keras) and --space (space.json)."),
        (["--space=published:ucf"], "Did you mean 'ucf101'?"),
        (["--space=a.json", f"--measure_latency={tmp_path}/l.json"], "pass --model, not --space"),
    ):
        refused = call("space", *flags)
        assert refused.code == 1
        assert message in refused.error


def test_a_budget_of_a_network_of_ones_own_asks_for_its_template(call: Any, tmp_path: Path) -> None:
    path = tmp_path / "space.json"
    ProbabilitySpace(np.array([[0.1, 0.6], [0.3, 0.2]]), architecture="tiny3").save(path)
    refused = call("space", f"--space={path}", "--clip_shape=4,32,32", "--max_macs=3e6")
    assert refused.code == 1
    assert "'tiny3' is not a network of the package" in refused.error
    assert "--model in place of --space" in refused.error
    assert "add_network" not in refused.error  # which no shell can call


def test_draws_are_printed_as_the_flag_strategy_takes_them(call: Any) -> None:
    drawn = call("space", "--space=published:kinetics400", "--draws=3", "--seed=1").out.splitlines()
    space = published_space("kinetics400")
    strategies = space.sample(3, seed=1)
    numbers = [f"{space.log_prob(one):.2f}" for one in strategies]
    pairs = zip(numbers, strategies, strict=True)
    assert drawn[-3:] == [f"drawn, log-probability {number}: {one}" for number, one in pairs]
    assert drawn[-4].startswith("mode: ")


def test_a_strategy_is_shortened_where_it_is_long() -> None:
    assert shortened(FusionStrategy.parse("S S S")) == "S S S"
    assert shortened(FusionStrategy.parse("S " * 17 + "S+ST ST")) == "17 S, 1 S+ST, 1 ST"
    in_turn = FusionStrategy.parse("S ST " * 20)
    assert shortened(in_turn) == str(in_turn)  # run lengths would be longer


def test_a_space_needs_no_recipe(call: Any, tmp_path: Path) -> None:
    """Of a template that `model.save` wrote."""
    tiny.template().save(tmp_path / "mine.keras")
    done = call("space", f"--model={tmp_path}/mine.keras")
    assert (done.code, done.out.splitlines()[-1]) == (0, "mode: S+ST S+ST S+ST")
    assert "\nWhether the data or the prior moved the gates is not known" in done.out


def test_a_collapsed_space_is_named_first(call: Any, tmp_path: Path) -> None:
    model = tiny.template()
    for gate in model.gates:
        gate.logit.assign([3.0, 2.0])
    model.save(tmp_path / "mine.keras")
    first, *rest = call("space", f"--model={tmp_path}/mine.keras").out.splitlines()
    assert first.startswith("The space has collapsed: the most probable strategy has no path (-)")
    assert "--prior_strength=" in first
    assert rest[-1] == "mode: - - -"


def test_a_weight_reg_acts_by_the_videos_of_the_run(call: Any, tmp_path: Path) -> None:
    """N is in no file of a template whose data were counted; a run's folder knows it."""
    tiny.template(weight_reg=10.0).save(tmp_path / "template.keras")
    unknown = call("space", f"--model={tmp_path}/template.keras").out
    assert "prior: weight_reg 10 / N per squared weight (N is not known here)\n" in unknown
    (tmp_path / "run.json").write_text('{"training videos": {"videos": 48, "source": "a"}}')
    known = call("space", f"--model={tmp_path}/template.keras").out
    assert "prior: 0.208 per squared weight (weight_reg 10 / N 48)\n" in known
    (tmp_path / "run.json").write_text("[]")  # somebody else's
    assert call("space", f"--model={tmp_path}/template.keras").out == unknown
