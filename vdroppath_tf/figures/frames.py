"""The figure of a clip: a strip of its frames."""

from __future__ import annotations

import base64
import io

import numpy as np
from matplotlib import image

from vdroppath_tf.names import named


@named
def frame_strip(clip: np.ndarray, count: int = 6, height: int = 64) -> str:
    """Draws a clip as a strip of frames, evenly spaced in time.

    Args:
        clip: Array `(time, height, width, 3)`, values 0 to 255.
        count: int, the largest number of frames. Defaults to `6`.
        height: int, the height in pixels above which frames are subsampled. Defaults to `64`.

    Returns:
        A `data:` URI of a PNG, for `Prediction.frames`.

    Raises:
        ValueError: If the clip has another shape.

    Example:
    ```python
    uri = frame_strip(np.zeros((16, 112, 112, 3), "uint8"), count=4)
    ```
    """
    clip = np.asarray(clip)
    if clip.ndim != 4 or clip.shape[-1] != 3 or 0 in clip.shape:
        raise ValueError(
            f"Expected a clip of shape (time, height, width, 3). Received: {clip.shape}"
        )
    times = np.linspace(0, len(clip) - 1, min(count, len(clip))).round().astype(int)
    step = -(-clip.shape[1] // height)
    frames = np.clip(clip[times, ::step, ::step].round(), 0, 255).astype(np.uint8)
    gap = np.full((frames.shape[1], 2, 3), 255, np.uint8)
    columns = [column for frame in frames for column in (frame, gap)][:-1]
    return _png_uri(np.concatenate(columns, axis=1))


def _png_uri(picture: np.ndarray) -> str:
    """Encodes a `(height, width, 3)` uint8 image as a `data:` URI of a PNG."""
    file = io.BytesIO()
    image.imsave(file, picture, format="png")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
