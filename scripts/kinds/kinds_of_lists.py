"""Kinds of lists of videos as users have them: each is read as it is meant, or refused."""

from __future__ import annotations

from list_case import Case, Read, read, refused

from vdroppath_tf.data import Layout

NUMBERS: Read = (("a.mp4", "2"), ("b c.mp4", "0"), ("s/d.avi", "1"))
NAMES: Read = (("a.mp4", "riding a bike"), ("b c.mp4", "jump"), ("s/d.avi", "jump"))
PATHS = ("a.mp4", "b c.mp4", "s/d.avi")
BETWEEN = {"space": " ", "tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}


def rows(*columns: tuple[str, ...], between: str = " ", end: str = "\n", header: str = "") -> str:
    """Returns the text of a list with these columns."""
    lines = [between.join(row) + end for row in zip(*columns, strict=True)]
    return header + end * bool(header) + "".join(lines)


def classes(found: Read) -> tuple[str, ...]:
    """Returns the classes of the videos."""
    return tuple(name for _, name in found)


def quoted(texts: tuple[str, ...], mark: str = '"') -> tuple[str, ...]:
    """Returns the texts in quotes."""
    return tuple(f"{mark}{text}{mark}" for text in texts)


N, M = classes(NUMBERS), classes(NAMES)
FRAMES = ("120", "97", "33")
HEADER = "path,label"

KINDS = (
    *(
        read(f"{what}, between: {name}, in {file}", "detected", Case(text, found, name=file))
        for name, between in BETWEEN.items()
        for file in ("list.txt", "list.csv", "train.tsv")
        for what, text, found in (
            ("path label", rows(PATHS, N, between=between), NUMBERS),
            ("path num_frames label", rows(PATHS, FRAMES, N, between=between), NUMBERS),
            ("path name", rows(PATHS, M, between=between), NAMES),
            ("path num_frames name", rows(PATHS, FRAMES, M, between=between), NAMES),
            ("label path", rows(N, PATHS, between=between), NUMBERS),
        )
    ),
    *(
        read(
            f"name path, between: {name}", "detected", Case(rows(M, PATHS, between=between), NAMES)
        )
        for name, between in BETWEEN.items()
        if name != "space"
    ),
    *(
        read(
            f"header {header}", "detected", Case(rows(*columns, between=",", header=header), found)
        )
        for header, columns, found in (
            ("path,label", (PATHS, N), NUMBERS),
            ("video_path,class_id", (PATHS, N), NUMBERS),
            ("label,file_name", (N, PATHS), NUMBERS),
            ("File Name,Class Name", (PATHS, M), NAMES),
            ("video,fps,label,width", (PATHS, FRAMES, N, FRAMES), NUMBERS),
            (",path,label", (("0", "1", "2"), PATHS, N), NUMBERS),
            ("Unnamed: 0,path,label", (("7", "3", "9"), PATHS, N), NUMBERS),
            (",path,num_frames,label", (("0", "1", "2"), PATHS, FRAMES, N), NUMBERS),
            ("filename,frames,action", (PATHS, FRAMES, M), NAMES),
            ("path,emotion", (PATHS, M), NAMES),
            ("path,label,split", (PATHS, N, ("train",) * 3), NUMBERS),
            ("clip_name,clip_path,label", (("a", "b c", "d"), PATHS, M), NAMES),
        )
    ),
    read(
        "header with columns in other languages",
        "read, with a note",
        Case(
            rows(PATHS, FRAMES, N, FRAMES, between=",", header="path,Länge,label,幅"),
            NUMBERS,
            notes=("columns that are not read: 'Länge', '幅'",),
        ),
    ),
    read(
        "JSON lines with members in other languages",
        "read, with a note",
        Case(
            "".join(
                f'{{"file_name": "{path}", "label": {label}, "Länge": 5}}\n'
                for path, label in zip(PATHS, N, strict=True)
            ),
            NUMBERS,
            name="list.jsonl",
            notes=("columns that are not read: 'Länge'",),
        ),
    ),
    read(
        "header in words with spaces between them",
        "detected",
        Case("video num_frames label\n" + rows(PATHS, FRAMES, N), NUMBERS),
    ),
    *(
        read(
            f"header path label num_frames, between: {name}",
            "in the order of the header",
            Case(
                f"path{between}label{between}num_frames\n"
                + rows(PATHS, N, FRAMES, between=between),
                NUMBERS,
            ),
        )
        for name, between in BETWEEN.items()
    ),
    read(
        "pandas index without a name",
        "ignored",
        Case(rows(("0", "1", "2"), PATHS, M, between=","), NAMES),
    ),
    read(
        "class numbers and names",
        "names by number",
        Case(
            "path,label,label_name\na.mp4,1,run\nb c.mp4,0,walk\ns/d.avi,1,run\n",
            (("a.mp4", "run"), ("b c.mp4", "walk"), ("s/d.avi", "run")),
        ),
    ),
    *(
        read(f"quotes, between: {name}", "not part of the text", Case(text, found))
        for name, between in BETWEEN.items()
        for text, found in ((rows(quoted(PATHS), quoted(M), between=between), NAMES),)
    ),
    read(
        "quotes that hold separators",
        "part of the text",
        Case(
            '"a, b.mp4","up, and down"\nc.mp4,still\n',
            (("a, b.mp4", "up, and down"), ("c.mp4", "still")),
        ),
    ),
    read("quotes, single", "not part of the text", Case(rows(quoted(PATHS, "'"), N), NUMBERS)),
    read(
        "a name with a quote in it",
        "part of the name",
        Case("a.mp4,5\" pipe\nb.mp4,don't\n", (("a.mp4", '5" pipe'), ("b.mp4", "don't"))),
    ),
    read(
        "commas without quotes",
        "part of the path, or of the name",
        Case("a, b.mp4,1\nc.mp4,0\n", (("a, b.mp4", "1"), ("c.mp4", "0"))),
    ),
    read(
        "commas without quotes in names",
        "part of the path, or of the name",
        Case("a.mp4,up, and down\nc.mp4,still\n", (("a.mp4", "up, and down"), ("c.mp4", "still"))),
    ),
    *(
        read(
            f"text is {encoding}",
            "read",
            Case("à.mp4\té\nb.mp4\tf\n", (("à.mp4", "é"), ("b.mp4", "f")), encoding=encoding),
        )
        for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")
    ),
    refused(
        "text is latin-1",
        r"is not UTF-8.*--encoding",
        Case("a.mp4 1\nà.mp4 0\n", encoding="latin-1"),
    ),
    read(
        "text is latin-1, with an encoding",
        "read",
        Case(
            "a.mp4 1\nà.mp4 0\n",
            (("a.mp4", "1"), ("à.mp4", "0")),
            encoding="latin-1",
            options={"format": Layout(encoding="latin-1")},
        ),
    ),
    *(
        read(f"line ends {name}", "read", Case(rows(PATHS, N, end=end), NUMBERS))
        for name, end in (("Windows", "\r\n"), ("old Mac", "\r"), ("with spaces", " \t\n"))
    ),
    read(
        "comments",
        "ignored, with a note",
        Case("# mine\n" + rows(PATHS, N) + "\n  # the end\n", NUMBERS, notes=("comments (2",)),
    ),
    read(
        "comment before a header",
        "ignored",
        Case("# mine\n" + rows(PATHS, N, between=",", header=HEADER), NUMBERS),
    ),
    *(
        read(
            f"header in a comment, {header!r}",
            "a header",
            Case(
                f"{header}\n" + rows(PATHS, *columns, between=between), found, notes=("a header",)
            ),
        )
        for header, columns, between, found in (
            ("#path,label", (N,), ",", NUMBERS),
            ("# path,label,num_frames", (N, FRAMES), ",", NUMBERS),
            ("# mine\n#path,label,num_frames\n# made by hand", (N, FRAMES), ",", NUMBERS),
            ("#path\tlabel\tnum_frames", (N, FRAMES), "\t", NUMBERS),
            ("# path label num_frames", (N, FRAMES), " ", NUMBERS),
            ("#video,emotion", (M,), ",", NAMES),
        )
    ),
    *(
        read(
            f"comment in words of headers, {comment!r}",
            "ignored",
            Case(f"{comment}\n" + rows(PATHS, FRAMES, N), NUMBERS, notes=("comments (1",)),
        )
        for comment in ("# video of mine", "# path label", "# video, made by hand")
    ),
    *(
        read(
            f"a first line {line} of a spreadsheet",
            "ignored",
            Case(f"{line}\n" + rows(PATHS, M, between=between), NAMES, name="list.csv"),
        )
        for line, between in (("sep=;", ";"), ('"sep=,"', ","), ("SEP=\\t", "\t"), ("sep=|", "|"))
    ),
    *(
        read(
            f"header in unknown words, {header}",
            "a header",
            Case(
                f"{header}\n" + rows(PATHS, *columns, between=between),
                found,
                name="list.csv",
                notes=("a header",),
            ),
        )
        for header, columns, between, found in (
            ("Datei;Klasse", (M,), ";", NAMES),
            ("fichier,classe", (M,), ",", NAMES),
            ("fichier,images,classe", (FRAMES, N), ",", NUMBERS),
        )
    ),
    refused(
        "a first video that does not exist",
        "there is no file 'gone.mp4'",
        Case("gone.mp4;jump\n" + rows(PATHS, M, between=";"), files=PATHS),
    ),
    read(
        "a path that starts with #",
        "not a comment",
        Case("#1 a.mp4 0\nb.mp4 1\n", (("#1 a.mp4", "0"), ("b.mp4", "1"))),
    ),
    read(
        "comment after a number",
        "ignored",
        Case("a.mp4 0 # good\nb.mp4 1\n", (("a.mp4", "0"), ("b.mp4", "1"))),
    ),
    refused(
        "comment after a name",
        "may end in a comment",
        Case("a.mp4 jump # good\nb.mp4 run\n", files=("a.mp4", "b.mp4")),
    ),
)
