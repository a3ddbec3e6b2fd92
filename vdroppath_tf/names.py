"""Errors for an unknown name, which offer the nearest known ones, and the decorator `named`."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import inspect
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any, TypeVar, get_args

from vdroppath_tf.argument_kinds import (
    WrongKindError,
    by_place,
    hints_of,
    refuse_text,
    sequence_places,
    wrong_kinds,
)

_Public = TypeVar("_Public", bound=Callable[..., Any])

# Argument names of other libraries, for things that have another name here.
_ELSEWHERE = {
    "input_shape": "The size of a clip is clip_shape=(frames, height, width), its channels are "
    "channels=. ",
    "weights": "A network starts without weights: load some with model.load_weights(file), or "
    "start from those of a 2D network with vdroppath_tf.inflate(model, weights). ",
    "classes": "The number of classes is num_classes=. ",
}


def nearest(name: object, known: Iterable[str]) -> str:
    """Returns a question with the nearest known names and a space at its end, or empty text."""
    near = difflib.get_close_matches(str(name).lower(), list(known), n=3, cutoff=0.5)
    return f"Did you mean {' or '.join(map(repr, near))}? " if near else ""


def unknown_name(kind: str, name: object, known: Iterable[str], more: str = "") -> ValueError:
    """Returns the error to raise: the value received, the nearest names and all known names.

    ``more`` follows the names.
    """
    names = list(known)
    return ValueError(
        f"Unknown {kind}. {nearest(name, names)}Expected one of {names}{more}. Received: {name!r}"
    )


def named(public: _Public) -> _Public:
    """Decorates a public function or class so that an unknown keyword is refused with a suggestion.

    Python before 3.13 refuses the keyword too, but does not suggest the name that was meant. The
    signature is unchanged. Text in place of a sequence is refused too. If a call ends in an
    ``AttributeError`` or a ``TypeError`` because arguments are of the wrong kind (two of them were
    swapped, for example), the error names them.

    Args:
        public: A function, or a class, of which ``__init__`` (or ``__new__``) and, for a dataclass,
            the public methods are decorated. It must write out its keyword arguments.

    Returns:
        The decorated function or class.

    Raises:
        TypeError: When it is declared, if it takes arbitrary ``**keywords``.

    Example:
        ```python
        @named
        def resize(edge: int = 256) -> int:
            return edge

        resize(egde=224)  # TypeError: resize() has no argument 'egde'. Did you mean 'edge'? ...
        ```
    """
    if isinstance(public, type):
        init: Any = public.__init__  # type: ignore[misc]
        if init is object.__init__:  # a NamedTuple, or a subclass of str that defines __new__
            checked: Any = staticmethod(_refusing(public.__new__, public.__qualname__))
            public.__new__ = checked  # type: ignore[method-assign]
        else:
            public.__init__ = _refusing(init, public.__qualname__)  # type: ignore[misc]
        _name_methods(public)
        return public
    return _refusing(public, public.__qualname__)


def _name_methods(public: type) -> None:
    """Decorates the methods of a dataclass; those of other classes are called too often for it."""
    if not dataclasses.is_dataclass(public):
        return
    for name, method in list(vars(public).items()):
        kind = type(method) if isinstance(method, (classmethod, staticmethod)) else None
        function = method if kind is None else method.__func__
        if name.startswith("_") or not isinstance(function, FunctionType):
            continue
        if any(p.kind is p.VAR_KEYWORD for p in inspect.signature(function).parameters.values()):
            continue  # it takes the fields of a dataclass, whose constructor checks their names
        checked = _refusing(function, f"{public.__qualname__}.{name}")
        setattr(public, name, checked if kind is None else kind(checked))


def _refusing(function: Any, shown: str) -> Any:
    signature = inspect.signature(function)
    parameters = signature.parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        raise TypeError(f"{shown} must name its keyword arguments. Received: {parameters}")
    known = [p.name for p in parameters if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)]
    names = [name for name in known if name not in ("self", "cls", "_cls")]

    sequences = sequence_places(function)

    @functools.wraps(function)
    def checked(*args: Any, **keywords: Any) -> Any:
        for name in keywords:
            if name not in names:
                raise TypeError(
                    f"{shown}() has no argument {name!r}. {_ELSEWHERE.get(name, '')}"
                    f"{_as_field(function, name)}{nearest(name, names)}"
                    f"It has: {', '.join(names)}."
                )
        if sequences:
            refuse_text(function, shown, sequences, args, keywords)
        try:
            return function(*args, **keywords)
        except (AttributeError, TypeError) as error:
            # Only if this function's own arguments are right does the error belong to an inner one.
            wrong = wrong_kinds(function, shown, args, keywords)
            if not wrong:
                _add_signature(error, function, args, keywords)
                raise
            raise WrongKindError(wrong) from error

    # Keras reads the arguments of a layer without looking through wrappers.
    checked.__signature__ = signature  # type: ignore[attr-defined]
    return checked


def _add_signature(error: Exception, function: Any, args: Any, keywords: Any) -> None:
    """Adds the list of arguments to Python's error about a missing or a surplus argument."""
    signature = inspect.signature(function)
    try:
        signature.bind(*args, **keywords)
    except TypeError:
        parameters = signature.parameters.values()
        by_name = [f"{p.name}=" for p in parameters if p.kind is p.KEYWORD_ONLY]
        said = ", ".join([*by_place(function), *(["by name only"] if by_name else []), *by_name])
        error.args = (f"{error}. It has: {said}.",)


def _as_field(function: Any, name: str) -> str:
    """Returns a sentence if an unknown keyword is a field of a dataclass that an argument takes."""
    for argument, hint in hints_of(function).items():
        for kind in (hint, *get_args(hint)):
            fields = dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()
            if name in {field.name for field in fields}:
                return f"Pass {argument}={kind.__name__}({name}=...). "
    return ""
