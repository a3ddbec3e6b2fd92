"""Names of classes go into files, a line each, and to terminals: what they must not hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from vdroppath_tf.data import Manifest, ManifestError, open_manifest
from vdroppath_tf.training import model_files

CONTROL = [
    "\n",
    "\r",
    "\t",
    "\v",
    "\f",
    "\x00",
    "\x1b[31m",
    "\x7f",
    "\x85",
    "\x9b",
    "\u2028",
    "\u2029",
]


@pytest.mark.parametrize("control", CONTROL, ids=repr)
def test_control_characters_are_refused(control: str, tmp_path: Path) -> None:
    """At once, not by the commands that read what the first one wrote."""
    with pytest.raises(ManifestError, match=r"class 1.* holds a control character"):
        Manifest((), ("run", f"wal{control}k"), "list.txt")
    if control == "\x00":
        return
    for name in ("run", f"wal{control}k"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.mp4").touch()
    with pytest.raises(ManifestError, match="holds a control character") as error:
        open_manifest(tmp_path, format="folders-of-videos")
    assert control not in str(error.value)


@pytest.mark.parametrize(
    "name", ["caf\u00e9", "\u8d70\u308b", "a b", "\u200d", "\U0001f3c3", "a\u00a0b"]
)
def test_any_script_is_fine(name: str) -> None:
    assert Manifest((), ("run", name), "list.txt").labels == ("run", name)


@pytest.mark.parametrize("text", ["a\nb\n", "a\nb", "a\r\nb\r\n"])
def test_labels_are_lines(text: str, tmp_path: Path) -> None:
    """Lines that end in a newline; of a file from before, a name with another separator is one."""
    file = tmp_path / "labels.txt"
    file.write_bytes(text.encode())
    assert model_files.read_labels(file) == ("a", "b")
    file.write_bytes("a\u2028b\nc\x85d\n".encode())
    assert model_files.read_labels(file) == ("a\u2028b", "c\x85d")
    file.write_bytes(b"")
    assert model_files.read_labels(file) == ()
