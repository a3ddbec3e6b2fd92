"""Arguments of another kind, swapped ones, text for a list; and what objects show of themselves."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

import numpy as np
import pytest

from vdroppath_tf.brief import brief
from vdroppath_tf.names import named
from vdroppath_tf.spaces import FusionStrategy, ProbabilitySpace


@named
def score(
    space: ProbabilitySpace, strategies: Sequence[FusionStrategy | str], *, level: float = 0.5
) -> Any:
    return [space.drop, *(str(each).split() for each in strategies), level + 1]


@named
class Pair(NamedTuple):
    first: int
    second: int


SPACE = ProbabilitySpace(np.full((3, 2), 0.2))


def test_what_fits_goes_through() -> None:
    found = score(SPACE, ("S S S", FusionStrategy.parse("S ST -")), level=np.float32(0.5))
    assert found[1:] == [["S", "S", "S"], ["S", "ST", "-"], 1.5]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((SPACE, "S S S"), r"strategies must be a sequence .*not one text\. Pass \['S S S'\]"),
        ((["S S S"], SPACE), r"The order is score\(space, strategies\)"),
        ((["S S S"], SPACE), r"space must be a ProbabilitySpace, not a list\. strategies must be"),
        ((3, ["S"]), r"score\(\): space must be a ProbabilitySpace, not 3\.$"),
        ((SPACE, None), r"strategies must be a sequence of FusionStrategy or texts, not None\.$"),
    ],
)
def test_what_does_not_fit_is_named(args: tuple[Any, ...], said: str) -> None:
    for kind in (TypeError, ValueError):
        with pytest.raises(kind, match=said):
            score(*args)


class Network(Protocol):
    """Its members are not compared: a network may have them after it is built."""

    def answer(self) -> None: ...


Source = TypeVar("Source", FusionStrategy, ProbabilitySpace)
Thing = TypeVar("Thing")


@named
def fails(
    *,
    form: Literal["paper", "sampling"] = "paper",
    source: Source | None = None,
    thing: Thing | None = None,
    show: Callable[[str], None] | None = None,
    shows: Sequence[Callable[[str], None]] = (),
    values: np.ndarray | None = None,
    network: Network | None = None,
    place: str | os.PathLike[str] = "",
    places: Sequence[os.PathLike[str]] = (),
    many: Sequence = (),
    text: str | Sequence[str] = (),
) -> None:
    """Ends in an error whatever it takes, so that the kinds of its arguments are compared."""
    raise TypeError("from inside")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"form": "papr"}, "form must be one of 'paper', 'sampling', not 'papr'"),
        ({"source": 3}, "source must be a FusionStrategy or a ProbabilitySpace or None, not 3"),
        ({"show": "print"}, "show must be a callable or None, not 'print'"),
        ({"shows": [print, 1]}, "shows must be a sequence of callables, not a list"),
        ({"values": "0.5"}, "values must be an ndarray or None, not '0.5'"),
        ({"values": {}}, "values must be an ndarray or None, not a dict"),
        ({"network": "model.keras"}, "network must be a Network or None, not 'model.keras'"),
        ({"place": 7}, "place must be text or a path, not 7"),
        ({"places": [1]}, "places must be a sequence of paths, not a list"),
        ({"many": 7}, "many must be a sequence, not 7"),
    ],
)
def test_each_kind_is_compared_and_has_words(given: dict[str, Any], said: str) -> None:
    with pytest.raises(TypeError, match=rf"^fails\(\): {said}\.$"):
        fails(**given)


@pytest.mark.parametrize(
    "given",
    [
        {"form": "sampling"},
        {"source": SPACE},
        {"thing": 3},
        {"show": print},
        {"shows": [print, len]},
        {"shows": {print}},
        {"values": [0.5]},
        {"network": object()},
        {"place": Path("a"), "places": (Path("a"), Path("b"))},
        {"many": [1, "a"]},
        {"text": "S ST"},
    ],
)
def test_what_may_be_right_is_not_blamed(given: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=r"^from inside$"):
        fails(**given)


def test_a_number_that_is_none_is_named() -> None:
    with pytest.raises(TypeError, match=r"level must be a number, not a list\.$"):
        score(SPACE, ["S S S"], level=[1])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"ProbabilitySpace.sample\(\): n must be a whole number"):
        SPACE.sample(2.5)  # type: ignore[arg-type]


def test_errors_of_what_is_called_stay_as_they_are() -> None:
    class Odd(ProbabilitySpace):
        @property
        def drop(self) -> Any:
            return None + 1  # type: ignore[operator]

        def __post_init__(self) -> None:
            """Checks nothing."""

        def __init__(self) -> None:
            """Holds nothing."""

    with pytest.raises(TypeError, match="unsupported operand") as error:
        score(Odd(), ["S"])
    assert type(error.value) is TypeError


def test_methods_offer_the_nearest_keyword() -> None:
    with pytest.raises(TypeError, match=r"sample\(\) has no argument 'sede'.*'seed'"):
        SPACE.sample(3, sede=1)  # type: ignore[call-arg]


def test_too_many_arguments_are_answered_with_those_there_are() -> None:
    with pytest.raises(TypeError, match=r"takes 2 .*It has: space, strategies, by name only, lev"):
        score(SPACE, ["S"], 0.5)  # type: ignore[call-arg]


def test_a_named_tuple_shows_its_fields_as_they_are_given() -> None:
    with pytest.raises(TypeError, match=r"missing .*It has: first, second\.$"):
        Pair(1)  # type: ignore[call-arg]


@dataclass(frozen=True)
class Held:
    numbers: Any
    name: str = "a"
    many: tuple[int, ...] = (1, 2)

    __repr__ = brief


def test_a_brief_repr_counts_what_is_long() -> None:
    assert repr(Held(np.zeros((3, 2)))) == "Held(numbers=float64 (3, 2), name='a', many=(1, 2))"
    many = repr(Held([np.zeros(2)] * 4, many=tuple(range(10**5))))
    assert many == "Held(numbers=4 of ndarray, name='a', many=100,000 of int)"
    assert "numbers={'a': 1}, " in repr(Held({"a": 1}))
    assert "numbers=3 of float or str, " in repr(
        Held({"a" * 40: 0.5, "b" * 40: "x" * 40, "c": 1.5})
    )


def test_a_space_shows_itself_in_one_line() -> None:
    assert repr(SPACE) == (
        "ProbabilitySpace(3 layers of any network, branches=S+ST, per_input=False, "
        "drop from 0.200 to 0.200)"
    )
