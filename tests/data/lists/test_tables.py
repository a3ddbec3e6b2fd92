"""Lists of any layout: what is certain is read, what is not is refused; see `scripts/kinds` too."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from absl import flags
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vdroppath_tf.cli import COMMANDS, main
from vdroppath_tf.commands.sources import open_source
from vdroppath_tf.data import Layout, Lookup, ManifestError, open_manifest
from vdroppath_tf.data.catalog import find_format
from vdroppath_tf.data.lists.tables.layout import COLUMNS, SEPARATORS
from vdroppath_tf.data.sources.segment import Segment


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("a.mp4", "b c.mp4", "s/d.avi"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def write(root: Path, text: str, name: str = "list.txt") -> Path:
    (root / name).write_text(text)
    return root / name


def read(root: Path, text: str, **options: Any) -> list[tuple[str, int, int | None]]:
    manifest = open_manifest(write(root, text), **options)
    return [(entry.name, entry.label, entry.num_frames) for entry in manifest]


class TestLayout:
    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"columns": ("path", "lable")}, "Unknown column. Did you mean 'label'"),
            ({"columns": ("path", "path", "label")}, "hold 'path' twice"),
            ({"columns": ("path", "num_frames")}, "lack label or class_name or"),
            ({"columns": ("label", "-", "-")}, "lack path"),
            ({"columns": "path,label"}, "columns must be several names"),
            (
                {"columns": ("path", "start_frame", "end_frame", "segment_frames", "label")},
                "hold two ends of a segment",
            ),
            ({"separator": ";"}, "Unknown separator.*'semicolon'"),
            ({"encoding": "latin-111"}, "unknown encoding: latin-111"),
        ],
    )
    def test_bad(self, options: dict[str, Any], words: str) -> None:
        with pytest.raises(ManifestError, match=words):
            Layout(**options)

    def test_makes_the_choice(self, root: Path) -> None:
        text = "a.mp4 0 120\nb c.mp4 1 97\n"
        with pytest.raises(ManifestError, match="two ways"):
            read(root, text)
        for columns, expected in (
            (("path", "num_frames", "class_number"), [("a.mp4", 120, None), ("b c.mp4", 97, 1)]),
            (("path", "label", "num_frames"), [("a.mp4", 0, 120), ("b c.mp4", 1, 97)]),
            (("path", "label", "-"), [("a.mp4", 0, None), ("b c.mp4", 1, None)]),
        ):
            assert read(root, text, format=Layout(columns=columns)) == expected

    def test_a_separator_that_is_not_there(self, root: Path) -> None:
        with pytest.raises(ManifestError, match="as no known data set or list does"):
            read(root, "a.mp4 0\n", format=Layout(separator="tab"))

    def test_a_line_without_all_columns(self, root: Path) -> None:
        layout = Layout(columns=("path", "num_frames", "label"))
        with pytest.raises(
            ManifestError, match=r"list.txt:2: has 2 of 3 fields .*num_frames,label"
        ):
            read(root, "a.mp4 120 1\ns/d.avi 97\n", format=layout)

    def test_a_header_in_other_words(self, root: Path) -> None:
        text = "datei,klasse\na.mp4,1\nb c.mp4,0\n"
        layout = Layout(columns=("path", "label"))
        assert read(root, text, format=layout) == [("a.mp4", 1, None), ("b c.mp4", 0, None)]


class TestRead:
    def test_the_format_is_table(self, root: Path) -> None:
        assert find_format(write(root, "a.mp4 3\n")) == "table"

    def test_beyond_the_first_lines(self, tmp_path: Path) -> None:
        """What the first thousand lines did not show is refused by its line."""
        names = [f"{k}.mp4" for k in range(1500)]
        for name in names:
            (tmp_path / name).touch()
        lines = [f"{name},{k % 7}" for k, name in enumerate(names)]
        assert len(read(tmp_path, "\n".join(lines))) == 1500
        for wrong, words in (
            ("1400.mp4,x", "txt:1401: label 'x' is not a whole number"),
            ("1400.mp4", "txt:1401: has 1 of 2 fields"),
            ("1400.mp4,1,2", "txt:1401: has 3 of 2 fields"),
            ("1400.mp4,1;2", "txt:1401: label '1;2' is not a whole number"),
            ("gone.mp4,1", "txt:1401: there is no file 'gone.mp4'"),
        ):
            with pytest.raises(ManifestError, match=words):
                read(tmp_path, "\n".join([*lines[:1400], wrong, *lines[1401:]]))
        lines = [f"{name},class {k % 7}" for k, name in enumerate(names)]
        with pytest.raises(ManifestError, match="txt:1401: label 'x;y' may be one class, or sev"):
            read(tmp_path, "\n".join([*lines[:1400], "1400.mp4,x;y", *lines[1401:]]))

    def test_missing_videos(self, root: Path) -> None:
        manifest = open_manifest(
            write(root, "gone.mp4,2\na.mp4,0\n"), lookup=Lookup(allow_missing=True)
        )
        assert (len(manifest), manifest.num_classes, manifest.missing) == (1, 3, ("gone.mp4",))

    def test_classes_of_another_list(self, root: Path) -> None:
        names = ("jump", "riding a bike", "run")
        text = "a.mp4,Riding_a_bike\nb c.mp4,run\ns/d.avi,Jump\n"
        assert [label for _, label, _ in read(root, text, labels=names)] == [1, 2, 0]
        with pytest.raises(ManifestError, match=r"txt:1: class 'swim' is not among the 3 classes"):
            read(root, "a.mp4,swim\n", labels=names)

    def test_class_numbers_and_names(self, root: Path) -> None:
        text = "path,label,name\na.mp4,3,x\nb c.mp4,1,y\ns/d.avi,1,{}\n"
        text = text.replace("name", "class_name")
        manifest = open_manifest(write(root, text.format("y")), label_base=0)
        assert manifest.labels == ("0", "y", "2", "x")
        own = ("k", "y", "p", "x")
        assert open_manifest(root / "list.txt", labels=own, label_base=0).labels == own
        with pytest.raises(ManifestError, match=r"txt:4: class 1 has the name 'z', but 'y'"):
            read(root, text.format("z"), label_base=0)
        with pytest.raises(
            ManifestError, match=r"txt:2: class 3 has the name 'x', but 'q' elsewhere"
        ):
            read(root, text.format("y"), labels=("k", "y", "p", "q"))

    def test_numbers_that_are_names(self, root: Path) -> None:
        """As no class has the number 5 or 7 here."""
        text = "a.mp4,7\nb c.mp4,5\n"
        assert read(root, text, labels=("5", "7")) == [("a.mp4", 1, None), ("b c.mp4", 0, None)]

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("a.mp4,1.5\nb c.mp4,2.5\n", r"txt:1: label '1\.5' is not a whole number. Exp"),
            ("\n", r"list\.txt: lists no video"),
            ("# a comment\n", r"list\.txt: lists no video"),
            ('{"path": "a.mp4", "label": "x"}\nb c.mp4,y\n', r"txt:2: is not a JSON object"),
            ("k.mp4 0 30 1\nl.mp4 0 25 1\n", r"txt:1: there is no file 'k\.mp4'"),
            ("gone.h5/x 1\ngone.h5/y 0\n", r"txt:1: there is no file 'gone\.h5'"),
            ("path,run,sit\n" + "a.mp4,0,1\n" * 1001 + "a.mp4,0\n",
                r"txt:1003: has 2 of 3 columns"),
            ("path,run,sit\n" + "a.mp4,0,1\n" * 1001 + "a.mp4,0,2\n",
                r"txt:1003: has '2' in the column of the class 'sit'"),
        ],
    )  # fmt: skip
    def test_refused(self, root: Path, text: str, words: str) -> None:
        with pytest.raises(ManifestError, match=words):
            read(root, text, format="table")

    def test_names_have_no_first_number(self, root: Path) -> None:
        with pytest.raises(ManifestError, match=r"classes are names, such as 'x', .* label_base="):
            read(root, "a.mp4,x\nb c.mp4,y\n", label_base=1)

    def test_columns_of_objects(self, root: Path) -> None:
        """Their fields have other names, and a comment above names nothing."""
        text = '# mine\n{"datei": "a.mp4", "klasse": "x", "n": 3}\n'
        layout = Layout(columns=("path", "label", "-"))
        assert read(root, text, format=layout) == [("a.mp4", 0, None)]

    def test_the_column_named_label(self, root: Path) -> None:
        text = "path,label,category,action\na.mp4,x,p,1\nb c.mp4,y,q,1\n"
        assert read(root, text) == [("a.mp4", 0, None), ("b c.mp4", 1, None)]

    def test_a_class_and_none(self, root: Path) -> None:
        rows = [{"path": "a.mp4", "label": ["x"]}, {"path": "a.mp4", "label": []}]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        with pytest.raises(ManifestError, match=r"txt:2: 'a\.mp4' .* 'none' .* 'x'"):
            read(root, text)

    def test_several_classes(self, root: Path) -> None:
        manifest = open_manifest(write(root, "a.mp4 3,1\nb c.mp4 0\n"))
        assert manifest.multi_label
        assert any("several classes" in note for note in manifest.notes)
        assert [entry.labels for entry in manifest] == [(1, 3), (0,)]
        text = "".join(
            json.dumps({"path": path, "label": labels}) + "\n"
            for path, labels in (("a.mp4", ["x", "y"]), ("b c.mp4", []), ("s/d.avi", ["y"]))
        )
        manifest = open_manifest(write(root, text))
        assert [entry.labels for entry in manifest] == [(0, 1), (), (1,)]

    def test_segments(self, root: Path) -> None:
        text = "video,start,end,label\na.mp4,0.5,2,x\na.mp4,2,3.5,y\n"
        found = open_manifest(write(root, text)).entries
        spans = [e.source.span[:2] for e in found if isinstance(e.source, Segment)]
        assert spans == [(0.5, 2), (2, 3.5)]
        with pytest.raises(ManifestError, match=r"txt:2: .*from 'x' to '2', is neither"):
            read(root, text.replace("0.5", "x"))

    def test_a_column_of_splits(self, root: Path) -> None:
        path = write(root, "path,label,split\na.mp4,0,train\nb c.mp4,1,val\ns/d.avi,1,train\n")
        with pytest.raises(ManifestError, match=r"--split"):
            open_manifest(path)
        assert [e.name for e in open_manifest(path, split="train")] == ["a.mp4", "s/d.avi"]
        assert [e.name for e in open_manifest(path, split="validation")] == ["b c.mp4"]

    def test_members_of_a_file(self, tmp_path: Path) -> None:
        with h5py.File(tmp_path / "f.h5", "w") as file:
            for name in ("run 1", "run 2"):
                file[name] = np.zeros((2, 8, 8, 3), np.uint8)
        for text, frames in (
            ("f.h5/run 1 2 1\nf.h5/run 2 2 0\n", 2),
            ("f.h5/run 1 1\nf.h5/run 2 0\n", None),
        ):
            expected = [("f.h5/run 1", 1, frames), ("f.h5/run 2", 0, frames)]
            assert read(tmp_path, text) == expected

    def test_folders_with_metadata(self, root: Path) -> None:
        write(root, "file_name,label\na.mp4,x\nb c.mp4,y\ns/d.avi,x\n", "metadata.csv")
        manifest = open_manifest(root)
        assert [(e.name, e.label) for e in manifest] == [
            ("a.mp4", 0),
            ("b c.mp4", 1),
            ("s/d.avi", 0),
        ]
        (root / "t").mkdir()
        with pytest.raises(ManifestError, match=r"has metadata.csv, and the folders s, t"):
            open_manifest(root)
        assert len(open_manifest(root, format="table")) == 3

    @pytest.mark.parametrize("what", ["root", "link", "videos"])
    def test_absolute_paths(
        self, root: Path, what: str, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        """Also where the root, or the list, goes through a link."""
        home = tmp_path_factory.mktemp("lists")
        (home / "link").symlink_to(root)
        start = home / "link" if what == "link" else root
        path = write(home, f"{start}/a.mp4,1\n{start}/s/d.avi,0\n")
        found = open_manifest(path, root=root if what == "root" else home / "link")
        assert [entry.name for entry in found] == ["a.mp4", "s/d.avi"]
        with pytest.raises(ManifestError, match=r"leaves the root .*--(data_root|allow_links_to)"):
            open_manifest(path)

    def test_paths_from_the_list_on(self, root: Path) -> None:
        (root / "lists").mkdir()
        path = write(root / "lists", "../a.mp4,1\n../s/d.avi,0\n")
        assert [entry.name for entry in open_manifest(path, root=root)] == ["a.mp4", "s/d.avi"]
        for text in ("../a.mp4,1\n../../etc/passwd,0\n", "../a.mp4,1\n../s/../../x,0\n"):
            with pytest.raises(ManifestError, match=r"txt:2: .* leaves the root"):
                open_manifest(write(root / "lists", text), root=root)

    @settings(
        max_examples=150,
        derandomize=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(data=st.data())
    def test_never_anything_else(self, tmp_path: Path, data: st.DataObject) -> None:
        """Whatever names are: a list is read for what was written, or refused."""
        letters = st.sampled_from("ab1 ,;|'\"._-é")
        texts = st.text(letters, min_size=1, max_size=8).filter(
            lambda text: text.strip(" ,;|#\t'\".") == text
        )
        names = data.draw(st.lists(texts, min_size=1, max_size=5, unique=True))
        classes = data.draw(
            st.lists(texts | st.sampled_from("0123"), min_size=len(names), max_size=len(names))
        )
        between = data.draw(st.sampled_from(sorted(SEPARATORS)))
        counts = data.draw(st.none() | st.integers(1, 300))
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        for name in names:
            (folder / f"{name}.mp4").touch()
        rows = [
            (f"{name}.mp4", *(() if counts is None else (str(counts + k),)), label)
            for k, (name, label) in enumerate(zip(names, classes, strict=True))
        ]
        text = io.StringIO()
        parted = any(SEPARATORS[between] in label for label in classes)
        if parted or data.draw(st.booleans()):
            csv.writer(text, delimiter=SEPARATORS[between]).writerows(rows)
        else:
            text.write("".join(SEPARATORS[between].join(row) + "\n" for row in rows))
        try:
            manifest = open_manifest(write(folder, text.getvalue(), "list of videos.lst"))
        except ManifestError:
            return
        found = [(entry.name, manifest.labels[entry.label]) for entry in manifest]
        wanted = [(row[0], row[-1]) for row in rows]
        numbers = [
            (name, str(int(label)) if label.isdecimal() else label) for name, label in wanted
        ]
        assert found in (wanted, numbers), text.getvalue()


class TestFlags:
    def test_columns_and_separator(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = write(root, "a.mp4 0 120\nb c.mp4 1 97\n")
        assert main(["catalog", f"--data={path}"]) == 1
        error = capsys.readouterr().err
        assert "--columns=path,label,num_frames" in error
        more = ["--columns=path,label,num_frames", "--separator=space"]
        assert main(["catalog", f"--data={path}", *more]) == 0
        out = capsys.readouterr().out
        assert "note: columns: path,label,num_frames, separated by spaces" in out
        assert "format: table (" in out
        assert main(["catalog", f"--data={path}", "--columns=path", "--format=list"]) == 1
        assert "--format is list. Leave it out" in capsys.readouterr().err
        assert main(["catalog", f"--data={path}", "--columns=path,lable"]) == 1
        assert "Did you mean 'label'" in capsys.readouterr().err

    def test_encoding(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (root / "à.mp4").touch()
        (root / "list.txt").write_bytes("à.mp4,0\na.mp4,1\n".encode("cp1252"))
        assert main(["catalog", f"--data={root}/list.txt"]) == 1
        assert "--encoding=cp1252" in capsys.readouterr().err
        assert main(["catalog", f"--data={root}/list.txt", "--encoding=cp1252"]) == 0

    def test_a_file_of_classes_beside(self, root: Path) -> None:
        write(root, "walk\nrun\n", "labels.txt")
        values = flags.FlagValues()
        COMMANDS["catalog"].define(values)
        values["data"].value = str(write(root, "a.mp4,run\nb c.mp4,walk\n"))
        values.mark_as_parsed()
        videos = open_source(values, "data", part="train")
        assert [entry.label for entry in videos] == [1, 0]


def test_every_column_is_explained() -> None:
    assert all(text for text in COLUMNS.values())
