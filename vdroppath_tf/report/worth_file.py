"""The file of layer worths, which `vdroppath worth` writes, and reports read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from vdroppath_tf.analysis.worth import LayerWorth
from vdroppath_tf.files import read_json, write_json
from vdroppath_tf.names import named
from vdroppath_tf.report.inputs import data_used, read_file
from vdroppath_tf.report.items import DataUsed

WORTH_FORMAT = "vdroppath_tf.worth/1"


@named
def write_worth(
    path: str | os.PathLike[str], worth: LayerWorth, *, protocol: str, data: Mapping[str, Any]
) -> None:
    """Writes the worth of layers as JSON, atomically.

    Args:
        path: str or path of the file.
        worth: `LayerWorth`, from `layer_worth`.
        protocol: str, the name of the test protocol.
        data: Mapping, the `"source"`, `"hash"` and `"listed"` number of the videos.

    Example:
    ```python
    used = {"source": "test.txt", "hash": test_videos.digest(), "listed": len(test_videos)}
    write_worth("worth.json", worth, protocol="paper-1clip", data=used)
    ```
    """
    head = {"format": WORTH_FORMAT, "protocol": protocol, "data": dict(data)}
    write_json(path, {**head, **worth.fields()}, allow_nan=False)


@named
def read_worth(path: str | os.PathLike[str]) -> tuple[LayerWorth, DataUsed]:
    """Reads a file that `vdroppath worth --out` wrote: the worth, and the videos.

    Raises:
        ValueError: If the file has another format; the message names it.
        OSError: If it cannot be read.

    Example:
    ```python
    worth, data = read_worth("run/worth.json")
    print(worth.verdict)
    ```
    """

    def parse(text: str) -> tuple[LayerWorth, DataUsed]:
        fields = read_json(text, WORTH_FORMAT)
        worth = LayerWorth.of_fields(fields)
        return worth, data_used("worth of layers", fields["data"], fields["protocol"], worth.clips)

    return read_file(path, "worth of layers", "vdroppath worth --out", parse)
