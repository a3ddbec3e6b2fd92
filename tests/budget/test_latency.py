"""Latency tables: measured, kept, used as a cost, refused. No time is asserted."""

from __future__ import annotations

import dataclasses
import itertools
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tiny

from vdroppath_tf.budget.choices import pareto
from vdroppath_tf.budget.latency import LatencyTable, described
from vdroppath_tf.budget.search import most_probable
from vdroppath_tf.budget.stopwatch import block_of, measure_latency
from vdroppath_tf.derivation import derive
from vdroppath_tf.spaces.notices import SpaceWarning
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy

CLIP = tiny.SHAPE
UNITS = ("S+ST", "S", "ST")


@pytest.fixture(scope="module")
def model() -> Any:
    return tiny.template()


@pytest.fixture
def space(model: Any) -> ProbabilitySpace:
    drop = [[0.1, 0.4], [0.3, 0.2], [0.6, 0.7]]
    return dataclasses.replace(ProbabilitySpace.from_model(model), drop=drop)


@pytest.fixture
def table(space: ProbabilitySpace, model: Any) -> LatencyTable:
    """Times by hand, us."""
    units = ((700, 300, 500), (900, 400, 450), (1100, 500, 1000))
    return LatencyTable(
        described(model.architecture),
        CLIP,
        space.layers,
        1500,
        tuple(dict(zip(UNITS, times, strict=True)) for times in units),
        {"S S S": 2500},
        5,
        {"processor": "by hand"},
        {},
    )


def test_latency_is_a_sum(table: LatencyTable) -> None:
    assert table.of("S - S+ST") == pytest.approx(1.5 + 0.3 + 1.1)
    assert table.of("- - -") == 1.5
    assert table.ratios() == {"S S S": pytest.approx(2.7 / 2.5)}


def test_the_best_under_a_latency_is_that_of_all_strategies(
    space: ProbabilitySpace, table: LatencyTable
) -> None:
    every = [" ".join(units) for units in itertools.product((*UNITS, "-"), repeat=3)]
    scored = [(table.of(s), space.log_prob(FusionStrategy.parse(s)), s) for s in every]
    for budget in sorted({time for time, _, _ in scored}):
        if budget == table.of("- - -"):
            with pytest.warns(SpaceWarning, match="leave only the empty .* a path has .* ms: '"):
                most_probable(space, latency=table, max_latency=budget)
            continue
        best = most_probable(space, latency=table, max_latency=budget)
        assert table.of(best) <= budget
        top = max(log_prob for time, log_prob, _ in scored if time <= budget)
        assert space.log_prob(best) == pytest.approx(top)
    with pytest.raises(ValueError, match=r"at most 1.4 ms. The cheapest has 1.500: '- - -'"):
        most_probable(space, latency=table, max_latency=1.4)


def test_the_front_by_latency(space: ProbabilitySpace, model: Any, table: LatencyTable) -> None:
    found = pareto(space, model=model, latency=table, by="latency")
    times = [float(choice.latency or 0) for choice in found]
    assert times == sorted(times)
    assert times == [table.of(choice.strategy) for choice in found]
    assert found[-1].strategy == space.mode()
    assert pareto(space, model=model, latency=table, clip_shape=CLIP)[0].latency == 1.5


def test_json_round_trip(table: LatencyTable, tmp_path: Path) -> None:
    table.save(tmp_path / "latency.json")
    assert LatencyTable.load(tmp_path / "latency.json") == table


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "vdroppath_tf.latency/3"}, "newer vdroppath_tf"),
        ({"format": "vdroppath_tf.latency/1"}, "lacks the row.*Measure again"),
        ({"base": 1.5}, "'base' as whole microseconds"),
        ({"base": -1}, "'base' as whole microseconds"),
        ({"units": [{"S": 1}]}, "'units' as for each layer"),
        ({"units": [{"S": "1"}] * 3}, "'units' as for each layer"),
        ({"layers": "abc"}, "'layers' as names"),
        ({"checks": []}, "'checks' as"),
        ({"clip_shape": [4, 16]}, "'clip_shape' as three"),
        ({"network": {"name": "nano"}}, "'network' as a description"),
        ({"machine": None}, "'machine' as"),
        ({"more": 1}, "Expected the fields"),
    ],
)
def test_damaged_files(
    table: LatencyTable, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    path = tmp_path / "latency.json"
    path.write_text(json.dumps({**json.loads(table.to_json()), **change}))
    with pytest.raises(ValueError, match=rf"latency\.json: .*{message}"):
        LatencyTable.load(path)
    path.write_text(table.to_json()[:-9])
    with pytest.raises(ValueError, match=r"latency\.json: Not JSON"):
        LatencyTable.load(path)


def test_tables_of_others(space: ProbabilitySpace, model: Any, table: LatencyTable) -> None:
    def refused(message: str, of: LatencyTable = table, **options: Any) -> None:
        with pytest.raises(ValueError, match=message):
            most_probable(space, max_latency=9.0, **{"latency": of, **options})

    other = {**table.network, "name": "micro"}
    refused("measured for 'micro'", dataclasses.replace(table, network=other))
    other = {**table.network, "branches": ["S", "T"]}
    refused("measured for the branches", dataclasses.replace(table, network=other))
    refused(r"clips of \(4, 16, 16\). Received: clip_shape=\(8, 16, 16\)", clip_shape=(8, 16, 16))
    other = {**table.network, "temporal_strides": [2, 2]}
    refused(r"temporal_strides=\[2, 2\]", dataclasses.replace(table, network=other), model=model)
    part = dataclasses.replace(table, units=({"S": 1}, *table.units[1:]))
    refused(r"no unit 'S\+ST' in the latency table", part)
    with pytest.raises(ValueError, match="Expected latency="):
        most_probable(space, max_latency=9.0)
    with pytest.raises(ValueError, match="Expected latency="):
        pareto(space, by="latency")


def test_a_block_computes_what_it_does_in_the_network(model: Any) -> None:
    network = derive(model, "S+ST ST S")
    fusion, add, out = (network.get_layer(f"stage2_block1_{k}") for k in ("fusion", "add", "out"))
    block = block_of(network, fusion.name)
    probe = keras.Model(network.inputs, [fusion.input, add.input[0], out.output])
    clips = np.random.default_rng(0).uniform(0, 255, (2, *CLIP, 3)).astype("float32")
    entering, around, expected = probe([clips])
    np.testing.assert_allclose(block([entering, around]), expected, atol=1e-5)


@pytest.mark.parametrize("kind", ["plain", "dense"])
def test_measured(kind: str) -> None:
    """Every unit of every layer that has it; whole numbers; a network to check the sum with."""
    template = tiny.template() if kind == "plain" else tiny.kind_template(kind)
    space = ProbabilitySpace.from_model(template)
    seen: list[int] = []
    table = measure_latency(template, CLIP, repeats=2, on_layer=lambda: seen.append(1))
    every = {"S", "ST", "S+ST"} if kind == "plain" else {*"S T ST S+T S+ST T+ST S+T+ST".split()}
    for name, times in zip(table.layers, table.units, strict=True):
        assert set(times) == ({"S", "ST", "S+ST"} if name == "T1" else every)
        assert all(isinstance(time, int) and time >= 0 for time in times.values())
    assert len(seen) == sum(map(len, table.units))
    assert str(space.mode()) in table.checks
    assert set(table.ratios()) == set(table.checks)
    assert LatencyTable.from_json(table.to_json()) == table
    enough = table.of(space.mode()) + 1
    assert most_probable(space, latency=table, max_latency=enough) == space.mode()


def test_what_cannot_be_measured(model: Any) -> None:
    with pytest.raises(ValueError, match=r"its own gates.*share_inputs=True"):
        measure_latency(tiny.kind_template("inputs"), CLIP)
    with pytest.raises(ValueError, match="repeats of 1 or more"):
        measure_latency(model, CLIP, repeats=0)
    with pytest.raises(ValueError, match="no gated fusion layers"):
        measure_latency(tiny.derived("S S S"), CLIP)
