"""The layout of a list: its columns, their separator, and its encoding."""

from __future__ import annotations

import codecs
import dataclasses

from vdroppath_tf.data.manifest import ManifestError
from vdroppath_tf.names import named, unknown_name

COLUMNS = {
    "path": "the path of the video",
    "num_frames": "the number of its frames; 0 or -1 if it is unknown",
    "label": "its class, as a name or a number, whichever is found",
    "class_name": "its class by name, even if the name is a number",
    "class_number": "its class by number",
    "labels": "all its classes, by names or numbers, such as 3,17 or jump;run",
    "start_frame": "the first frame of a segment, counted from 0",
    "end_frame": "the frame before which a segment ends",
    "segment_frames": "the number of frames from start_frame on, in place of end_frame",
    "start_second": "the second at which a segment starts",
    "end_second": "the second at which it ends",
    "split": "the part of the data set, such as train",
    "-": "a column that is not read",
}
"""The possible columns of a list."""
CLASSES = ("label", "class_name", "class_number", "labels")
"""The columns that hold the class of a video."""
SEPARATORS = {"space": " ", "tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
"""The possible separators of columns; `space` is any number of spaces and tabs."""


@named
@dataclasses.dataclass(frozen=True)
class Layout:
    """The layout of a list. Every field that is None is inferred from the list.

    Example:
        ```python
        layout = Layout(columns=("path", "label"), separator="comma")
        manifest = open_manifest("train.csv", root="videos", format=layout)
        ```

    Attributes:
        columns: Tuple of str, one name out of `COLUMNS` for each column of the list; `-` stands for
            a column that is not read. Defaults to None.
        separator: str, one of `SEPARATORS`. Defaults to None.
        encoding: str, the encoding of the text, such as `"cp1252"` or `"latin-1"`. Defaults to
            None.

    Raises:
        ManifestError: If a column, the separator or the encoding is unknown, a column is listed
            twice, or the path or the class has no column.
    """

    columns: tuple[str, ...] | None = None
    separator: str | None = None
    encoding: str | None = None

    def __post_init__(self) -> None:
        try:
            if self.columns is not None:
                object.__setattr__(self, "columns", _checked(self.columns))
            if self.separator is not None and self.separator not in SEPARATORS:
                raise unknown_name("separator", self.separator, SEPARATORS)
            if self.encoding is not None:
                codecs.lookup(self.encoding)
        except (LookupError, ValueError) as error:
            raise ManifestError(f"Layout: {error}") from None


def _checked(columns: tuple[str, ...] | str) -> tuple[str, ...]:
    if isinstance(columns, str):
        raise ValueError(f"columns must be several names. Received: {columns!r}.")
    columns = tuple(column.strip() for column in columns)
    for column in columns:
        if column not in COLUMNS:
            raise unknown_name("column", column, COLUMNS)
        if column != "-" and columns.count(column) > 1:
            raise ValueError(f"columns={columns} hold {column!r} twice. Replace one by '-'.")
    if {"end_frame", "segment_frames"} <= set(columns):
        raise ValueError(
            f"columns={columns} hold two ends of a segment. Replace one of them by '-'."
        )
    for unit, ends in (("frame", ("end_frame", "segment_frames")), ("second", ("end_second",))):
        if (f"start_{unit}" in columns) != any(end in columns for end in ends):
            raise ValueError(
                f"columns={columns} hold one end of a segment. Name both, or replace "
                "the one by '-'."
            )
    for wanted in (("path",), CLASSES):
        if not set(wanted) & set(columns):
            raise ValueError(f"columns={columns} lack {' or '.join(wanted)}. Name its column.")
    return tuple(columns)


def shown(columns: tuple[str, ...]) -> str:
    """Returns columns in the form of a flag's value."""
    return ",".join(columns)
