"""A `.keras` file from anyone, checked before anything of it is built or loaded into memory.

Keras builds what the configuration says, and loads what the weights' headers say: a file of a few
kilobytes can ask for any amount of memory, and a link in it can name any file of this machine.
"""

from __future__ import annotations

import math
import threading
import zipfile
from collections.abc import Mapping
from typing import Any

import h5py
import keras

from vdroppath_tf.files import open_regular, parse_json
from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.models.network import completed

_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
_REGISTERED = keras.saving.get_registered_name(FusionModel)
_MAX_CONFIG = 1 << 26  # bytes; a DenseNet-201 of layers and their calls has 3 MB
_MAX_MEMBERS = 64
_MAX_RATIO = 20  # weights hardly compress, and Keras stores them as they are
_SLACK = 1 << 20  # bytes


def check_keras_file(path: str) -> None:
    """Stops at a file that would take more memory than it holds weights, or leads elsewhere.

    Args:
        path: The file.

    Raises:
        ValueError: What is wrong, without the name of the file.
        OSError: If it cannot be read.
        zipfile.BadZipFile: If it is no zip file.
    """
    with open_regular(path) as file, zipfile.ZipFile(file) as archive:
        members = {info.filename: info for info in archive.infolist()}
        if len(members) > _MAX_MEMBERS or not {_CONFIG, _WEIGHTS} <= {*members}:
            raise ValueError(f"expected {_CONFIG} and {_WEIGHTS}, found {sorted(members)[:9]}")
        for name, limit in ((_CONFIG, _MAX_CONFIG), (_WEIGHTS, None)):
            info = members[name]
            limit = _SLACK + _MAX_RATIO * info.compress_size if limit is None else limit
            if info.file_size > limit:
                raise ValueError(f"{name} has {info.file_size:,} bytes, expected {limit:,} at most")
        config = parse_json(archive.read(_CONFIG))
        architecture = config["config"].get("architecture")
        # Keras would build another class from all that the file says, whatever it says.
        if config["registered_name"] != _REGISTERED or architecture is None:
            raise ValueError(f"it is no {_REGISTERED} with an architecture")
        with archive.open(_WEIGHTS) as weights, h5py.File(weights, "r") as opened:
            held = _numbers_in(opened, set())
    needed = count_weights(completed(architecture))
    if needed > held:
        raise ValueError(
            f"its network {str(architecture.get('name'))[:64]!r} has {needed:,} weights, but the "
            f"file holds {held:,} numbers"
        )


def count_weights(architecture: Mapping[str, Any]) -> int:
    """The weights of the network that a description stands for, none of which is allocated.

    Raises:
        ValueError: If there can be no such network.
    """
    found: list[int | Exception] = []

    def build() -> None:
        try:
            with keras.StatelessScope(initialize_variables=False):
                model = FusionModel.built(dict(architecture))
                found.append(sum(math.prod(weight.shape) for weight in model.variables))
        except Exception as error:  # of the thread, raised where it was asked for
            found.append(error)

    # Keras remembers, thread by thread, which variables wait for their values: those of a thread
    # that has ended are never made.
    thread = threading.Thread(target=build)
    thread.start()
    thread.join()
    if isinstance(found[0], Exception):
        raise found[0]
    return found[0]


def _numbers_in(group: h5py.Group, seen: set[int]) -> int:
    """How many numbers a group's data sets hold, all of them really there, and each once.

    Args:
        group: The group.
        seen: Where in the file objects are that were counted: groups may hold each other.
    """
    total = 0
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise ValueError(f"{_WEIGHTS}: {group.name}/{name} is a link to elsewhere")
        item = group[name]
        place = h5py.h5o.get_info(item.id).addr
        if place in seen:
            continue
        seen.add(place)
        if isinstance(item, h5py.Group):
            total += _numbers_in(item, seen)
            continue
        if item.is_virtual or item.external or item.id.get_storage_size() < item.nbytes:
            raise ValueError(
                f"{_WEIGHTS}: {item.name} says that it has {item.nbytes:,} bytes, and does not "
                "hold them"
            )
        total += item.size
    return total
