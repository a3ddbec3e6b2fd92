"""What a layer runs when nothing is relaxed: the mode of its gates, or a draw from them (Eq. 6).

The rules of ``vdroppath_tf.spaces.draws``, on tensors: gates are independent, being dropped whole
(D1) and having no path on are one outcome, and off a residual branch a path
stays on. The work grows with the number of paths, never with ``2 ** paths``.
"""

from __future__ import annotations

import tensorflow as tf


def mode_mask(logit: tf.Tensor, layer_logit: tf.Tensor | None, has_residual: bool) -> tf.Tensor:
    """The most probable mask, of equals the first when counting down from all on.

    Args:
        logit: ``(paths,)`` logits of the drop probabilities.
        layer_logit: logit of D1, the drop of the whole layer, or None.
        has_residual: whether no path at all is a mask.

    Returns:
        ``(paths,)`` float32 of 0 and 1.
    """
    on, off = tf.math.log_sigmoid(-logit), tf.math.log_sigmoid(logit)
    best = logit <= 0.0
    likeliest = tf.one_hot(tf.argmin(logit), logit.shape[0]) > 0.0
    best = tf.where(tf.reduce_any(best), best, likeliest)
    if not has_residual:
        return tf.cast(best, tf.float32)
    filled, empty = tf.reduce_sum(tf.where(best, on, off)), tf.reduce_sum(off)
    if layer_logit is not None:
        kept, dropped = tf.math.log_sigmoid(-layer_logit), tf.math.log_sigmoid(layer_logit)
        filled, empty = filled + kept, tf.reduce_logsumexp(tf.stack([empty + kept, dropped]))
    return tf.cast(best & (filled >= empty), tf.float32)


def drawn_mask(
    logit: tf.Tensor, layer_logit: tf.Tensor | None, has_residual: bool, noise: tf.Tensor
) -> tf.Tensor:
    """A draw of the gates; given that a path is on where the layer is not ``has_residual``.

    Args:
        logit, layer_logit, has_residual: as for ``mode_mask``.
        noise: ``(1 + paths,)`` uniform in (0, 1): one number for the layer, one for each path.

    Returns:
        ``(paths,)`` float32 of 0 and 1.
    """
    drop, off = tf.sigmoid(logit), tf.math.log_sigmoid(logit)
    on = noise[1:] >= drop
    if has_residual:
        if layer_logit is not None:
            on &= noise[0] >= tf.sigmoid(layer_logit)
        return tf.cast(on, tf.float32)
    # path j is on, given that all before it are off, with P(j on) / P(one of j, j + 1, ... on)
    some_on = -tf.math.expm1(tf.cumsum(off, reverse=True))
    first_on = noise[1:] >= 1.0 - (1.0 - drop) / some_on
    last = tf.range(logit.shape[0]) == logit.shape[0] - 1
    first = tf.argmax(tf.cast(first_on | last, tf.int32), output_type=tf.int32)
    place = tf.range(logit.shape[0])
    return tf.cast((place == first) | ((place > first) & on), tf.float32)
