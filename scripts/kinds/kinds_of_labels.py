"""Kinds of lists whose classes, numbers of frames or paths have the forms that users write."""

from __future__ import annotations

import json

from list_case import Case, Read, read, refused

from vdroppath_tf.data import Layout

TWO: Read = (("a.mp4", "1"), ("b.mp4", "0"))
FILES = ("a.mp4", "b.mp4")
DEEP: Read = (("train/x/a.mp4", "0"), ("train/y/b c.mp4", "1"))
NAMED: Read = (("a.mp4", "x"), ("b.mp4", "y"))
WINDOWS = "train\\x\\a.mp4{0}0\r\ntrain\\y\\b c.mp4{0}1\r\n"


def objects(*rows: dict[str, object]) -> str:
    """Returns lines of JSON, one for each object."""
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def columns(*names: str) -> dict[str, Layout]:
    """Returns the option of `open_manifest` that names the columns."""
    return {"format": Layout(columns=names)}


KINDS = (
    *(
        read(
            f"a column for each class, {what}",
            "classes in the order of the columns",
            Case(text, found, name="list.csv", notes=("are classes: 3, in their order", *notes)),
        )
        for what, text, found, notes in (
            (
                "several in some lines",
                "path,run,jump,swim\na.mp4,1,1,0\nb.mp4,0,1,0\n",
                (("a.mp4", "run,jump"), ("b.mp4", "jump")),
                ("several classes",),
            ),
            (
                "none in some lines, an index and numbers of frames",
                ";file;frames;z;b;a\n0;a.mp4;12;0.0;0.0;0.0\n1;b.mp4;9;1.0;0.0;1.0\n",
                (("a.mp4", ""), ("b.mp4", "z,a")),
                ("several classes",),
            ),
            (
                "one in each line",
                "video\tleap\trun\twalk\na.mp4\tFalse\tTrue\tFalse\nb.mp4\tTrue\tFalse\tFalse\n",
                (("a.mp4", "run"), ("b.mp4", "leap")),
                (),
            ),
        )
    ),
    refused(
        "a column for each class, one of them odd",
        "no known data set or list",
        Case("path,run,jump\na.mp4,1,0\nb.mp4,2,1\n", files=FILES),
    ),
    # The Hugging Face Hub's layout.
    read(
        "metadata.csv",
        "read",
        Case("file_name,label\na.mp4,1\nb.mp4,0\n", TWO, name="metadata.csv"),
    ),
    *(
        read(
            f"JSON lines, {path} and {label} in {name}",
            "read",
            Case(
                objects({path: "a.mp4", "text": "?", label: "x"}, {label: "y", path: "b.mp4"}),
                NAMED,
                name=name,
            ),
        )
        for path, label in (("file_name", "label"), ("video", "class"), ("path", "action"))
        for name in ("metadata.jsonl", "list.json", "list.txt")
    ),
    read(
        "JSON lines with numbers",
        "read",
        Case(objects({"file_name": "a.mp4", "label": 1}, {"file_name": "b.mp4", "label": 0}), TWO),
    ),
    read(
        "a JSON list of objects",
        "read",
        Case(
            json.dumps([{"file_name": "a.mp4", "label": 1}, {"file_name": "b.mp4", "label": 0}]),
            TWO,
            name="list.json",
        ),
    ),
    # Numbers.
    *(
        read(
            f"number of frames {count}",
            "unknown, with a note",
            Case(f"a.mp4 {count} 1\nb.mp4 7 0\n", TWO, notes=("unknown (1)",)),
        )
        for count in ("0", "-1", "-1.0")
    ),
    read(
        "numbers of frames all 0",
        "unknown, with a note",
        Case("a.mp4 0 1\nb.mp4 0 0\n", TWO, notes=("unknown (2)",)),
    ),
    refused(
        "number of frames -2", "num_frames is -2", Case("a.mp4 -2 1\nb.mp4 7 0\n", files=FILES)
    ),
    *(
        read(
            f"labels are 1{text}, between: {between!r}",
            "whole numbers, with a note",
            Case(f"a.mp4{between}1{text}\nb.mp4{between}0{text}\n", TWO, notes=("are whole",)),
        )
        for text in (".0", ".", ".000")
        for between in (" ", ",")
    ),
    refused(
        "labels are fractions", "label '0.5' is not", Case("a.mp4 0.5\nb.mp4 1\n", files=FILES)
    ),
    refused("decimal commas", "class_number.*labels", Case("a.mp4;1,0\nb.mp4;0,0\n", files=FILES)),
    refused("labels count from 1", "--label_base=1", Case("a.mp4,1\nb.mp4,2\n", files=FILES)),
    read(
        "labels count from 1, with label_base",
        "read",
        Case("a.mp4,2\nb.mp4,1\n", TWO, options={"label_base": 1}),
    ),
    refused("no label", "are paths without a class", Case("a.mp4\nb.mp4\n", files=FILES)),
    refused(
        "a label that is empty",
        r"txt:2: has no label",
        Case("path,label\na.mp4,\nb.mp4,x\n", files=FILES),
    ),
    refused("unlabelled, -1", "label is -1", Case("a.mp4 -1\nb.mp4 -1\n", files=FILES)),
    refused("numbers among names", "'3' is.*class_name", Case("a.mp4 x\nb.mp4 3\n", files=FILES)),
    read(
        "numbers among names, with columns",
        "read",
        Case(
            "a.mp4 x\nb.mp4 3\n",
            (("a.mp4", "x"), ("b.mp4", "3")),
            options=columns("path", "class_name"),
        ),
    ),
    refused(
        "names that differ in case",
        "differs from 'Run'",
        Case("a.mp4 Run\nb.mp4 run\n", files=FILES),
    ),
    refused(
        "names that differ in a leading underscore",
        "txt:2: class '_run' differs from 'run' of .*txt:1",
        Case("a.mp4 run\nb.mp4 _run\n", files=FILES),
    ),
    refused(
        "numbers that are names of other classes",
        "name of class 0, or the number of the class '2'.*class_name",
        Case("a.mp4 1\nb.mp4 2\n", files=FILES, options={"labels": ("1", "2", "3")}),
    ),
    read(
        "numbers in numeric order",
        "0, 1, 2, ..., 10",
        Case(
            "a.mp4 10\nb.mp4 9\n",
            (("a.mp4", "10"), ("b.mp4", "9")),
            options=columns("path", "class_name"),
        ),
    ),
    # Several classes.
    *(
        read(
            f"several classes: {text!r}",
            "each is read",
            Case(text, (("a.mp4", "3,17"), ("b.mp4", "0"))),
        )
        for text in (
            "a.mp4 3,17\nb.mp4 0\n",
            "a.mp4,3;17\nb.mp4,0\n",
            'a.mp4,"3,17"\nb.mp4,0\n',
            "a.mp4\t3|17\nb.mp4\t0\n",
            "a.mp4 3 17\nb.mp4 0\n",
            "a.mp4 10 3,17\nb.mp4 12 0\n",
            objects({"path": "a.mp4", "labels": [3, 17]}, {"path": "b.mp4", "labels": [0]}),
        )
    ),
    *(
        read(
            f"several classes by name: {text!r}",
            "each is read",
            Case(text, (("a.mp4", "x,y"), ("b.mp4", "y")), options=options),
        )
        for text, options in (
            ("path,labels\na.mp4,x;y\nb.mp4,y\n", {}),
            ("a.mp4,x;y\nb.mp4,y\n", columns("path", "labels")),
            ('a.mp4,"x,y"\nb.mp4,y\n', columns("path", "labels")),
            (
                objects({"path": "a.mp4", "label": ["x", "y"]}, {"path": "b.mp4", "label": ["y"]}),
                {},
            ),
        )
    ),
    *(
        refused(f"one class or several: {text!r}", "class_name.*labels", Case(text, files=FILES))
        for text in (
            "a.mp4,x;y\nb.mp4,y\n",
            "path,label\na.mp4,x|y\nb.mp4,y\n",
            'path,tags\na.mp4,"x,y"\nb.mp4,y\n',
        )
    ),
    # Two readings.
    refused(
        "path label num_frames, or path num_frames label",
        "--columns=path,num_frames,label.*--columns=path,label,num_frames",
        Case("a.mp4 0 120\nb.mp4 1 97\nc.mp4 0 88\n", files=(*FILES, "c.mp4")),
    ),
    read(
        "path label num_frames, with columns",
        "read",
        Case("a.mp4 1 120\nb.mp4 0 97\n", TWO, options=columns("path", "label", "num_frames")),
    ),
    refused(
        "a line without its number of frames",
        "--columns=path,num_frames,label",
        Case("a.mp4 9 1\nb.mp4 0\nc.mp4 7 0\n", files=(*FILES, "c.mp4")),
    ),
    refused(
        "a line without its label",
        r"txt:2: has 1 of 2 fields",
        Case("a.mp4 1\nb.mp4\nc.mp4 0\n", files=(*FILES, "c.mp4")),
    ),
    refused(
        "start and end in frames or seconds",
        "end_frame.*end_second",
        Case("a.mp4 0 5 1\nb.mp4 1 6 0\n", files=FILES),
    ),
    read(
        "folders with numbers for names",
        "read",
        Case(
            "1 24 2\n2 3 0\n3 24 0\n",
            (("1", "2"), ("2", "0"), ("3", "0")),
            ("1/", "2/", "3/", "24/"),
        ),
    ),
    read(
        "a class folder that is named like the label",
        "read",
        Case("x x/a.mp4\ny y/b.mp4\n", (("x/a.mp4", "x"), ("y/b.mp4", "y"))),
    ),
    # Paths.
    *(
        read(
            f"backslashes, between: {between!r}",
            "slashes, with a note",
            Case(WINDOWS.format(between), DEEP, notes=("slashes (2)",)),
        )
        for between in (" ", "\t", ",")
    ),
    *(
        read(
            f"paths as {name}, between: {between!r}",
            "read",
            Case(f"{one}{between}0\n{two}{between}1\n", DEEP),
        )
        for name, one, two in (
            ("./path", "./train/x/a.mp4", "./train/y/b c.mp4"),
            ("/path from the root", "/train/x/a.mp4", "/train/y/b c.mp4"),
            ("path without suffix", "train/x/a", "train/y/b c"),
            ("path//path", "train//x/a.mp4", "train/y//b c.mp4"),
        )
        for between in (" ", ",")
    ),
    refused(
        "paths elsewhere", r"leaves the root.*--data_root", Case("/else/a.mp4 0\n/else/b c.mp4 1\n")
    ),
    refused(
        "paths above the root",
        r"leaves the root.*--data_root",
        Case("../../a.mp4 0\n../../b c.mp4 1\n"),
    ),
)
