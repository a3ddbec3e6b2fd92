"""The form in which a folded network is exported: the fast one, if its logits are close enough."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from absl import logging

from vdroppath_tf.serving.checking import Difference
from vdroppath_tf.serving.folding.fold import Folding


@dataclasses.dataclass(frozen=True, eq=False)
class Tried:
    """A form that was built and run on the clips of the comparison.

    Attributes:
        difference: The difference of its logits from those of the Keras network.
        same_answers: The share of the clips with the same class.
        made: What was built.
        folding: The folded network in this form; None for the network as it is.
        refused: A manifest's field about the fast form that was not close enough, or nothing.
    """

    difference: Difference
    same_answers: float
    made: Any = None
    folding: Folding | None = None
    refused: dict[str, Any] = dataclasses.field(default_factory=dict)

    def folded(self, shape: Sequence[int]) -> dict[str, Any] | None:
        """Returns a manifest's field about what was folded, and the cost for a clip of a shape."""
        if self.folding is None:
            return None
        cost = self.folding.cost((shape[0], shape[1], shape[2]))
        return {
            **self.folding.counts,
            "form": self.folding.form,
            **self.refused,
            "parameters": cost.parameters,
            "macs": cost.macs,
            "macs_of_a_clip_of": list(shape[:3]),
        }


def forms_of(
    folding: Folding | None, clip_shape: Sequence[int | None], steps: Sequence[str]
) -> list[Folding | None]:
    """Returns the forms to try in turn: the fast one, if any step applies, and the plain one."""
    fast = None if folding is None else folding.fast(clip_shape, steps)
    return [fast, folding] if fast is not None and fast.form else [folding]


def first_close(
    forms: Sequence[Folding | None],
    attempt: Callable[[Folding | None], Tried],
    what: str,
    *,
    exact: bool = True,
) -> Tried:
    """Builds one form after another until the logits of one are as close as allowed.

    Args:
        forms: The forms.
        attempt: Builds and compares one.
        what: The name of the network and the format, for messages.
        exact: Whether the format is in full precision, so that logits have to be close.

    Raises:
        ValueError: If none is close enough.
    """
    refused: dict[str, Any] = {}
    for form in forms:
        tried = dataclasses.replace(attempt(form), folding=form, refused=refused)
        found = tried.difference
        if found.close or form is forms[-1]:
            break
        logging.warning(
            "%s: the logits of its fast form differ by %.2g, more than the allowed %.2g. It is "
            "exported in the plain form, which is slower.",
            what,
            found.largest,
            found.bound,
        )
        refused = {"form_refused": {"form": form.form if form else {}, "difference": found.largest}}
    if exact:
        tried.difference.check(what)
    return tried
