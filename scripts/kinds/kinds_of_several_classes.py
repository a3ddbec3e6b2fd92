"""Kinds of clips with several classes: how networks learn and score all forms of their labels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from kind import Kind, expect
from kinds_of_networks import small_network

HOT = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0], [1, 1, 0]])
ONE = np.eye(3)[[0, 1, 2, 0]]
CLIPS = np.zeros((4, 2, 8, 8, 3), np.uint8)


def _fit(name: str, labels: np.ndarray, *, multi_label: bool, refusal: str | None = None) -> Kind:
    def try_it(_: Path) -> None:
        import tensorflow as tf

        network = small_network(multi_label=multi_label, gates={"num_train_examples": 4})
        data = tf.data.Dataset.from_tensors((CLIPS, labels))
        for given in ((CLIPS, labels), (data,)):
            network.fit(*given, verbose=0)
            found = network.evaluate(CLIPS, labels, verbose=0, return_dict=True)
            expect("map" in found, multi_label, f"metrics: {sorted(found)}")

    expected = "refused, with the options" if refusal else "trained"
    return Kind(f"several classes: {name}", expected, try_it, refusal)


def _manifest(at: Path, classes: Callable[[int], Any]) -> Any:
    from vdroppath_tf.data.lists.collector import Collector

    (at / "list.txt").touch()
    videos = Collector(at / "list.txt", None, None, ["a", "b", "c"])
    for k in range(4):
        (at / f"{k}.mp4").touch()
        videos.add(f"{k}.mp4", classes(k), None, f"list.txt:{k + 1}")
    return videos.manifest("videos")


def _listed(at: Path) -> None:
    from vdroppath_tf import data

    videos = _manifest(at, lambda k: np.flatnonzero(HOT[k]).tolist())
    expect([entry.labels for entry in videos], [(0, 2), (), (1,), (0, 1)], "classes")
    data.write_manifest(videos, at / "kept.jsonl")
    expect(data.open_manifest(at / "kept.jsonl").digest(), videos.digest(), "digest")


def _other_network(at: Path, *, multi_label: bool) -> None:
    videos = _manifest(at, (lambda k: k % 3) if multi_label else (lambda k: [k % 3]))
    videos.check_kind(multi_label=multi_label)


def _strategies(_: Path) -> None:
    from vdroppath_tf.scoring import evaluate_strategies

    network = small_network(multi_label=True)
    scores = evaluate_strategies(network, ["S", "ST"], [(CLIPS, HOT)])
    for score in scores:
        expect(score.top1 in (0.25, 0.5), True, f"Hit@1 of a constant answer: {score.top1}")
        expect(score.top5, 0.75, "Hit@5: one clip has no class")


NUMBERS = np.arange(4) % 3
KINDS = (
    _fit("0 and 1, multi-label network", HOT, multi_label=True),
    _fit("0 and 1 as floats, multi-label network", HOT.astype("float32"), multi_label=True),
    _fit("numbers, multi-label network", NUMBERS, multi_label=True, refusal="of 0 and 1"),
    _fit("0 and 1, single-label network", HOT, multi_label=False, refusal="multi_label=True"),
    _fit("floats, single-label network", 1.0 * HOT, multi_label=False, refusal="multi_label=True"),
    _fit("one-hot labels, single-label network", ONE, multi_label=False),
    _fit("numbers, single-label network", NUMBERS, multi_label=False),
    Kind("several classes: a list", "read and kept", _listed),
    Kind(
        "several classes: a list, single-label network",
        "refused, with the options",
        lambda at: _other_network(at, multi_label=False),
        "multi_label of the template",
    ),
    Kind(
        "several classes: a single-label list, multi-label network",
        "refused, with the options",
        lambda at: _other_network(at, multi_label=True),
        "list of the other kind",
    ),
    Kind("several classes: strategies", "correct if it is one of the classes", _strategies),
)
