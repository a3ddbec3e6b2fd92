"""A functional Keras model as the calls of its layers, in the order in which data go through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import keras


class Call(NamedTuple):
    """One call of a layer.

    Attributes:
        layer: What is called: a Keras layer, or an operation such as a sum of tensors.
        args: Positional arguments, symbolic tensors among them.
        kwargs: Keyword arguments, likewise.
        gives: The symbolic tensors that come out.
    """

    layer: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    gives: tuple[Any, ...]

    @property
    def takes(self) -> tuple[Any, ...]:
        """The symbolic tensors that go in."""
        every = keras.tree.flatten((self.args, self.kwargs))
        return tuple(one for one in every if isinstance(one, keras.KerasTensor))

    def filled_in(self, values: Mapping[int, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments with values, by ``id``, in place of the symbolic tensors."""

        def one(value: Any) -> Any:
            return values[id(value)] if isinstance(value, keras.KerasTensor) else value

        args, kwargs = keras.tree.map_structure(one, (self.args, self.kwargs))
        return args, kwargs


def functional_of(model: keras.Model) -> keras.Model | None:
    """The functional model that a model is; of a Sequential the one that it runs."""
    found = getattr(model, "_functional", None) if isinstance(model, keras.Sequential) else model
    return found if hasattr(found, "_nodes_by_depth") else None


def calls_of(model: keras.Model) -> Iterator[Call]:
    """The calls of a functional model; a model in it is one layer.

    Raises:
        ValueError: If the model is not a functional one, nor a Sequential that has been built.
    """
    functional = functional_of(model)
    if functional is None:
        raise ValueError(
            f"{model.name!r} is of the class {type(model).__name__}: Keras knows no graph of "
            "layers of it. Expected a functional model, a Sequential that has seen its input's "
            "shape, or the template in it."
        )
    by_depth = functional._nodes_by_depth
    for depth in sorted(by_depth, reverse=True):
        for node in by_depth[depth]:
            if node.operation and not node.is_input:
                arguments = node.arguments
                yield Call(node.operation, arguments.args, arguments.kwargs, tuple(node.outputs))


def calls_inside(model: keras.Model) -> tuple[list[Call], list[Any]]:
    """The calls of a functional model, with those of the functional models in it in their place.

    Returns:
        The calls, and the symbolic tensors that are the model's outputs.

    Raises:
        ValueError: If the model is not a functional one, or one in it is called more than once.
    """
    same: dict[int, Any] = {}
    calls = list(_flattened(model, same, set()))
    return calls, resolved(list(model.outputs), same)


def resolved(tensors: Any, same: dict[int, Any]) -> Any:
    """Arguments with the tensors of inner models replaced by those that they stand for."""

    def one(value: Any) -> Any:
        while id(value) in same:
            value = same[id(value)]
        return value

    return keras.tree.map_structure(one, tensors)


def _flattened(model: keras.Model, same: dict[int, Any], seen: set[int]) -> Iterator[Call]:
    for call in calls_of(model):
        call = call._replace(args=resolved(call.args, same), kwargs=resolved(call.kwargs, same))
        inner = functional_of(call.layer) if isinstance(call.layer, keras.Model) else None
        if inner is None:
            yield call
            continue
        if id(inner) in seen:
            raise ValueError(
                f"{call.layer.name!r} is called more than once in {model.name!r}: its tensors "
                "cannot be told apart. Build a model for each call."
            )
        seen.add(id(inner))
        same |= {id(a): b for a, b in zip(inner.inputs, call.takes, strict=True)}
        yield from _flattened(inner, same, seen)
        outputs = resolved(list(inner.outputs), same)
        same |= {id(a): b for a, b in zip(call.gives, outputs, strict=True)}
