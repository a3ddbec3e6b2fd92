"""Files and folders that are written whole or not at all, and JSON with a format and a version."""

from vdroppath_tf.files.differences import what_differs
from vdroppath_tf.files.formats import (
    check_architecture,
    check_format,
    load_text,
    parse_json,
    read_json,
    read_text,
    write_json,
)
from vdroppath_tf.files.jobs import create_or_verify
from vdroppath_tf.files.tables import csv_text, plain_cell
from vdroppath_tf.files.whole import (
    open_regular,
    open_text,
    read_bytes,
    replacing,
    sha256_of,
    write_bytes,
    write_text,
)

__all__ = [
    "check_architecture",
    "check_format",
    "create_or_verify",
    "csv_text",
    "load_text",
    "open_regular",
    "open_text",
    "parse_json",
    "plain_cell",
    "read_bytes",
    "read_json",
    "read_text",
    "replacing",
    "sha256_of",
    "what_differs",
    "write_bytes",
    "write_json",
    "write_text",
]
