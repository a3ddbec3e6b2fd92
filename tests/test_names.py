"""A misspelt keyword is refused, and the nearest of all names is offered."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from vdroppath_tf.names import named


@named
def build(
    row: str, *, num_classes: int = 4, dropout: float = 0.0, seed: int = 0
) -> tuple[Any, ...]:
    return row, num_classes, dropout, seed


@named
@dataclass(frozen=True)
class Options:
    batch_size: int
    shuffle: bool = True


@named
class Corner(NamedTuple):
    left: int
    top: int = 0


@named
class Word(str):
    def __new__(cls, text: str) -> Word:
        return super().__new__(cls, text.lower())


def test_what_is_right_goes_through() -> None:
    assert build("micro", dropout=0.5) == ("micro", 4, 0.5, 0)
    assert build(row="micro", seed=3) == ("micro", 4, 0.0, 3)
    assert Corner(1, top=2) == (1, 2) == Corner(1)._replace(top=2)
    assert Word(text="S") == Word("S") == "s"
    assert Options(3, shuffle=False) == Options(batch_size=3, shuffle=False)


@pytest.mark.parametrize(
    ("public", "keyword", "said"),
    [
        (build, "num_class", r"build\(\) has no argument 'num_class'.*'num_classes'"),
        (build, "dropuot", r"Did you mean 'dropout'\?"),
        (Options, "batch_sise", r"Options\(\) has no argument 'batch_sise'.*'batch_size'"),
        (Corner, "tpo", r"Corner\(\) has no argument 'tpo'.*'top'"),
        (Word, "txt", r"Did you mean 'text'\?"),
        (build, "input_shape", r"clip_shape=\(frames, height, width\)"),
        (build, "weights", r"vdroppath_tf\.inflate"),
    ],
)
def test_what_is_misspelt_is_refused(public: Any, keyword: str, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        public("micro", **{keyword: 3})


@named
def feed(videos: str, *, options: Options | None = None) -> Any:
    return videos, options


def test_a_field_of_an_argument_says_where_it_belongs() -> None:
    with pytest.raises(TypeError, match=r"Pass options=Options\(batch_size=\.\.\.\)"):
        feed("a", **{"batch_size": 3})  # type: ignore[arg-type]


def test_what_is_missing_is_pythons_error() -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'row'"):
        build()  # type: ignore[call-arg]


def test_the_signature_stays() -> None:
    assert list(inspect.signature(build).parameters) == ["row", "num_classes", "dropout", "seed"]
    assert list(inspect.signature(Options).parameters) == ["batch_size", "shuffle"]


def test_what_swallows_keywords_cannot_be_public() -> None:
    with pytest.raises(TypeError, match="must name its keyword arguments"):

        @named
        def swallow(**options: Any) -> None:
            """Takes anything."""
