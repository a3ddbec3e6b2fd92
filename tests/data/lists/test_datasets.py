"""UCF101, HMDB51, Kinetics, Something-Something and Jester: from their own files to clips."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import barcode
import miniatures
import pytest
from miniatures import DATA_SETS, Miniature, write

from vdroppath_tf.data.catalog import FORMATS, ManifestError, find_format, open_manifest
from vdroppath_tf.data.clips.pipeline import ClipSampling, evaluation_clips, training_clips
from vdroppath_tf.data.lists import text_files
from vdroppath_tf.data.lists.video_tree import Lookup

each = pytest.mark.parametrize("name", DATA_SETS)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Miniature]:
    """A data set, written once. Change nothing of it."""
    done: dict[str, Miniature] = {}

    def get(name: str) -> Miniature:
        if name not in done:
            done[name] = DATA_SETS[name](tmp_path_factory.mktemp(name))
        return done[name]

    return get


@each
def test_labels_and_names(made: Callable[[str], Miniature], name: str) -> None:
    small = made(name)
    train = open_manifest(**small.train)
    assert train.labels == small.labels
    assert tuple(entry.name for entry in train) == small.names
    assert tuple(entry.label for entry in train) == small.classes
    assert train.directional == small.directional
    val = open_manifest(**small.val, labels=train.labels)
    assert val.labels == small.labels
    assert tuple(entry.label for entry in val) == small.val_classes
    assert train.digest() != val.digest()


@each
def test_the_format_is_found_out(made: Callable[[str], Miniature], name: str) -> None:
    for arguments in (made(name).train, made(name).val):
        found = find_format(arguments["source"])
        assert FORMATS[found] is FORMATS[name]
        options = {k: v for k, v in arguments.items() if k != "format"}
        labels = made(name).labels
        with_format = open_manifest(**options, format=name, labels=labels)
        assert open_manifest(**options, labels=labels) == with_format


@each
def test_clips(made: Callable[[str], Miniature], name: str) -> None:
    """The frames of every video are those that were written, under the label it has."""
    small = made(name)
    train, sampling = open_manifest(**small.train), ClipSampling(miniatures.FRAMES)
    ((clips, labels),) = evaluation_clips(train, sampling, batch_size=len(train))
    assert tuple(labels.numpy()) == small.classes
    for clip in clips.numpy():
        assert [barcode.number(frame) for frame in clip] == [0, 1, 2]
    ((clips, labels),) = training_clips(train, sampling, batch_size=len(train))
    assert sorted(labels.numpy()) == sorted(small.classes)


def test_kinetics_counts_what_was_never_downloaded(made: Callable[[str], Miniature]) -> None:
    train = open_manifest(**made("kinetics").train)
    assert train.missing == ("gone0000000_000000_000010", "gone0000001_000000_000010")
    with pytest.raises(ManifestError, match=r"train.csv:4: there is no video 'gone0000000_0000"):
        open_manifest(**made("kinetics").train, lookup=Lookup(allow_missing=False))
    elsewhere = made("kinetics").train["root"] / "val" / "riding a bike"
    with pytest.raises(ManifestError, match="none of its 4 videos is in"):
        open_manifest(made("kinetics").train["source"], root=elsewhere)


def test_missing_is_an_error_elsewhere_unless_asked(tmp_path: Path) -> None:
    small = miniatures.something_v1(tmp_path)
    (tmp_path / "frames" / "7").rename(tmp_path / "away")
    with pytest.raises(ManifestError, match=r"train.csv:1: there is no video '7'"):
        open_manifest(**small.train)
    train = open_manifest(**small.train, lookup=Lookup(allow_missing=True))
    assert (train.missing, [e.name for e in train]) == (("7",), ["34870"])
    assert train.labels == small.labels


def test_two_videos_for_one_name(tmp_path: Path) -> None:
    small = miniatures.something_v2(tmp_path)
    miniatures.folder(small.train["root"] / "78687")
    with pytest.raises(ManifestError, match=r"item 0: '78687' may be '78687' or '78687.webm'"):
        open_manifest(**small.train)


def test_hmdb51_needs_a_part(made: Callable[[str], Miniature]) -> None:
    small = made("hmdb51")
    options = {k: v for k, v in small.train.items() if k != "part"}
    with pytest.raises(ManifestError, match="Pass part='train' or part='test'"):
        open_manifest(**options)
    with pytest.raises(ManifestError, match="split is 4, expected 1, 2 or 3"):
        open_manifest(**options, part="train", split=4)
    with pytest.raises(ManifestError, match=r"holds no files '\*_test_split3.txt'"):
        open_manifest(**options, part="train", split=3)


@each
def test_other_classes_than_asked_for(made: Callable[[str], Miniature], name: str) -> None:
    with pytest.raises(ManifestError, match=r"other classes|is not among"):
        open_manifest(**made(name).train, labels=["a", "b"])


@pytest.mark.parametrize(
    ("name", "file", "text", "words"),
    [
        ("ucf101", "ucfTrainTestlist/trainlist01.txt", "YoYo/v_YoYo_g08.avi 1\n", [":1: label is 1",
            "'YoYo' is number 2"]),
        ("ucf101", "ucfTrainTestlist/trainlist01.txt", "YoYo/v_YoYo_g08.avi 3\n", [":1: label is 3",
            "expected 1 to 2"]),
        ("ucf101", "ucfTrainTestlist/trainlist01.txt", "Yo/v_x.avi 1\n", [":1: class 'Yo' is not"]),
        ("ucf101", "ucfTrainTestlist/trainlist01.txt", "YoYo/v_x.avi 2\n", [":1: there is no video "
            "'v_x'"]),
        ("ucf101", "ucfTrainTestlist/trainlist01.txt", "\n", ["lists no video"]),
        ("ucf101", "ucfTrainTestlist/classInd.txt", "0 A\n1 B\n", ["classInd.txt:1: class is 0"]),
        ("ucf101", "ucfTrainTestlist/classInd.txt", "1 A\n3 B\n", [":2: class is 3, expected 2"]),
        ("ucf101", "ucfTrainTestlist/classInd.txt", "1 A\n2 A\n", ["0 and 1 are both named 'A'"]),
        ("ucf101", "ucfTrainTestlist/classInd.txt", "1\n", ["class 0 has an empty name"]),
        ("hmdb51", "testTrainMulti_7030_splits/wave_test_split1.txt", "c_0.avi 3\n",
            ["split1.txt:1: part is 3, expected 0 to 2"]),
        ("hmdb51", "testTrainMulti_7030_splits/wave_test_split1.txt", "c_0.avi\n",
            ["split1.txt:1: has 1 of 2 fields"]),
        ("hmdb51", "testTrainMulti_7030_splits/wave_test_split1.txt", "d.avi 1\n",
            ["split1.txt:1: there is no video 'd' in 'wave'"]),
        ("kinetics", "train.csv", "youtube_id,time_start,time_end,split\n", [":1: has no column "
            "'label'", "test part"]),
        ("kinetics", "train.csv", "label,youtube_id,time_start,time_end\n", ["lists no video"]),
        ("kinetics", "train.csv", "label,youtube_id,time_start,time_end\na,b,1\n", [":2: has 3 of "
            "4 fields"]),
        ("kinetics", "train.csv", "label,youtube_id,time_start,time_end\na,b,x,2\n", [":2: time "
            "'x'"]),
        ("kinetics", "train.csv", "label,youtube_id,time_start,time_end\n../../a,b,1,2\n",
            ["none of its 1 videos is in"]),
        ("kinetics", "train.csv", 'label,youtube_id,time_start,time_end\n"a,b,1,2\n', [":2: is not "
            "CSV"]),
        ("kinetics", "train.csv", "label,youtube_id,time_start,time_end,split\na,b,1,2,train\n"
            "a,b,1,2,val\n", [":3: is of the split 'val'", ":2 is of 'train'"]),
        ("something-v1", "something-something-v1-train.csv", "7;No gesture;2\n",
            [":1: has 3 of 2"]),
        ("something-v1", "something-something-v1-train.csv", "7\n", [":1: has 1 of 2",
            "test part"]),
        ("something-v1", "something-something-v1-train.csv", "7;Yes\n", [":1: class 'Yes' is not"]),
        ("something-v1", "something-something-v1-train.csv", "7;No gesture\n7;No gesture\n",
            [":2: '7' is listed already", "train.csv:1"]),
        ("something-v1", "something-something-v1-labels.csv", "a\nb\na\n", ["both named 'a'"]),
        ("something-v1", "something-something-v1-labels.csv", "", ["names 0 classes"]),
        ("something-v2", "train.json", '[{"id": "78687"}]', ["item 0: is", "test part"]),
        ("something-v2", "train.json", '[{"id": [7], "template": "a"}]', ["item 0: is"]),
        ("something-v2", "train.json", '[{"id": "78687", "template": "Holding"}]', ["item 0: class "
            "'Holding' is not"]),
        ("something-v2", "train.json", "[", ["is not JSON"]),
        ("something-v2", "train.json", "[" * 100_000, ["is not JSON"]),
        ("something-v2", "train.json", "[]", ["lists no video"]),
        ("something-v2", "labels.json", '{"a": "1", "b": "2"}', ["numbers [1, 2]", "0 to 1"]),
        ("something-v2", "labels.json", '{"a": "x"}', ["number of 'a' 'x' is not"]),
        ("something-v2", "labels.json", "[]", ["holds a list"]),
    ],
)  # fmt: skip
def test_bad_files(tmp_path: Path, name: str, file: str, text: str, words: list[str]) -> None:
    small = DATA_SETS[name](tmp_path)
    assert (tmp_path / file).is_file()
    write(tmp_path / file, text)
    with pytest.raises(ManifestError) as caught:
        open_manifest(**small.train, format=name)
    for word in (Path(file).stem, *words):
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["ucf101", "something-v1", "something-v2"])
def test_no_class_names(tmp_path: Path, name: str) -> None:
    small = DATA_SETS[name](tmp_path)
    for file in ("classInd.txt", "something-something-v1-labels.csv", "labels.json"):
        for path in tmp_path.rglob(file):
            path.unlink()
    with pytest.raises(
        ManifestError, match=r"(classInd.txt|labels.csv|labels.json): (is m|cannot)"
    ):
        open_manifest(**small.train, format=name)


def test_a_huge_json_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = miniatures.something_v2(tmp_path)
    monkeypatch.setattr(text_files, "MAX_JSON", 20)
    with pytest.raises(ManifestError, match=r"train.json: has \d+ bytes, expected at most 20"):
        open_manifest(**small.train)


def test_unknown_files(tmp_path: Path) -> None:
    for name, text in (("a.csv", "video_id,label\n"), ("b.json", json.dumps({"a": 1}))):
        with pytest.raises(ManifestError, match="as no known data set or list does"):
            open_manifest(write(tmp_path / name, text))
    with pytest.raises(ManifestError, match="format is 'ucf'"):
        open_manifest(tmp_path / "a.csv", format="ucf")


def test_every_format_is_on_its_page() -> None:
    page = (Path(__file__).parents[3] / "docs" / "data.md").read_text()
    assert [name for name in FORMATS if f"`{name}`" not in page] == []
