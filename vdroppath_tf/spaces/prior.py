"""The strength of the prior on weights: what multiplies ``(1-p) ||w||^2`` in the KL (Eq. 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vdroppath_tf.names import named

STRENGTHS = ("weight_reg", "prior_strength")
"""The two options that give it."""

PRIOR_STRENGTH = 1e-3
"""The strength of a template that is given neither, for any N; see ``docs/train.md``."""

SMALL_STRENGTH = 2e-2
"""The strength of the recipe ``small``: its network has 16 channels, so a path weighs less."""

FORMER_WEIGHT_REG = 10.0
"""``weight_reg`` of a template of an older version's file that names no strength."""


@named
def one_strength(
    weight_reg: float | None, prior_strength: float | None
) -> tuple[float | None, float | None]:
    """The two ways to give the strength, exactly one of them a number.

    Args:
        weight_reg: k, which the KL divides by N; None if it was not given.
        prior_strength: The strength itself; None if it was not given.

    Returns:
        Both, and None for the one that is not in force.

    Raises:
        ValueError: If both were given.
    """
    if weight_reg is not None and prior_strength is not None:
        raise ValueError(
            "weight_reg and prior_strength are two ways to give one number, the strength of the "
            "prior: weight_reg is divided by N, prior_strength holds for any N. Expected one of "
            f"them. Received: weight_reg={weight_reg!r} and prior_strength={prior_strength!r}"
        )
    if weight_reg is None and prior_strength is None:
        return None, PRIOR_STRENGTH
    return weight_reg, prior_strength


@named
def with_strength(options: Mapping[str, Any], weight_reg: float | None = None) -> dict[str, Any]:
    """Options of gates that name the one strength in force, as files hold them.

    So a file means the same when the default is another one.

    Args:
        options: Options of ``VariationalDropPath``.
        weight_reg: What holds if they name neither. Defaults to None: ``PRIOR_STRENGTH``.

    Raises:
        ValueError: If they name both.
    """
    kept = {k: v for k, v in options.items() if k not in STRENGTHS or v is not None}
    if not kept.keys() & set(STRENGTHS) and weight_reg is not None:
        return {**kept, "weight_reg": weight_reg}
    both = one_strength(kept.get("weight_reg"), kept.get("prior_strength"))
    in_force = {k: v for k, v in zip(STRENGTHS, both, strict=True) if v is not None}
    return {**kept, **in_force}


@named
def acting_strength(
    *,
    weight_reg: float | None = None,
    prior_strength: float | None = None,
    num_examples: float | None = None,
    form: str = "code",
) -> float | None:
    """Computes the factor of ``(1-p) ||w||^2``; None if it depends on an N that is not known.

    ``prior_strength`` itself, ``weight_reg / N`` (``form="code"``: the published k are values of
    it) or ``weight_reg^2 / (2 N)`` (``"paper"``, Eq. 5: ``weight_reg`` is its k).

    Args:
        weight_reg: k; None if ``prior_strength`` holds.
        prior_strength: The strength for any N; None if ``weight_reg`` holds.
        num_examples: N, the number of training examples; None if it is not known.
        form: The form of the KL, ``"code"`` or ``"paper"``.

    Raises:
        ValueError: If both were given.

    Example:
    ```python
    acting_strength(weight_reg=250, num_examples=86_017)  # 0.0029
    ```
    """
    weight_reg, prior_strength = one_strength(weight_reg, prior_strength)
    if weight_reg is None:
        return prior_strength
    if num_examples is None:
        return None
    return (weight_reg**2 / 2.0 if form == "paper" else weight_reg) / num_examples


@named
def prior_words(
    *,
    weight_reg: float | None = None,
    prior_strength: float | None = None,
    num_examples: float | None = None,
    form: str = "code",
) -> str:
    """The strength for a reader: ``"4.1e-4 per squared weight (weight_reg 10 / N 24,576)"``.

    See `acting_strength` for the arguments.
    """
    weight_reg, prior_strength = one_strength(weight_reg, prior_strength)
    if weight_reg is None:
        return (
            f"{two_digits(prior_strength)} per squared weight (prior_strength, the same for any N)"
        )
    squared = "^2 / 2" if form == "paper" else ""
    if num_examples is None:
        return f"weight_reg {weight_reg:g}{squared} / N per squared weight (N is not known here)"
    acting = acting_strength(weight_reg=weight_reg, num_examples=num_examples, form=form)
    return (
        f"{two_digits(acting)} per squared weight (weight_reg {weight_reg:g}{squared} / "
        f"N {num_examples:,.15g})"
    )


@named
def weaker_prior(strength: float | None = None) -> str:
    """What to train with in place of a prior that is too strong, as a part of a sentence.

    Args:
        strength: The strength that acts, as `acting_strength` computes it. Defaults to None: not
            known.

    Example:
    ```python
    weaker_prior(8.9)  # "prior_strength=0.02 (--prior_strength=0.02) for a network ..."
    ```
    """
    if strength is not None and strength <= 10.0 * SMALL_STRENGTH:
        aim = two_digits(strength / 10.0)
        return f"prior_strength={aim} (--prior_strength={aim}), a tenth of the present strength"
    small, large = two_digits(SMALL_STRENGTH), two_digits(PRIOR_STRENGTH)
    now = "; a tenth of the present strength if that is lower"
    if strength is not None:
        now = f"; the present strength is {strength / SMALL_STRENGTH:,.0f} times the former"
    return (
        f"prior_strength={small} (--prior_strength={small}) for a network as small as micro or "
        f"{large} for larger ones, in place of weight_reg= (--weight_reg){now}"
    )


@named
def two_digits(value: float | None) -> str:
    """Two digits below 0.01, as ``"4.1e-4"``; else three at most, as ``"0.208"``."""
    if value is None or not 0.0 < value < 0.01:
        return f"{value:.3g}" if value else "0"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}"
