"""Paths that may be URLs: what they are, what lies under them, and how they may be shown."""

from __future__ import annotations

import os
import re
from urllib.parse import quote, urlsplit, urlunsplit

from vdroppath_tf.names import named

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
# A URL inside a text, perhaps as a path, which has one slash where there were two.
_INSIDE = re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]+:/)(/?)([^\s'\"<>]*[^\s'\"<>.,:;)])")


def scheme_of(path: str) -> str:
    """`"s3"` of `"s3://bucket/file"`; empty for a local path."""
    match = _SCHEME.match(path)
    return match[1].lower() if match else ""


@named
def is_remote(path: str | os.PathLike[str]) -> bool:
    """Whether a path is a URL."""
    return scheme_of(os.fspath(path)) != ""


@named
def join(folder: str, name: str) -> str:
    """The path of a file under a folder or URL; the query of an http URL stays at the end.

    Args:
        folder: local folder or URL.
        name: of the file, relative, with `/` between its parts.

    Raises:
        ValueError: when the name would leave the folder.
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
    """A path for messages: without the user, password and query that a URL may carry."""
    match = _SCHEME.match(path)
    if match is None:
        return path
    start, mark, _ = re.sub(r"#.*", "", path[match.end() :], flags=re.DOTALL).partition("?")
    host, slash, rest = start.partition("/")
    return f"{match[0]}{host.rpartition('@')[2]}{slash}{rest}{'?...' if mark else ''}"


def without_secrets(text: str) -> str:
    """A text in which every URL is as `shown`, wherever it stands."""

    def one(match: re.Match[str]) -> str:
        found = shown(f"{match[1]}/{match[3]}")
        return found if match[2] else found.replace("://", ":/", 1)

    return _INSIDE.sub(one, text) if ":/" in text else text
