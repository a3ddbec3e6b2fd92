"""Named test protocols: which clips and crops of a video are scored, as data.

The score of a video is the mean softmax over its views, whatever the protocol.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.names import named


@named
@dataclasses.dataclass(frozen=True)
class Protocol:
    """How videos are tested.

    Attributes:
        name: what results call it.
        clips: clips spread evenly over each video; one comes from its centre.
        crops: of each clip: 1, in the centre; or 3 as high as the frames, along the longer side.
    """

    name: str
    clips: int
    crops: int = 1

    @property
    def views(self) -> int:
        """Clips that a network sees of each video."""
        return self.clips * self.crops

    def sampling(self, evaluation: ClipSampling) -> ClipSampling:
        """How the views are made, for `evaluation_clips(..., split="test")`.

        Args:
            evaluation: how a network's clips are made in evaluation: frames, stride and sizes hold.

        Raises:
            ValueError: three crops, and no size of a square crop to go by.
        """
        size: dict[str, Any] = {}
        if self.crops > 1:
            side = evaluation.fixed_short_edge() if evaluation.crop is None else evaluation.crop
            if isinstance(side, tuple) and side[0] == side[1]:
                side = side[0]
            if not isinstance(side, int):
                raise ValueError(
                    f"Protocol {self.name!r} cuts {self.crops} square crops. Expected a crop of "
                    f"one number (or a short_edge without a crop). Received: crop {side}."
                )
            size = {"short_edge": side, "crop": side}
        return dataclasses.replace(
            evaluation,
            **size,
            clips_per_video=self.clips,
            crops_per_clip=self.crops,
            crop_scales=(),
            crop_area=(),
            crop_ratio=ClipSampling.crop_ratio,
        )


PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        Protocol("paper-1clip", 1),
        Protocol("paper-2clip", 2),  # the paper's for videos: Table 2
        Protocol("10x3", 10, 3),  # what most papers since SlowFast report
    )
}
