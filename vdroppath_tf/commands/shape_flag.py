"""The flag ``--clip_shape``, and what it says."""

from __future__ import annotations

from absl import flags

from vdroppath_tf.commands.files import define_string


def define_clip_shape(
    values: flags.FlagValues, what: str, default: tuple[int, int, int] | None = None
) -> None:
    """The flag; ``what`` is counted or measured for clips of this shape."""
    text = None if default is None else ",".join(map(str, default))
    define_string(
        values, "clip_shape", f"frames, height and width that {what} for, e.g. 8,64,64", text
    )


def clip_shape_of(values: flags.FlagValues) -> tuple[int, int, int] | None:
    """Frames, height and width; None where the flag was not given.

    Raises:
        ValueError: it is something else.
    """
    if values.clip_shape is None:
        return None
    parts = values.clip_shape.split(",")
    if len(parts) != 3 or not all(part.strip().isdecimal() and int(part) for part in parts):
        raise ValueError(
            f"--clip_shape={values.clip_shape}: expected frames, height and width, such as 8,64,64."
        )
    frames, height, width = map(int, parts)
    return frames, height, width
