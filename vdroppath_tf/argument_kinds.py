"""Arguments of another kind than a public function takes: text for a list, two that are swapped.

Nothing here runs while all goes well, except where text comes in the place of a sequence: Python
would go through its letters in silence.
"""

from __future__ import annotations

import collections.abc
import functools
import inspect
import os
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

_SHOWN = 80  # characters of a value in a message
_TEXT = (str, bytes)
_SEQUENCES = (list, tuple, set, frozenset, collections.abc.Sequence, collections.abc.Iterable)
_WORDS_OF_SEQUENCES = ("Sequence", "Iterable", "list", "tuple", "List", "Tuple", "set")
_NUMBERS = (int, float, complex)
_CALLABLE: Any = collections.abc.Callable


class WrongKindError(TypeError, ValueError):
    """An argument is of another kind than its function takes."""


def sequence_places(function: Callable[..., Any]) -> dict[str, int]:
    """The arguments of a function that may be sequences, as far as their annotations tell.

    Args:
        function: The function; what a class is made of checks its own fields.

    Returns:
        The names of such arguments, each with its place.
    """
    if function.__name__ in ("__init__", "__new__"):
        return {}
    parameters = inspect.signature(function).parameters.values()
    return {
        parameter.name: place
        for place, parameter in enumerate(parameters)
        if any(f"{word}[" in str(parameter.annotation) for word in _WORDS_OF_SEQUENCES)
    }


def refuse_text(
    function: Callable[..., Any],
    shown: str,
    places: Mapping[str, int],
    args: Sequence[Any],
    keywords: Mapping[str, Any],
) -> None:
    """Stops where an argument is text, and a sequence that is no text is expected.

    Args:
        function: The function that is to be called.
        shown: Its name.
        places: Of ``sequence_places``.
        args: Its arguments by place.
        keywords: Its arguments by name.

    Raises:
        WrongKindError: Naming the argument, and how one element is passed.
    """
    for name, place in places.items():
        value = args[place] if place < len(args) else keywords.get(name)
        if not isinstance(value, _TEXT):
            continue
        kinds = _alternatives(hints_of(function).get(name, Any))
        sequences = [kind for kind in kinds if typing.get_origin(kind) in _SEQUENCES]
        if sequences and not any(_may_be(value, kind) for kind in kinds):
            elements = [each for kind in sequences for each in typing.get_args(kind)]
            one = any(_may_be(value, element) for element in elements)
            advice = f" Pass [{_cut(value)}] for one of them." if one else ""
            raise WrongKindError(
                f"{shown}(): {name} must be {_words(sequences[0])}, not one text.{advice} "
                f"Received: {_cut(value)}"
            )


def wrong_kinds(
    function: Callable[..., Any], shown: str, args: Sequence[Any], keywords: Mapping[str, Any]
) -> str:
    """What is wrong with the kinds of arguments, in words; empty where all of them may do.

    Args:
        function: The function that was called.
        shown: Its name.
        args: Its arguments by place.
        keywords: Its arguments by name.
    """
    hints, given = hints_of(function), dict(_bound(function, args, keywords))
    wrong = {name for name, value in given.items() if not _may_be(value, hints.get(name, Any))}
    if not wrong:
        return ""
    said = [
        f"{name} must be {_words(hints[name])}, not {_described(given[name])}."
        for name in given
        if name in wrong
    ]
    order = f" The order is {shown}({', '.join(by_place(function))})."
    return f"{shown}(): {' '.join(said)}{order if _swapped(given, hints, wrong) else ''}"


def _swapped(given: Mapping[str, Any], hints: Mapping[str, Any], wrong: set[str]) -> bool:
    """Whether two of the arguments would do in each other's place."""
    return any(
        other != name and _may_be(given[name], hints[other]) and _may_be(given[other], hints[name])
        for name in wrong
        for other in given
    )


def _bound(
    function: Callable[..., Any], args: Sequence[Any], keywords: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    """The arguments by name; none where they do not fit the signature, which Python says."""
    try:
        yield from inspect.signature(function).bind(*args, **keywords).arguments.items()
    except TypeError:
        return


def by_place(function: Callable[..., Any]) -> list[str]:
    """The names of the arguments that may be given by place."""
    parameters = inspect.signature(function).parameters.values()
    names = [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]
    return [name for name in names if name not in ("self", "cls", "_cls")]


@functools.cache
def hints_of(function: Callable[..., Any]) -> dict[str, Any]:
    """The kind of each argument; ``Any`` where only type checkers know it."""
    found: dict[str, Any] = {}
    names = getattr(inspect.unwrap(function), "__globals__", {})
    for parameter in inspect.signature(function).parameters.values():
        kind = parameter.annotation
        variadic = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        if isinstance(kind, str):
            try:
                one = types.SimpleNamespace(__annotations__={"kind": kind})
                kind = typing.get_type_hints(one, names)["kind"]
            except (NameError, AttributeError, TypeError):
                kind = Any
        found[parameter.name] = Any if kind is parameter.empty or variadic else kind
    return found


def _alternatives(kind: Any) -> tuple[Any, ...]:
    """The members of a union."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return tuple(one for each in typing.get_args(kind) for one in _alternatives(each))
    return (kind,)


def _may_be(value: Any, kind: Any) -> bool:
    """Whether a value may be of a kind; True wherever that is not certain."""
    kinds = _alternatives(kind)
    if len(kinds) > 1:
        return any(_may_be(value, each) for each in kinds)
    origin, inner = typing.get_origin(kind) or kind, typing.get_args(kind)
    if kind is None or kind is type(None):
        return value is None
    if origin is typing.Literal:
        return not isinstance(value, _TEXT) or value in inner
    if isinstance(kind, typing.TypeVar):
        return not kind.__constraints__ or any(
            _may_be(value, each) for each in kind.__constraints__
        )
    if kind is Any or not isinstance(origin, type):  # Any is a class since Python 3.11
        return True
    if origin is _CALLABLE:
        return callable(value)
    if origin in (int, bool):
        return hasattr(type(value), "__index__") or type(value).__name__ == "bool"
    if origin in _NUMBERS:
        return hasattr(type(value), "__float__") or hasattr(type(value), "__index__")
    if origin in _SEQUENCES:
        return _is_sequence(value, inner)
    if origin.__module__ == "numpy":
        return value is not None and not isinstance(value, (*_TEXT, Mapping))
    if getattr(origin, "_is_protocol", False) and not issubclass(origin, os.PathLike):
        return (value is not None and not isinstance(value, _TEXT)) or issubclass(origin, str)
    return isinstance(value, origin)


def _is_sequence(value: Any, elements: Sequence[Any]) -> bool:
    """Whether something can be gone through, and its first elements may be of a kind."""
    if isinstance(value, _TEXT) or not (
        hasattr(value, "__iter__") or hasattr(value, "__getitem__")
    ):
        return False
    if not elements or not isinstance(value, (list, tuple)):
        return True
    return all(_may_be(each, elements[0]) for each in value[:8])


_CALLED = {str: "text", bool: "a bool", int: "a whole number", float: "a number"}
_SEVERAL = {str: "texts", bool: "bools", int: "whole numbers", float: "numbers"}


def _words(kind: Any, *, several: bool = False) -> str:
    """A kind in words, such as ``a keras.Model`` or ``a sequence of texts``."""
    kinds = _alternatives(kind)
    if isinstance(kind, typing.TypeVar):
        kinds = kind.__constraints__
    if len(kinds) > 1:
        return " or ".join(dict.fromkeys(_words(each, several=several) for each in kinds))
    origin, inner = typing.get_origin(kind) or kind, typing.get_args(kind)
    if kind is None or kind is type(None):
        return "None"
    if origin is typing.Literal:
        return f"one of {', '.join(map(repr, inner))}"
    if origin in _SEQUENCES:
        known = [each for each in inner if each not in (Any, ...)][:1]
        of = f" of {_words(known[0], several=True)}" if known else ""
        return f"{'sequences' if several else 'a sequence'}{of}"
    if origin is _CALLABLE:
        return "callables" if several else "a callable"
    if origin is os.PathLike:
        return "paths" if several else "a path"
    name = getattr(origin, "__name__", str(kind))
    name = f"keras.{name}" if str(getattr(origin, "__module__", "")).startswith("keras.") else name
    return (_SEVERAL if several else _CALLED).get(origin, name if several else _with_article(name))


def _with_article(name: str) -> str:
    return f"{'an' if name[:1] in 'AEIO' or name == 'ndarray' else 'a'} {name}"


def _described(value: Any) -> str:
    """A value that is short in full, of any other its kind."""
    if value is None or isinstance(value, (*_TEXT, *_NUMBERS)):
        return _cut(value)
    return _with_article(type(value).__name__)


def _cut(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
