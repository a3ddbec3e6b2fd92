"""Paths that may be URLs: their scheme, joining them, and showing them without secrets."""

from __future__ import annotations

import os
import re
from urllib.parse import quote, urlsplit, urlunsplit

from vdroppath_tf.names import named

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
# A URL inside a text, or inside a path, where one of the two slashes is lost.
_INSIDE = re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]+:/)(/?)([^\s'\"<>]*[^\s'\"<>.,:;)])")


def scheme_of(path: str) -> str:
    """Returns the scheme of a URL, `"s3"` for `"s3://bucket/file"`; empty for a local path."""
    match = _SCHEME.match(path)
    return match[1].lower() if match else ""


@named
def is_remote(path: str | os.PathLike[str]) -> bool:
    """Returns whether a path is a URL.

    Args:
        path: The path.

    Example:
        ```python
        is_remote("s3://bucket/file")  # True
        ```
    """
    return scheme_of(os.fspath(path)) != ""


@named
def join(folder: str, name: str) -> str:
    """Joins a folder or URL and a file name; the query of an http URL stays at the end.

    Args:
        folder: A local folder or a URL.
        name: The relative name of the file, with `/` between its parts.

    Returns:
        The path of the file.

    Raises:
        ValueError: If the name would leave the folder.

    Example:
        ```python
        join("s3://bucket/records", "train-0.tfrecord")
        ```
    """
    if not name or "\\" in name or "\0" in name or {"", ".", ".."} & set(name.split("/")):
        raise ValueError(
            f"{shown(folder)}: holds no file {name!r}. Expected a relative name without '..'."
        )
    if not is_remote(folder):
        return os.path.join(folder, name)
    if scheme_of(folder) not in ("http", "https"):
        return f"{folder.rstrip('/')}/{name}"
    parts = urlsplit(folder)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{quote(name)}"))


@named
def shown(path: str) -> str:
    """Returns a path for messages, without the user, password and query of a URL.

    Args:
        path: A path or URL.

    Example:
        ```python
        shown("https://me:secret@example.org/a.mp4?key=1")  # "https://example.org/a.mp4?..."
        ```
    """
    match = _SCHEME.match(path)
    if match is None:
        return path
    start, mark, _ = re.sub(r"#.*", "", path[match.end() :], flags=re.DOTALL).partition("?")
    host, slash, rest = start.partition("/")
    return f"{match[0]}{host.rpartition('@')[2]}{slash}{rest}{'?...' if mark else ''}"


def without_secrets(text: str) -> str:
    """Returns a text in which every URL is shown without its secrets."""

    def one(match: re.Match[str]) -> str:
        found = shown(f"{match[1]}/{match[3]}")
        return found if match[2] else found.replace("://", ":/", 1)

    return _INSIDE.sub(one, text) if ":/" in text else text
