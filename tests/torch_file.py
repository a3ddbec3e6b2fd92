"""A PyTorch file's arrays, without PyTorch and without running what the file says.

For the test of real weights alone: the package reads no pickles. Of a pickle's names only the four
that a dictionary of float32 and int64 tensors needs are known here; any other is refused, so
nothing from outside is imported or called.
"""

from __future__ import annotations

import collections
import pickle
import struct
from pathlib import Path
from typing import IO, Any

import numpy as np

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
STORAGES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


def _tensor(
    storage: np.ndarray, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any
) -> np.ndarray:
    """The part of the storage that the tensor is; storages are filled after the pickle is read."""
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if min(offset, *size, *stride, 0) < 0 or not last < storage.size:
        raise pickle.UnpicklingError(f"a tensor of shape {size} outside of its storage")
    steps = [step * storage.itemsize for step in stride]
    return np.lib.stride_tricks.as_strided(storage[offset:], size, steps, writeable=False)


KNOWN = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch", "FloatStorage"): STORAGES["FloatStorage"],
    ("torch", "LongStorage"): STORAGES["LongStorage"],
}


class Arrays(pickle.Unpickler):
    """Reads dictionaries of tensors, as numpy arrays; refuses every name but four."""

    def __init__(self, file: IO[bytes], room: int = 0) -> None:
        super().__init__(file)
        self.room = room
        self.storages: dict[str, np.ndarray] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in KNOWN:
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed in a file of weights")
        return KNOWN[module, name]

    def persistent_load(self, pid: Any) -> np.ndarray:
        kind, dtype, key, _, numbers, view = pid
        if kind != "storage" or view is not None or dtype not in STORAGES.values():
            raise pickle.UnpicklingError(f"unknown kind of storage: {pid}")
        if key not in self.storages:
            if not 0 <= numbers * dtype.itemsize <= self.room:
                raise pickle.UnpicklingError(f"a storage of {numbers} numbers in a smaller file")
            self.storages[key] = np.empty(numbers, dtype)
        return self.storages[key]


def read_state(path: Path) -> dict[str, np.ndarray]:
    """Name to array, of a file that ``torch.save`` wrote before PyTorch 1.6 (not a zip yet)."""
    with open(path, "rb") as file:
        header = [Arrays(file).load() for _ in range(3)]
        if header[:2] != [MAGIC, PROTOCOL] or not header[2]["little_endian"]:
            raise pickle.UnpicklingError(f"{path}: not a PyTorch file of the old format")
        reader = Arrays(file, room=path.stat().st_size)
        state = reader.load()
        for key in Arrays(file).load():
            storage = reader.storages[key]
            (numbers,) = struct.unpack("<q", file.read(8))
            data = file.read(storage.nbytes)
            if numbers != storage.size or len(data) != storage.nbytes:
                raise pickle.UnpicklingError(f"{path}: the storage {key} is not whole")
            storage[:] = np.frombuffer(data, storage.dtype)
    return {name: np.ascontiguousarray(value) for name, value in state.items()}
