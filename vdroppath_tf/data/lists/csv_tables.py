"""CSV files with a header, read row by row, with fields by column name."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

from vdroppath_tf.data.lists.text_files import PathLike, read_lines, read_rows
from vdroppath_tf.data.manifest import ManifestError
from vdroppath_tf.names import named

DELIMITERS = ",\t;"
"""The possible column separators."""


def header_names(line: str, delimiter: str) -> list[str]:
    """Returns the names of a header's columns, in lower case."""
    try:
        return [name.strip().lower() for name in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return []


def delimiter_of(line: str, columns: Sequence[str]) -> str | None:
    """Returns the separator of a header's columns; None if it lacks one of `columns`."""
    for delimiter in DELIMITERS:
        if set(columns) <= set(header_names(line, delimiter)):
            return delimiter
    return None


@named
def read_csv(
    path: PathLike, columns: Sequence[str], expected: str, hint: str = ""
) -> Iterator[tuple[str, dict[str, str]]]:
    """Yields `(file:line, fields by column)` for the rows below a header.

    Args:
        path: The CSV file.
        columns: The columns that it must have.
        expected: The form of the rows, for errors.
        hint: A sentence for the error about a missing column. Defaults to "".

    Raises:
        ManifestError: See `read_rows`; or if a column is missing, or a row has more or fewer.
    """
    origin, first = next(read_lines(path, expected), (f"{path}:1", ""))
    delimiter = delimiter_of(first, columns)
    header = header_names(first, delimiter or ",")
    if delimiter is None:
        lacking = next(name for name in columns if name not in header)
        raise ManifestError(
            f"{origin}: has no column {lacking!r}. Expected {expected}. {hint}".rstrip()
        )
    lines = read_rows(path, delimiter, expected)
    next(lines)
    for line, row in lines:
        if delimiter == "\t":  # empty fields at the end of a line are lost with its end
            row += [""] * (len(header) - len(row))
        if len(row) != len(header):
            raise ManifestError(
                f"{line}: has {len(row)} of {len(header)} fields ({str(row)[:200]}). Expected "
                f"{expected}."
            )
        yield line, dict(zip(header, row, strict=True))
