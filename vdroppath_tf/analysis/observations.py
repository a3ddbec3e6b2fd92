"""Tests the paper's observations I to III on spaces.

"Lower" is the first half of the fusion layers by depth, "higher" the rest; for an odd number the
middle layer is a higher one. A unit *leads* in a layer if it has the highest marginal (in the form
of Eq. 7) of all units, including no path at all (`-`): if a layer most probably has no path, no
unit leads. An observation about a half holds if its unit leads in more than half of the layers of
that half, and also has the highest mean marginal there.

Reference: Zhou et al., CVPR 2020, section 4 (observations I to III), Fig. 4.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from vdroppath_tf.analysis.layer_halves import Lead, halves, leads, mean_marginals, unit_marginals
from vdroppath_tf.names import named
from vdroppath_tf.spaces.diagnosis import NEAR_START
from vdroppath_tf.spaces.space import ProbabilitySpace

# The difference of mean P(S) from which on one data set counts as having more S than another.
ADDS = 0.05

CLAIMS = {
    "I": "S+ST has the highest marginal in lower layers",
    "II": "higher layers prefer ST",
    "III": "data with complex scenes add S",
}


@named
@dataclass(frozen=True)
class Observation:
    """One of the paper's observations, computed from spaces.

    Attributes:
        number: "I", "II" or "III".
        verdict: "holds", "holds narrowly" or "does not hold".
        strength: a description of how strongly it holds or not.
        margin: the strength as a number: the mean marginal of the unit minus the highest other (I,
            II), or the difference in mean P(S) (III); negative if another is ahead.
        detail: the underlying numbers, with a warning if they carry little information about the
            data.

    Example:
    ```python
    found = lower_layers_fuse(vdroppath_tf.zoo.published_space("kinetics400"))
    print(found.claim, found.verdict, found.margin)
    ```
    """

    number: str
    verdict: str
    strength: str
    margin: float
    detail: str

    @property
    def claim(self) -> str:
        """The paper's statement."""
        return CLAIMS[self.number]

    def __str__(self) -> str:
        return f"{self.number} {self.verdict}: {self.detail}"


@named
def lower_layers_fuse(space: ProbabilitySpace) -> Observation:
    """Tests observation I: S+ST leads in lower layers.

    Raises:
        ValueError: If the space has one layer only, or lacks S+ST.

    Example:
    ```python
    print(lower_layers_fuse(vdroppath_tf.zoo.published_space("kinetics400")))
    ```
    """
    lower, higher = leads(space, "S+ST")
    here = f"{lower} of the lower half, and in {higher} of the higher half"
    return _asked("I", space, "S+ST", lower, here)


@named
def higher_layers_want_time(space: ProbabilitySpace) -> Observation:
    """Tests observation II: higher layers prefer ST.

    Raises:
        ValueError: If the space has one layer only, or lacks ST.

    Example:
    ```python
    print(higher_layers_want_time(vdroppath_tf.zoo.published_space("kinetics400")))
    ```
    """
    lower, higher = leads(space, "ST")
    here = f"{higher} of the higher half, and in {lower} of the lower half"
    return _asked("II", space, "ST", higher, here)


@named
def scenes_want_space(
    spaces: Mapping[str, ProbabilitySpace], scenes: Collection[str]
) -> Observation:
    """Tests observation III: data with complex scenes add S.

    It holds if every data set with complex scenes has a higher mean P(S) over layers than every
    other one, by `ADDS` or more.

    Args:
        spaces: Mapping from the names of data sets to the spaces learned on them.
        scenes: The names with complex scenes; some names must remain.

    Raises:
        ValueError: If `scenes` does not split the names in two, or a space lacks S.

    Example:
    ```python
    names = ("kinetics400", "something-something-v1")
    spaces = {name: vdroppath_tf.zoo.published_space(name) for name in names}
    print(scenes_want_space(spaces, ["kinetics400"]))
    ```
    """
    if not scenes or not set(scenes) < set(spaces):
        raise ValueError(
            f"Expected some, not all, of {sorted(spaces)} as those with complex scenes. "
            f"Received: {sorted(scenes)}"
        )
    means = {name: _mean_of_s(space) for name, space in spaces.items()}
    gap = min(means[n] for n in scenes) - max(means[n] for n in spaces if n not in scenes)
    verdict = "holds" if gap >= ADDS else "does not hold"
    way = "above" if gap >= 0 else "below"
    within, without = (
        ", ".join(
            f"{name} {means[name]:.2f} (start {_mean_of_s(space.started()):.2f})"
            for name, space in spaces.items()
            if (name in scenes) is complex_scenes
        )
        for complex_scenes in (True, False)
    )
    detail = (
        f"mean P(S) over all layers is, with complex scenes, {within}; without, "
        f"{without}. The lowest of the former is {abs(gap):.2f} "
        f"{way} the highest of the latter."
    )
    strength = f"mean P(S) is {abs(gap):.2f} {way} that without; from {ADDS:g} above on it counts"
    return Observation("III", verdict, strength, gap, detail)


def _asked(number: str, space: ProbabilitySpace, unit: str, half: Lead, here: str) -> Observation:
    """Tests observation I or II, on the lower or the higher half."""
    name = {"I": "lower", "II": "higher"}[number]
    part = halves(space)[0 if number == "I" else 1]
    margin, other = half.margin(unit)
    holds = 2 * half.layers > half.of and max(half.means, key=half.means.__getitem__) == unit
    narrow = 3 * half.layers < 2 * half.of
    verdict = "does not hold" if not holds else "holds narrowly" if narrow else "holds"
    means = ", ".join(f"{u} {mean:.2f}" for u, mean in half.means.items())
    detail = f"{unit} has the highest marginal in {here}. Mean marginals in the {name} half: "
    way = "above" if margin >= 0 else "below"
    strength = f"leads in {half}; its mean marginal is {abs(margin):.2f} {way} that of {other}"
    return Observation(
        number, verdict, strength, margin, f"{detail}{means}{_start(space, unit, part)}"
    )


def _start(space: ProbabilitySpace, unit: str, half: slice) -> str:
    """Describes the initial mean, with a warning if these layers are still near their start."""
    mean = mean_marginals(unit_marginals(space.started(), unit), half)[unit]
    moved = float(space.distance_from_start()[half].mean())
    said = f"; {unit} started at {mean:.2f}."
    if moved >= NEAR_START:
        return said
    return (
        f"{said} These layers are still near their start ({moved:.2f} in total variation, below "
        f"{NEAR_START:g}), so this says little about the data."
    )


def _mean_of_s(space: ProbabilitySpace) -> float:
    return float(unit_marginals(space, "S")["S"].mean())
