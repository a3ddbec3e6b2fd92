"""The warning of this package: an answer that was computed, and that a reader should not trust."""

from __future__ import annotations


class SpaceWarning(UserWarning):
    """A warning that a space, or a question about it, has little to say.

    Such as a prior that decided where the data should have, or a budget that leaves a network
    without a path. To silence it: ``warnings.simplefilter("ignore", SpaceWarning)``.
    """
