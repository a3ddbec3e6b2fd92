"""The arithmetic of variational DropPath: pure functions of logits and noise (Sec. 3.3)."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from vdroppath_tf.spaces.prior import acting_strength

KL_FORMS = ("code", "paper")


def relaxed_drop(
    logit: tf.Tensor, r1: tf.Tensor, r2: tf.Tensor, temperature: float = 0.2
) -> tf.Tensor:
    """The relaxed Bernoulli drop of Eq. S13, in the form that is defined.

    ``sigmoid((logit + log(-log r1) - log(-log r2)) / temperature)``: the difference of the two
    terms is logistic noise, so the drop exceeds 1/2 with probability ``p = sigmoid(logit)``.

    Args:
        logit: logit of the drop probability.
        r1, r2: uniform numbers in (0, 1).
        temperature: 1/5 in the paper, not annealed.

    Returns:
        The drop in (0, 1), broadcast of the arguments; a path is multiplied by ``1 - drop``.
    """
    return tf.sigmoid(relaxed_logit(logit, r1, r2, temperature))


def relaxed_logit(
    logit: tf.Tensor, r1: tf.Tensor, r2: tf.Tensor, temperature: Any = 0.2
) -> tf.Tensor:
    """The logit of ``relaxed_drop``, whose arguments it has."""
    noise = tf.math.log(-tf.math.log(r1)) - tf.math.log(-tf.math.log(r2))
    return (logit + noise) / temperature


def gate_entropy(logit: tf.Tensor, form: str = "code") -> tf.Tensor:
    """The KL without weights: ``p log p`` (Eq. 5), plus ``(1-p) log(1-p)`` in the code's form."""
    p, log_p = tf.sigmoid(logit), tf.math.log_sigmoid(logit)
    if form == "paper":
        return p * log_p
    return p * log_p + (1.0 - p) * tf.math.log_sigmoid(-logit)


def weight_prior(
    logit: tf.Tensor,
    *,
    num_examples: float | None = None,
    weight_reg: float | None = None,
    prior_strength: float | None = None,
    form: str = "code",
) -> tf.Tensor:
    """What multiplies ``||w||^2`` in the KL: ``1 - p`` times the strength of the prior.

    The strength is ``prior_strength``, for any N, or
    ``weight_reg^2 / (2 N)`` (``"paper"``, Eq. 5: weight_reg is its k) or
    ``weight_reg / N`` (``"code"``: the published k are values of this one).

    Raises:
        ValueError: If both are given, or ``weight_reg`` without N.
    """
    strength = acting_strength(
        weight_reg=weight_reg, prior_strength=prior_strength, num_examples=num_examples, form=form
    )
    if strength is None:
        raise ValueError("weight_reg is divided by N: pass num_examples=, or prior_strength=.")
    return tf.sigmoid(-logit) * strength
