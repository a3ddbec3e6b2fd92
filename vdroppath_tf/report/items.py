"""What a task's report lists beside scores: answers, tests, data; checked when put together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from vdroppath_tf.names import named
from vdroppath_tf.scoring.listed import Row, check_share

_PNG = re.compile(r"data:image/png;base64,[A-Za-z0-9+/]+=*")


@named
@dataclass(frozen=True)
class Prediction:
    """The served network's answer to one held-out clip.

    Args:
        file: Name of the file.
        label: The true class.
        predicted: The most probable class.
        probability: Its probability, in [0, 1].
        frames: A few frames as a `data:image/png;base64,` address, from `frame_strip`.

    Raises:
        ValueError: If `probability` is none, or `frames` is another kind of address.
    """

    file: str
    label: str
    predicted: str
    probability: float
    frames: str | None = None

    def __post_init__(self) -> None:
        check_share(f"probability for {self.file!r}", self.probability)
        if self.frames is not None and not _PNG.fullmatch(self.frames):
            raise ValueError(
                f"Expected the frames of {self.file!r} as 'data:image/png;base64,...', which "
                f"frame_strip writes. Received: {self.frames[:60]!r}"
            )


@named
@dataclass(frozen=True)
class DataUsed:
    """Which videos were used for what.

    Args:
        use: What for, such as `"chosen on"`.
        source: List or folder.
        digest: Of the videos (`Manifest.digest`).
        listed: How many videos are listed.
        protocol: Which views of a video were scored.
        scored: How many of them could be read, where that is known.
    """

    use: str
    source: str
    digest: str
    listed: int
    protocol: str
    scored: int | None = None


@named
@dataclass(frozen=True)
class Tested:
    """A network that `vdroppath test` has scored.

    Args:
        row: The network: its file as the name, its strategy's text or "".
        data: What it was tested on.
        classes: Name, videos and top-1 of each class; None for a class without videos.
        confusions: True class, answer and number of videos, the most frequent first.
        network: Its architecture, where that is known.
    """

    row: Row
    data: DataUsed
    classes: Sequence[tuple[str, int, float | None]] = ()
    confusions: Sequence[tuple[str, str, int]] = ()
    network: str | None = None
