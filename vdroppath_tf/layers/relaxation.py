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
    noise = tf.math.log(-tf.math.log(r1)) - tf.math.log(-tf.math.log(r2))
    return tf.sigmoid((logit + noise) / temperature)


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


def uniform_noise(
    seed: int, step: tf.Tensor, *, place: tf.Tensor, count: Any, replicas: int, width: int
) -> tf.Tensor:
    """Uniform numbers in (0, 1), a function of seed, step and place in the global batch.

    Every replica draws the numbers of the whole global batch and keeps its own rows, so that n
    replicas use what one device would.

    Args:
        seed, step: what the numbers depend on.
        place: which replica this is.
        count: rows of one replica.
        replicas: how many replicas there are.
        width: numbers a row.

    Returns:
        ``(count, width)`` float32.
    """
    key = tf.stack([tf.constant(seed, tf.int64), tf.cast(step, tf.int64)])
    shape = [count * replicas, width]
    everyone = tf.random.stateless_uniform(shape, key, minval=1e-7, alg="philox")
    # float32 rounds numbers next to 1 up to it, where log(-log r) is not finite
    return tf.minimum(everyone[place * count : (place + 1) * count], 1.0 - 1e-7)
