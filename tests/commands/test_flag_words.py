"""Errors on the command line name flags, not the arguments of Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vdroppath_tf.cli import flags_of, main
from vdroppath_tf.commands.flag_words import in_flags

# what the library says, and below it what the command line says; one line where it stays as it is
MESSAGES = """
a is there already. Pass overwrite=True, or b.
a is there already. Pass --overwrite, or b.

none of 3 (the first: 'a'). Check root= (--data_root).
none of 3 (the first: 'a'). Check --data_root.

pass as root= the folder
pass as --data_root the folder

pass Lookup(allow_missing=True) (--allow_missing) to
pass --allow_missing to

with --allow_links_to=DIR (Lookup(allow_links_to=[...])), here
with --allow_links_to=DIR, here

Set flip=False (--noflip), or flip_directional=True (--flip_directional) if
Set --noflip, or --flip_directional if

Set flip=False or flip=True.
Set --noflip or --flip.

pass label_base=1 (--label_base=1); if label_base=1.
pass --label_base=1; if --label_base=1.

Say it with Manifest.at_rate (--source_fps), or leave out fps (--fps).
Say it with --source_fps, or leave out --fps.

lists of x are format='path-label', and
lists of x are --format=path-label, and

Pass format=, one of a, b.
Pass --format, one of a, b.

batch_size 25 exceeds the 24 videos; max_bad_fraction=0.05 allows fewer.
--batch_size 25 exceeds the 24 videos; --max_bad_fraction=0.05 allows fewer.

cannot do ClipSampling(fps=5): leave it out
cannot do --fps=5: leave it out

Pass split= (--split for --data, --validation_split for --validation), one of 1
Pass --split for --data, --validation_split for --validation, one of 1

another network, with stem=Stem(filters=16, stride=(1, 4, 4), fps=5), stride=(2, 1), stride=2.
another network, with stem=Stem(filters=16, stride=(1, 4, 4), fps=5), stride=(2, 1), --stride=2.

with short_edge= and crop=: pass both
with --short_edge and --crop: pass both

next to the list (--data).

Take it away, or set template (--frame_template).
Take it away, or set --frame_template.

pass --columns with class_name in place of label (Layout(columns=...)), or
pass --columns with class_name in place of label, or

with --separator (format=Layout(columns=..., separator=...)), or --columns=a,b (format=Layout(a=1)).
with --separator, or --columns=a,b.

such as --encoding=cp1252 (format=Layout(encoding='cp1252')).
such as --encoding=cp1252.

/my first_frame videos/a.txt:2: first_frame is 3, but /my first_frame videos/b, first_frame 4
/my first_frame videos/a.txt:2: --first_frame is 3, but /my first_frame videos/b, --first_frame 4

my first_frame videos/a.txt: the list's first_frame is not that of 'my first_frame videos'
my first_frame videos/a.txt: the list's --first_frame is not that of 'my first_frame videos'

leaves the root /data/my first_frame videos through a link, to /data/batch_size b. Set batch_size.
leaves the root /data/my first_frame videos through a link, to /data/batch_size b. Set --batch_size.

/data/split=1/batch_size/a.mp4 and 'batch_size'

pass num_train_examples=, or data

the flip of frames in a crop; batch_size.json

Pass --batch_size, --flip or --format=list.
"""


@pytest.mark.parametrize("pair", MESSAGES.strip().split("\n\n"))
def test_messages(pair: str) -> None:
    text, *translated = pair.split("\n")
    expected = translated[0] if translated else text
    values = flags_of("train")
    values.mark_as_parsed()
    if "overwrite" in text:
        values = flags_of("export")
        values.mark_as_parsed()
    assert in_flags(text, values) == expected
    assert in_flags(expected, values) == expected


def test_classes_by_number_are_no_flag_of_catalog() -> None:
    """Its flag that shows all classes is not called as the argument that names them."""
    values = flags_of("catalog")
    values.mark_as_parsed()
    text = "pass the names of all classes as labels=, or in a labels.txt next to the list"
    assert in_flags(text, values) == text


def test_the_command_line_says_it_in_flags(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "list.txt").write_text("a.mp4 4 0\n")
    assert main(["catalog", f"--data={tmp_path}/list.txt"]) == 1
    said = capsys.readouterr().err
    assert "--data_root" in said
    assert "root=" not in said.replace("--data_root=", "")


def test_a_word_that_nobody_reads_is_cut(call: Any) -> None:
    """It took minutes to look through for arguments, too."""
    done = call("catalog", f"--data={'x' * 30_000}")
    assert done.code == 1
    assert len(done.error) < 1000
    done = call("catalog", f"--data={'x' * 100_000}")
    assert done.code == 2
    assert "--data is too long. Expected at most 32,768 characters" in done.error
    done = call("catalog", "--data=a\0b")
    assert "--data holds a zero byte" in done.error


def test_a_whole_number_that_no_float_holds(call: Any) -> None:
    done = call("predict", "--model=x", f"--top={10**30}", "a.mp4")
    assert done.code == 2
    assert "--top=1000000000000000000000000000000: expected a whole number up to" in done.error


def test_help_says_in_our_words_what_may_be_repeated(call: Any) -> None:
    shown = call("evaluate", "--help").out
    assert "repeat this option" not in shown
    assert "a strategy to score, e.g. 'S ST ...'; may be repeated" in shown
