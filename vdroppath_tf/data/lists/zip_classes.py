"""A whole data set of frames in one zip file: a folder for each class, with one for each video."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from vdroppath_tf.data.lists.class_order import in_order, order_note
from vdroppath_tf.data.lists.collector import Collector
from vdroppath_tf.data.lists.text_files import PathLike
from vdroppath_tf.data.lists.video_tree import Lookup
from vdroppath_tf.data.manifest import Manifest, ManifestError
from vdroppath_tf.data.sources.container import VideoError, regular_file
from vdroppath_tf.data.sources.content import videos_in_zip
from vdroppath_tf.data.sources.zip import video_folders
from vdroppath_tf.files import open_regular
from vdroppath_tf.names import named


def is_zip(path: PathLike) -> bool:
    """Returns whether a file has the signature of zip archives."""
    if not os.path.isfile(path):
        return False
    with open_regular(path) as file:
        return file.read(4) == b"PK\x03\x04"


@named
def read_zip(
    path: PathLike, *, labels: Sequence[str] | None = None, lookup: Lookup | None = None
) -> Manifest:
    """Reads a zip file of frames, `class/video/00001.jpg`, or of video files, `class/video.mp4`.

    The sorted folders are the classes. A folder around all classes is ignored. Archives with one
    video each, or whose videos are not grouped by class, are listed in a text file instead:
    `archive.zip!folder num_frames label`.

    Args:
        path: The archive. Nothing is extracted: frames are read in place.
        labels: The names of the classes, in order. Defaults to the folders found.
        lookup: The names of frames, and other options. Defaults to `Lookup()`.

    Returns:
        The manifest.

    Raises:
        ManifestError: If the archive is damaged, holds anything but frames, or frames at another
            depth; or if `labels` lack a class.

    Example:
        ```python
        manifest = read_zip("dataset.zip")
        ```
    """
    if inside := _videos(path):
        return _of_videos(path, inside, labels, lookup)
    try:
        status = regular_file(os.path.abspath(path))
        folders = video_folders(os.path.abspath(path), status.st_size, status.st_mtime_ns)
    except VideoError as error:
        raise ManifestError(str(error)) from None
    parts = {folder: folder.rstrip("/").split("/") for folder in sorted(folders)}
    depth = max(map(len, parts.values()), default=0)
    tops = {names[0] for names in parts.values()}
    around = 1 if depth == 3 and len(tops) == 1 else 0
    if bad := [folder for folder, names in parts.items() if len(names) != 2 + around]:
        raise ManifestError(
            f"{path}: has frames in {bad[0] or '/'!r}. Expected them in class/video/ for each; "
            "list the videos of another archive as 'archive.zip!folder num_frames label'."
        )
    if not parts:
        raise ManifestError(f"{path}: is empty. Expected frames in class/video/.")
    classes = {folder: names[around] for folder, names in parts.items()}
    return _collected(path, classes, labels, lookup).manifest("class/video/frames")


def _videos(path: PathLike) -> tuple[str, ...]:
    try:
        return videos_in_zip(os.path.abspath(path))
    except ValueError as error:
        raise ManifestError(str(error)) from None


def _of_videos(
    path: PathLike, inside: Sequence[str], labels: Sequence[str] | None, lookup: Lookup | None
) -> Manifest:
    """Collects the video files of an archive; the folder of each is its class."""
    parts = {name: name.split("/") for name in inside}
    depths = {len(names) for names in parts.values()}
    tops = {names[0] for names in parts.values()}
    around = 1 if depths == {3} and len(tops) == 1 else 0
    if bad := [name for name, names in parts.items() if len(names) != 2 + around]:
        raise ManifestError(
            f"{path}: has the video {bad[0]!r}. Expected class/video.mp4 for each; list the videos "
            f"of another archive as 'archive.zip!{bad[0]} label'."
        )
    classes = {name: names[around] for name, names in parts.items()}
    return _collected(path, classes, labels, lookup).manifest("class/video.mp4")


def _collected(
    path: PathLike,
    classes: Mapping[str, str],
    labels: Sequence[str] | None,
    lookup: Lookup | None,
) -> Collector:
    """Collects the videos of an archive, by folder or file in it, each with its class."""
    found = in_order(set(classes.values()))
    root, archive = os.path.split(os.path.abspath(path))
    videos = Collector(path, root, lookup, found if labels is None else labels)
    if labels is None and (note := order_note(found)):
        videos.note(note)
    for inside, name in classes.items():
        origin = f"{path}: {inside}"
        video = f"{archive}!{inside.rstrip('/')}"
        videos.add(video, videos.number(name, origin), None, origin)
    return videos
