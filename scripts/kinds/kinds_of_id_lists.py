"""Kinds of lists of ids and classes, whose classes are in a list of classes next to them."""

from __future__ import annotations

from list_case import Case, read, refused

IDS = "1;Up\n2;Down\n"
FRAMES = ("1/", "2/")
OF_IDS = (("1", "Up"), ("2", "Down"))

KINDS = (
    read(
        "id;class, not an official name, classes next to it",
        "classes of the list of classes next to it",
        Case(
            IDS,
            OF_IDS,
            FRAMES,
            {"labels.csv": "Still\nUp\nDown\n"},
            name="mine.csv",
            notes=("classes are those of labels.csv",),
            directional=True,
        ),
    ),
    read(
        "id;class, not an official name, official classes next to it",
        "classes of the list of classes next to it",
        Case(
            IDS,
            OF_IDS,
            FRAMES,
            {"jester-v1-labels.csv": "Still\nUp\nDown\n"},
            name="jester-small.csv",
            directional=True,
        ),
    ),
    refused(
        "id;class, not an official name, no classes",
        r"labels\.csv: is missing.*labels=",
        Case(IDS, files=FRAMES, name="mine.csv"),
    ),
    refused(
        "id;class, not an official name, two lists of classes",
        r"a-labels\.csv or b_labels\.csv.*Expected one",
        Case(
            IDS,
            files=FRAMES,
            others={"a-labels.csv": "Up\nDown\n", "b_labels.csv": "Down\nUp\n"},
            name="mine.csv",
        ),
    ),
    refused(
        "id;class, itself named labels.csv",
        r"labels-labels\.csv: is missing",
        Case(IDS, files=FRAMES, name="labels.csv"),
    ),
)
