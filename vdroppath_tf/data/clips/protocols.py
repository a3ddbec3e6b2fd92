"""Named test protocols: the clips and crops of a video that are scored, as data.

In every protocol, the score of a video is the mean softmax over its views.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.names import named


@named
@dataclasses.dataclass(frozen=True)
class Protocol:
    """The views of a video in testing.

    Attributes:
        name: The name in results.
        clips: The number of clips, spread evenly over each video; one is taken from its centre.
        crops: The number of crops of each clip: 1, in the centre; or 3, as high as the frames,
            along the longer side. Defaults to 1.

    Example:
        ```python
        sampling = PROTOCOLS["10x3"].sampling(ClipSampling(frames=16, short_edge=256, crop=256))
        ```
    """

    name: str
    clips: int
    crops: int = 1

    @property
    def views(self) -> int:
        """The number of views that a network sees of each video."""
        return self.clips * self.crops

    def sampling(self, evaluation: ClipSampling) -> ClipSampling:
        """Returns the sampling of the views, for `evaluation_clips(..., split="test")`.

        Args:
            evaluation: The network's sampling in evaluation: frames, stride and sizes are kept.

        Raises:
            ValueError: If the protocol has three crops, and `evaluation` no square crop.
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
        Protocol("paper-2clip", 2),  # the paper's video-level protocol: Table 2
        Protocol("10x3", 10, 3),  # the protocol of most papers since SlowFast
    )
}
