"""The reader of PyTorch's old files takes arrays out of them, and runs nothing."""

from __future__ import annotations

import os
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch_file

INFO = {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}
# {"w": a 2x2 tensor with strides (1, 2) in the storage "7" of 4 float32}, as PyTorch writes it
STATE = (
    b"\x80\x02ccollections\nOrderedDict\n)R(X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n("
    b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x007X\x03\x00\x00\x00cpuK\x04NtQ"
    b"K\x00K\x02K\x02\x86K\x01K\x02\x86\x89NtRu."
)


def _write(path: Path, state: bytes = STATE, data: bytes = b"") -> Path:
    head = [pickle.dumps(each, 2) for each in (torch_file.MAGIC, torch_file.PROTOCOL, INFO)]
    data = data or struct.pack("<q4f", 4, 1, 2, 3, 4)
    path.write_bytes(b"".join([*head, state, pickle.dumps(["7"], 2), data]))
    return path


def test_tensors_come_out_as_arrays_with_their_strides(tmp_path: Path) -> None:
    found = torch_file.read_state(_write(tmp_path / "w.pth"))
    assert list(found) == ["w"]
    np.testing.assert_array_equal(found["w"], np.array([[1, 3], [2, 4]], "float32"))
    assert found["w"].flags.c_contiguous


class _Call:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("made",)


def test_nothing_in_a_file_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(pickle.UnpicklingError, match=r"mkdir is not allowed"):
        torch_file.read_state(_write(tmp_path / "w.pth", pickle.dumps({"w": _Call()}, 2)))
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("state", "data", "message"),
    [
        (STATE.replace(b"K\x02\x86\x89", b"K\x03\x86\x89"), b"", "outside of its storage"),
        (STATE.replace(b"K\x04NtQ", b"J\xff\xff\xff\x7fNtQ"), b"", "in a smaller file"),
        (STATE, struct.pack("<q3f", 4, 1, 2, 3), "storage 7 is not whole"),
    ],
)
def test_a_damaged_file_is_one_error(
    tmp_path: Path, state: bytes, data: bytes, message: str
) -> None:
    with pytest.raises(pickle.UnpicklingError, match=message):
        torch_file.read_state(_write(tmp_path / "w.pth", state, data))
