"""Kinds of lists that are ambiguous and must be refused, or that only seem to be."""

from __future__ import annotations

from kinds_of_labels import FILES, TWO, columns, objects
from list_case import Case, read, refused

from vdroppath_tf.data import Lookup

KINDS = (
    *(
        refused(
            f"number {number} among {others}, {what}",
            f"'{number}' may be {number[:-4]} or {number[:-4]}000",
            Case(text.replace("N", number).replace("M", others), files=FILES),
        )
        for number, others in (("1,000", "900"), ("2.000", "900"), ("12.000", "7"))
        for what, text in (
            ("frames", "a.mp4\tM\t0\nb.mp4\tN\t1\n"),
            ("frames, with a header", "path\tnum_frames\tlabel\na.mp4\tM\t0\nb.mp4\tN\t1\n"),
            ("labels", "path\tclass_id\na.mp4\tM\nb.mp4\tN\n"),
        )
        if number != "1,000" or "header" in what  # otherwise it may also be two classes
    ),
    read(
        "numbers of frames 1200.000 and 900.000",
        "1200 and 900",
        Case("a.mp4\t1200.000\t1\nb.mp4\t900.000\t0\n", TWO),
    ),
    refused(
        "start_frame 1.000",
        "may be 1 or 1000",
        Case("path,start_frame,end_frame,label\na.mp4,900,1.000,0\n", files=FILES),
    ),
    read(
        "numbers of frames 120.000 and 0.000",
        "120, and unknown",
        Case("a.mp4\t12.000\t1\nb.mp4\t0.000\t0\n", TWO, notes=("unknown (1)",)),
    ),
    *(
        refused(
            f"several classes by name, commas among other separators: {text!r}",
            r"'x,y' may be one class, or several.*labels=",
            Case(text, files=(*FILES, "c.mp4")),
        )
        for text in (
            'path,labels\na.mp4,"x,y"\nb.mp4,z\nc.mp4,z;w\n',
            'path,labels\na.mp4,z|w\nb.mp4,"x,y"\nc.mp4,z\n',
            objects(
                {"path": "a.mp4", "labels": "z;w"},
                {"path": "b.mp4", "labels": "x,y"},
                {"path": "c.mp4", "labels": "w"},
            ),
        )
    ),
    *(
        read(
            f"several classes by name, a comma in one, {what}",
            "part of the name",
            Case(text, (("a.mp4", "x,y,z"), ("b.mp4", "z")), options=options),
        )
        for what, text, options in (
            (
                "with labels",
                'path,labels\na.mp4,"x,y;z"\nb.mp4,z\n',
                {"labels": ("x,y", "z")},
            ),
            (
                "in JSON",
                objects(
                    {"path": "a.mp4", "labels": ["x,y", "z"]}, {"path": "b.mp4", "labels": ["z"]}
                ),
                {},
            ),
        )
    ),
    # Lists of which some videos may be missing.
    *(
        refused(
            f"header in unknown words, {what}, with videos missing",
            r"txt:1: .* may be a header",
            Case(text, files=files, options={"lookup": Lookup(allow_missing=True), **options}),
        )
        for what, text, files, options in (
            ("files, some missing", "datei,x\na.mp4,run\nc.mp4,run\nb.mp4,walk\n", FILES, {}),
            (
                "files, some missing, with columns",
                "datei,x\na.mp4,y\nc.mp4,z\n",
                FILES,
                columns("path", "label"),
            ),
            ("folders", "clip_nm,activity\nv_1,run\nv_2,walk\nv_3,run\n", ("v_1/", "v_2/"), {}),
            ("folders without digits", "clip_nm,activity\na,run\nb,walk\n", ("a/", "b/"), {}),
        )
    ),
    *(
        read(
            f"header in unknown words, {what}, no file missing",
            "a header",
            Case(
                text,
                (("a.mp4", "y"), ("b.mp4", "z")),
                options={"lookup": Lookup(allow_missing=True), **options},
                notes=("a header",),
            ),
        )
        for what, text, options in (
            ("detected", "clip_nm,activity\na.mp4,y\nb.mp4,z\n", {}),
            ("with columns", "datei,x\na.mp4,y\nb.mp4,z\n", columns("path", "label")),
        )
    ),
    *(
        read(
            f"the first video is missing, {what}",
            "left out",
            Case(text, found, ("b.mp4", "c.mp4"), options={"lookup": Lookup(allow_missing=True)}),
        )
        for what, text, found in (
            ("by number", "a.mp4,1\nb.mp4,0\n", (("b.mp4", "0"),)),
            ("by name", "a.mp4,x\nb.mp4,y\nc.mp4,x\n", (("b.mp4", "y"), ("c.mp4", "x"))),
            ("by a unique name", "a.mp4,x\nb.mp4,y\nc.mp4,z\n", (("b.mp4", "y"), ("c.mp4", "z"))),
        )
    ),
    *(
        refused(
            f"path label num_frames, {what}",
            "--columns=path,num_frames,label.*--columns=path,label,num_frames",
            Case(text, files=(*FILES, "c.mp4")),
        )
        for what, text in (
            ("few of many classes", "a.mp4 3 120\nb.mp4 5 130\nc.mp4 3 222\n"),
            ("more classes than frames", "a.mp4 1 150\nb.mp4 2 2\nc.mp4 0 150\n"),
            ("an unknown number of frames", "a.mp4 3 120\nb.mp4 5 -1\nc.mp4 3 222\n"),
        )
    ),
    *(
        read(
            f"path num_frames label, {what}",
            "read like most lists",
            Case(text, found),
        )
        for what, text, found in (
            (
                "few of many classes",
                "a.mp4 120 30\nb.mp4 97 7\n",
                (("a.mp4", "30"), ("b.mp4", "7")),
            ),
            ("one class", "a.mp4 120 0\nb.mp4 97 0\n", (("a.mp4", "0"), ("b.mp4", "0"))),
        )
    ),
    read(
        "path num_frames, possibly",
        "classes, with a note",
        Case(
            "a.mp4 30\nb.mp4 25\n",
            (("a.mp4", "30"), ("b.mp4", "25")),
            notes=("labels may be numbers of frames: 2 different ones in 2",),
        ),
    ),
)
