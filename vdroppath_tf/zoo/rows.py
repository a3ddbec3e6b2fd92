"""Networks of a user: a row of a family, from a file or made in Python, and its name in the zoo."""

from __future__ import annotations

import json
import os
from typing import Any

import keras

from vdroppath_tf.files import load_text, read_json, write_text
from vdroppath_tf.models.build import architecture_of
from vdroppath_tf.models.families import (
    add_row,
    check_name,
    family_of,
    row_in,
    row_of,
    row_of_values,
)
from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.models.row import Row
from vdroppath_tf.names import named

_FORMAT = "vdroppath_tf.network/1"
_LARGEST = 100_000  # characters of a file; the longest of ours has about a thousand


@named
def add_network(row: Row) -> None:
    """Adds a network to the zoo: every function that takes a network's name then knows it.

    It does so in this process only. A model carries the values of its row, so what was saved loads
    where nobody has called this, and ``add_network(find_row(model))`` makes its name known there.

    Args:
        row: Row, such as ``models.resnet.Row("mine", ...)``.

    Raises:
        ValueError: If another network has the name.

    Example:
    ```python
    import dataclasses

    add_network(dataclasses.replace(find_row("micro"), name="mine", num_classes=10))
    template = get_model("template_mine")
    ```
    """
    add_row(row)


@named
def find_row(network: str | os.PathLike[str] | FusionModel) -> Row:
    """Finds a row by its name or in a JSON file, as ``--network`` does, or the row of a model.

    Args:
        network: str, a network's name, or the path of a file that ends in ``.json``, see
            ``load_row``; or a template or derived network, which carries its row.

    Raises:
        ValueError: If the name is unknown, or the file or the model holds no row.
        OSError: If the file cannot be read.

    Example:
    ```python
    print(find_row("micro"))
    add_network(find_row(template))  # after it was loaded where its row is unknown
    ```
    """
    if isinstance(network, keras.Model):
        return row_in(architecture_of(network))
    text = os.fspath(network)
    return load_row(text) if text.endswith(".json") else row_of(text)


@named
def load_row(path: str | os.PathLike[str]) -> Row:
    """Reads a row from a JSON file, as ``save_row`` writes it.

    Args:
        path: str, of the file.

    Raises:
        ValueError: If it holds no row; the file, the field and the value are named.
        OSError: If it cannot be read.

    Example:
    ```python
    save_row(find_row("micro"), "mine.json")
    row = load_row("mine.json")
    ```
    """
    return load_text(path, row_from_json)


@named
def save_row(row: Row, path: str | os.PathLike[str]) -> None:
    """Writes a row as a JSON file, which ``vdroppath train --network=PATH`` takes.

    Args:
        row: Row, to write.
        path: str, of the file.

    Example:
    ```python
    save_row(find_row("micro"), "mine.json")  # to edit, and to train with --network=mine.json
    ```
    """
    write_text(path, json.dumps({"format": _FORMAT, **values_of(row)}, indent=1) + "\n")


def row_from_json(text: str) -> Row:
    """The row of a JSON text; a ValueError names the field and the value."""
    if len(text) > _LARGEST:
        raise ValueError(f"A row has at most {_LARGEST} characters. Received: {len(text)}")
    fields = read_json(text, _FORMAT, ("family", "row"))
    row = row_of_values(fields["family"], fields["row"])
    check_name(row)
    return row


def values_of(row: Row) -> dict[str, Any]:
    """A row as JSON has it: its family's name, and its values."""
    return {"family": family_of(row).name, "row": row.values()}
