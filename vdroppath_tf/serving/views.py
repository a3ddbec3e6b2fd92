"""Makes clips out of whole frames inside the graph: selection, scaling and crops of frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import tensorflow as tf

from vdroppath_tf.data.clips.graph_resize import resized, scaled_sides
from vdroppath_tf.data.clips.transforms import ClipSampling


@dataclass(frozen=True)
class Views:
    """Makes the clips of a served network from the frames that it receives.

    The frames of a request are those of its clips, at the distance of ``sampling``. If there are
    more than for one clip, the number of clips in ``sampling`` is spread evenly over them.

    Attributes:
        sampling: How clips are made in evaluation.
    """

    sampling: ClipSampling

    @property
    def frames(self) -> int:
        """The number of frames in a clip."""
        return self.sampling.frames

    def of_video(self, video: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Makes the clips of videos.

        Args:
            video: uint8 ``(batch, time, height, width, channels)``, of at least ``frames`` frames.

        Returns:
            uint8 ``(batch * views, frames, height, width, channels)``, and the number of views of
            each video.
        """
        places, clips = self._places(tf.shape(video)[1])
        chosen = tf.gather(video, places, axis=1)
        shape = tf.shape(chosen)
        flat = tf.reshape(chosen, tf.concat([[-1], shape[2:]], 0))
        return self._clips(self._cut(tf.ensure_shape(flat, [None] * 3 + [video.shape[-1]])), clips)

    def of_pictures(self, jpegs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Makes the clips of videos whose frames are JPEG files, string ``(batch, time)``.

        Only the frames of the clips are decoded; see ``of_video``.
        """
        places, clips = self._places(tf.shape(jpegs)[1])
        chosen = tf.reshape(tf.gather(jpegs, places, axis=1), [-1])
        crop = (None, None) if self.sampling.crop is None else self.sampling.crop_size
        shape = (self.sampling.crops_per_clip, *crop, 3)
        return self._clips(decoded(chosen, self._cut, shape), clips)

    def _clips(self, cut: tf.Tensor, clips: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Reshapes ``(batch * clips * frames, crops, height, width, channels)`` to clips."""
        crops = self.sampling.crops_per_clip
        shape = tf.shape(cut)
        each = tf.reshape(cut, tf.concat([[-1, self.frames, crops], shape[2:]], 0))
        if crops > 1:
            each = tf.transpose(each, [0, 2, 1, 3, 4, 5])
        flat = tf.reshape(each, tf.concat([[-1, self.frames], shape[2:]], 0))
        return tf.ensure_shape(flat, (None, self.frames, *cut.shape[2:])), clips * crops

    def _places(self, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the numbers of the frames of all clips, and the number of clips."""
        frames = self.frames
        clips = tf.where(total > frames, self.sampling.clips_per_video, 1)
        steps, number = tf.range(frames), tf.range(clips)[:, None]
        if self.sampling.sampler == "segments":
            odd = 2 * clips * steps + 2 * number + 1  # in halves of a part
            return tf.reshape(odd * total // (2 * clips * frames), [-1]), clips
        room = total - frames
        spread = room * number // tf.maximum(clips - 1, 1)
        starts = tf.where(clips > 1, spread, room // 2)
        return tf.reshape(starts + steps, [-1]), clips

    def _cut(self, frames: tf.Tensor) -> tf.Tensor:
        """Scales and crops frames ``(n, height, width, channels)`` to ``(n, crops, ...)``."""
        edge = self.sampling.fixed_short_edge()
        if edge is not None:
            frames = _scaled(frames, edge)
        if self.sampling.crop is None:
            return frames[:, None]
        height, width = self.sampling.crop_size
        room = tf.shape(frames)[1:3] - [height, width]
        corners = [(room + 1) // 2]
        if self.sampling.crops_per_clip == 3:
            corners = [tf.zeros_like(room), *corners, room]
        crops = [frames[:, c[0] : c[0] + height, c[1] : c[1] + width] for c in corners]
        cut = tf.stack(crops, 1)
        return tf.ensure_shape(cut, (None, len(corners), height, width, frames.shape[-1]))


def decoded(
    jpegs: tf.Tensor, made: Callable[[tf.Tensor], tf.Tensor], shape: Sequence[int | None]
) -> tf.Tensor:
    """Decodes JPEG files, string ``(n,)``, and applies a function to each frame.

    Args:
        jpegs: The files.
        made: Maps a frame ``(1, height, width, 3)`` to ``(1, ...)``.
        shape: The shape of the function's result, without the 1; None for an open size.
    """

    def one(data: tf.Tensor) -> tf.Tensor:
        frame = tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE")
        return made(frame[None])[0]

    found = tf.map_fn(one, jpegs, fn_output_signature=tf.TensorSpec(None, tf.uint8))
    return tf.ensure_shape(found, (None, *shape))


def _scaled(frames: tf.Tensor, edge: int) -> tf.Tensor:
    """Scales frames to a shorter side of ``edge`` pixels, as in evaluation except for rounding."""
    sides = tf.shape(frames)[1:3]
    wanted = scaled_sides(sides, edge)
    return tf.cond(
        tf.equal(tf.reduce_min(sides), edge), lambda: frames, lambda: resized(frames, wanted)
    )
