"""Explained clips for a report: the files of `vdroppath explain`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vdroppath_tf.analysis.branch_maps import Explanation
from vdroppath_tf.analysis.numbers import percent
from vdroppath_tf.files import read_json, write_json
from vdroppath_tf.names import named
from vdroppath_tf.report.inputs import read_file

EXPLAINED = "explained.json"
EXPLAINED_FORMAT = "vdroppath_tf.explained_videos/1"


@named
@dataclass(frozen=True, eq=False)
class Explained:
    """A video, with maps of the evidence that the branches of a network find in it.

    Args:
        video: str, the name of the video.
        labels: Sequence of str, the names of the classes.
        found: `Explanation`, the maps.

    Raises:
        ValueError: If the number of names differs from the number of classes.

    Example:
    ```python
    found = vdroppath_tf.analysis.explain_clip(network, clip)
    print(Explained("1.mp4", train_videos.labels, found).title)
    ```
    """

    video: str
    labels: Sequence[str]
    found: Explanation

    def __post_init__(self) -> None:
        if len(self.labels) != len(self.found.chances):
            raise ValueError(
                f"{self.video}: has {len(self.found.chances)} probabilities. Expected one for each "
                f"of {len(self.labels)} classes."
            )

    @property
    def title(self) -> str:
        """The explained class with its probability, and the answer if it differs."""
        asked, answer = self.found.label, self.found.predicted
        said = f"evidence for {self.labels[asked]} ({percent(float(self.found.chances[asked]))})"
        if asked == answer:
            return said
        return f"{said}; the answer is {self.labels[answer]}"

    def fields(self, file: str) -> dict[str, Any]:
        """Returns the answer and the shares of branches as JSON-able data.

        Args:
            file: str, the name of the file with the maps.
        """
        found = self.found
        return {
            "video": self.video,
            "file": file,
            "class": self.labels[found.label],
            "predicted": self.labels[found.predicted],
            "probability": float(found.chances[found.label]),
            "method": found.method,
            "shares": [
                {"layer": one.layer, "branch": one.branch, "share": one.share} for one in found.maps
            ],
        }


@named
def write_explained(
    folder: str | os.PathLike[str],
    videos: Sequence[Mapping[str, Any]],
    *,
    model: str,
    labels: Sequence[str],
) -> None:
    """Writes the file that `read_explained` reads, next to the files of the maps.

    Args:
        folder: str or path of the folder, which must exist.
        videos: Sequence of the results of `Explained.fields`.
        model: str, the file of the network.
        labels: Sequence of str, the names of the classes.

    Example:
    ```python
    found = vdroppath_tf.analysis.explain_clip(network, clip)
    explained = Explained("1.mp4", train_videos.labels, found)
    found.save("1.npz")
    videos = [explained.fields("1.npz")]
    write_explained(".", videos, model="derived.keras", labels=explained.labels)
    ```
    """
    head = {"format": EXPLAINED_FORMAT, "model": model, "classes": list(labels)}
    write_json(Path(folder) / EXPLAINED, {**head, "videos": list(videos)})


@named
def read_explained(folder: str | os.PathLike[str]) -> list[Explained]:
    """Reads the files that `vdroppath explain --out` wrote.

    Raises:
        ValueError: If a file is missing or has another format; the message names it.
        OSError: If one cannot be read.

    Example:
    ```python
    for explained in read_explained("explained"):
        print(explained.video, explained.title)
    ```
    """
    path = Path(folder) / EXPLAINED

    def parse(text: str) -> list[tuple[str, str, list[str]]]:
        fields = read_json(text, EXPLAINED_FORMAT, ("model", "classes", "videos"))
        labels = [str(name) for name in fields["classes"]]
        return [(str(v["video"]), Path(str(v["file"])).name, labels) for v in fields["videos"]]

    entries = read_file(path, "explained videos", "vdroppath explain --out", parse)
    return [
        Explained(video, labels, Explanation.load(Path(folder) / name))
        for video, name, labels in entries
    ]
