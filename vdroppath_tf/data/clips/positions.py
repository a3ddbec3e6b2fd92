"""The frames of a clip and the order of videos, as pure functions of the seed.

Nothing here has a state, so a stopped run resumes from two integers, epoch and step.
"""

from __future__ import annotations

import numpy as np

from vdroppath_tf.names import named

# Separate counter ranges of one Philox key, so that the streams never overlap.
_ORDER, _ITEM, _BATCH = 1, 2, 3
_SPLITS = ("train", "validation", "test")
_UINT64 = 1 << 64


def epoch_order(seed: int, epoch: int, n: int) -> np.ndarray:
    """Returns the order of `n` videos in one epoch.

    Args:
        seed: The seed of the run.
        epoch: The number of the epoch, from 0.
        n: The number of videos.

    Returns:
        A permutation of 0..n-1, int64 `(n,)`, the same on every platform and numpy version.
    """
    # Sorts raw draws: numpy guarantees that raw streams never change, unlike permutation().
    return np.argsort(_philox(seed, epoch, _ORDER, 0).random_raw(n), kind="stable")


def item_rng(seed: int, epoch: int, item: int) -> np.random.Generator:
    """Returns the generator for one video in one epoch, for sampling and augmentation.

    Args:
        seed: The seed of the run.
        epoch: The number of the epoch, from 0.
        item: The number of the video in its manifest.
    """
    return np.random.Generator(_philox(seed, epoch, _ITEM, item))


def batch_rng(seed: int, epoch: int, step: int) -> np.random.Generator:
    """Returns the generator for one batch of one epoch, for mixing its clips.

    Args:
        seed: The seed of the run.
        epoch: The number of the epoch, from 0.
        step: The number of the batch in the epoch.
    """
    return np.random.Generator(_philox(seed, epoch, _BATCH, step))


def _philox(seed: int, epoch: int, stream: int, item: int) -> np.random.Philox:
    # The low half of the 256-bit counter counts the draws.
    counter = np.array([0, 0, item, stream], np.uint64)
    key = np.array([seed % _UINT64, epoch], np.uint64)
    return np.random.Philox(key=key, counter=counter)


@named
def dense_indices(
    num_frames: int,
    clip_frames: int,
    stride: int,
    *,
    split: str,
    rng: np.random.Generator | None = None,
    clips: int = 1,
    random_stride: bool = False,
) -> np.ndarray:
    """Returns frame numbers of clips of `clip_frames` frames, `stride` apart: dense sampling.

    With `room = max(0, num_frames - clip_frames * stride)`, clips start at a uniform random frame
    of 0..room ("train"), at room // 2 ("validation"), or at `linspace(0, room, clips)` ("test";
    a single clip is that of "validation"). Past the end of the video its last frame repeats.

    Args:
        num_frames: The number of frames in the video, at least 1.
        clip_frames: The number of frames in a clip, at least 1.
        stride: The distance between consecutive frames, at least 1.
        split: "train", "validation" or "test".
        rng: The random generator of "train".
        clips: The number of clips in "test". Defaults to 1.
        random_stride: Whether "train" also draws the stride from 1..stride. Defaults to False.

    Returns:
        Frame numbers, int64 `(clips, clip_frames)`; one clip unless `split` is "test".

    Raises:
        ValueError: If a number is below 1, `split` is unknown, or "train" has no `rng`.

    Example:
        ```python
        dense_indices(100, 4, 2, split="validation")  # [[46, 48, 50, 52]]
        ```
    """
    _check((num_frames, clip_frames, stride, clips), split, rng)
    drawn = rng if split == "train" else None
    if drawn is not None and random_stride:
        stride = int(drawn.integers(1, stride, endpoint=True))
    room = max(0, num_frames - clip_frames * stride)
    if drawn is not None:
        starts = drawn.integers(0, room, size=1, endpoint=True)
    elif split == "validation" or clips == 1:
        starts = np.array([room // 2])
    else:
        starts = room * np.arange(clips) // (clips - 1)  # linspace, without its rounding
    frames = starts[:, None] + stride * np.arange(clip_frames)
    return np.minimum(frames, num_frames - 1)


@named
def segment_indices(
    num_frames: int,
    clip_frames: int,
    *,
    split: str,
    rng: np.random.Generator | None = None,
    clips: int = 1,
) -> np.ndarray:
    """Returns frame numbers of clips that span the whole video: segment sampling (TSN).

    The video is divided into `clip_frames` segments of equal length, and each gives one frame: a
    random one ("train"), or the one at its centre ("validation"). The n clips of "test" take the
    frames at the centres of n equal parts of each segment. Frame numbers never decrease; in a video
    shorter than the clip some repeat (Wang et al. 2016).

    Args:
        num_frames: The number of frames in the video, at least 1.
        clip_frames: The number of frames in a clip, at least 1.
        split: "train", "validation" or "test".
        rng: The random generator of "train".
        clips: The number of clips in "test". Defaults to 1.

    Returns:
        Frame numbers, int64 `(clips, clip_frames)`; one clip unless `split` is "test".

    Raises:
        ValueError: If a number is below 1, `split` is unknown, or "train" has no `rng`.

    Example:
        ```python
        segment_indices(100, 4, split="validation")  # [[12, 37, 62, 87]]
        ```
    """
    _check((num_frames, clip_frames, clips), split, rng)
    segments = np.arange(clip_frames)
    if split == "train" and rng is not None:
        places = segments + rng.random((1, clip_frames))
        frames = (places * num_frames / clip_frames).astype(np.int64)
        return np.minimum(frames, num_frames - 1)  # rounding may reach the end
    parts = clips if split == "test" else 1
    odd = 2 * parts * segments + 2 * np.arange(parts)[:, None] + 1  # in halves of a part
    return odd * num_frames // (2 * parts * clip_frames)


def _check(numbers: tuple[int, ...], split: str, rng: np.random.Generator | None) -> None:
    if min(numbers) < 1:
        raise ValueError(
            f"Numbers of frames and clips, and the stride, must be at least 1. Received: {numbers}."
        )
    if split not in _SPLITS:
        raise ValueError(f"split must be train, validation or test. Received: {split!r}.")
    if split == "train" and rng is None:
        raise ValueError("split='train' draws frames: pass rng=item_rng(...).")
