"""Which frames make a clip, and in which order videos come: pure functions of the seed.

Nothing here keeps a state, so a stopped run continues from two integers, epoch and step.
"""

from __future__ import annotations

import numpy as np

from vdroppath_tf.names import named

# separate counter ranges of one Philox key: the streams never meet
_ORDER, _ITEM, _BATCH = 1, 2, 3
_SPLITS = ("train", "validation", "test")
_UINT64 = 1 << 64


def epoch_order(seed: int, epoch: int, n: int) -> np.ndarray:
    """The order of `n` videos in one epoch.

    Args:
        seed: of the run.
        epoch: number of the epoch, from 0.
        n: number of videos.

    Returns:
        A permutation of 0..n-1, int64 `(n,)`, the same on every platform and numpy version.
    """
    # Sorting raw draws: numpy promises that raw streams never change, not that permutation() does.
    return np.argsort(_philox(seed, epoch, _ORDER, 0).random_raw(n), kind="stable")


def item_rng(seed: int, epoch: int, item: int) -> np.random.Generator:
    """The random numbers of one video in one epoch: sampling and augmentation draw from these.

    Args:
        seed: of the run.
        epoch: number of the epoch, from 0.
        item: number of the video in its manifest.
    """
    return np.random.Generator(_philox(seed, epoch, _ITEM, item))


def batch_rng(seed: int, epoch: int, step: int) -> np.random.Generator:
    """The random numbers of one batch of one epoch: what mixes its clips draws from these.

    Args:
        seed: of the run.
        epoch: number of the epoch, from 0.
        step: number of the batch in the epoch.
    """
    return np.random.Generator(_philox(seed, epoch, _BATCH, step))


def _philox(seed: int, epoch: int, stream: int, item: int) -> np.random.Philox:
    # The low half of the 256-bit counter is left to the draws.
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
    """Frame numbers of clips of `clip_frames` frames, `stride` apart: dense sampling, as published.

    With `room = max(0, num_frames - clip_frames * stride)`, clips start at a uniform random frame
    of 0..room ("train"), at room // 2 ("validation"), or at `linspace(0, room, clips)` ("test";
    a single clip is that of "validation"). Past the end of the video its last frame repeats.

    Args:
        num_frames: frames in the video, at least 1.
        clip_frames: frames in a clip, at least 1.
        stride: frames from one to the next, at least 1.
        split: "train", "validation" or "test".
        rng: where "train" draws from.
        clips: number of clips of "test".
        random_stride: in "train", draws the stride from 1..stride too.

    Returns:
        Frame numbers, int64 `(clips, clip_frames)`; one clip unless `split` is "test".

    Raises:
        ValueError: a number below 1, another `split`, or "train" without `rng`.
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
    """Frame numbers of clips that span the whole video: segment sampling (TSN, Wang et al. 2016).

    The video is cut into `clip_frames` segments of equal length, and each gives one frame: a random
    one ("train"), or that at its centre ("validation"). The n clips of "test" take the frames at
    the centres of n equal parts of each segment, so together they span it. Frames never go back;
    in a video shorter than the clip some repeat.

    Args:
        num_frames: frames in the video, at least 1.
        clip_frames: frames in a clip, at least 1.
        split: "train", "validation" or "test".
        rng: where "train" draws from.
        clips: number of clips of "test".

    Returns:
        Frame numbers, int64 `(clips, clip_frames)`; one clip unless `split` is "test".

    Raises:
        ValueError: a number below 1, another `split`, or "train" without `rng`.
    """
    _check((num_frames, clip_frames, clips), split, rng)
    segments = np.arange(clip_frames)
    if split == "train" and rng is not None:
        places = segments + rng.random((1, clip_frames))
        frames = (places * num_frames / clip_frames).astype(np.int64)
        return np.minimum(frames, num_frames - 1)  # rounding may reach the end
    parts = clips if split == "test" else 1
    odd = 2 * parts * segments + 2 * np.arange(parts)[:, None] + 1  # in half parts of a segment
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
