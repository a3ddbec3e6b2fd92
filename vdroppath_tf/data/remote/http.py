"""Files behind http:// and https://: ranges of bytes, bounded, tried again, never half."""

from __future__ import annotations

import functools
import os
import re
import time
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urljoin

import requests

from vdroppath_tf.data.remote.urls import scheme_of, shown
from vdroppath_tf.data.sources.container import VideoError

TRIES = 4
TIMEOUT = (10.0, 60.0)  # seconds to connect, and between two pieces of an answer
_PAUSE = 0.2  # seconds before the second try; doubled for each one after
_PIECE = 1 << 18  # bytes
_BUSY = (408, 429, 500, 502, 503, 504)
_ADVICE = {
    401: "asks for a user and password; put them in ~/.netrc",
    403: "may not be read: check the permissions, or whether the link has expired",
    404: "is not there",
    410: "is no longer there",
}


class _PassingError(Exception):
    """A failure that may be gone at the next try."""


class _Session(requests.Session):
    """Follows redirects to https, and from http to http, and to nothing else."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        target = super().get_redirect_target(resp)
        if target is not None:
            scheme = scheme_of(urljoin(resp.url, target))
            if scheme != "https" and (scheme != "http" or scheme_of(resp.url) == "https"):
                raise VideoError(
                    f"{shown(resp.url)}: redirects to a {scheme or 'nameless'}:// address. "
                    "Expected https (http only from http). Use the file's own address."
                )
        return target


def read_http(url: str, offset: int, length: int | None, limit: int) -> bytes:
    """Bytes of a file on a web server.

    Args:
        url: of the file.
        offset: of the first byte.
        length: number of bytes; None reads the whole file, from 0.
        limit: more bytes than this are refused.

    Returns:
        The bytes; fewer than `length` only where the file ends before.

    Raises:
        VideoError: the server cannot be reached, does not have the file or refuses it, ignores
            ranges, or the file is too large.
    """
    for attempt in range(TRIES):
        try:
            return _once(url, offset, length, limit)
        except _PassingError as failure:
            reason = str(failure)
        if attempt < TRIES - 1:
            time.sleep(_PAUSE * 2**attempt)
    raise VideoError(
        f"{shown(url)}: {reason}, {TRIES} times in a row. Check the address and the connection."
    )


def _once(url: str, offset: int, length: int | None, limit: int) -> bytes:
    headers = {"Accept-Encoding": "identity"}
    if length is not None:
        headers["Range"] = f"bytes={offset}-{offset + length - 1}"
    # requests' own messages hold the whole address, with its signature: none is passed on.
    try:
        with _session(os.getpid()).get(
            url, headers=headers, stream=True, timeout=TIMEOUT
        ) as answer:
            if answer.status_code == 416:
                return b""
            _check(answer, url, offset, length)
            return _body(answer, url, limit)
    except requests.exceptions.SSLError:
        raise VideoError(f"{shown(url)}: the server's certificate is not accepted.") from None
    except requests.Timeout:
        raise _PassingError("no answer in time") from None
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
        raise _PassingError("the connection failed or broke off") from None
    except requests.TooManyRedirects:
        raise VideoError(f"{shown(url)}: redirects again and again.") from None
    except (requests.RequestException, ValueError) as error:
        if isinstance(error, VideoError):
            raise
        raise VideoError(f"{shown(url)}: is no address of a file that can be read.") from None


def _check(answer: requests.Response, url: str, offset: int, length: int | None) -> None:
    """Stops where the answer is not the part of the file that was asked for."""
    status = answer.status_code
    if status in _BUSY:
        raise _PassingError(f"the server answers {status}")
    if status not in (200, 206):
        raise VideoError(f"{shown(url)}: {_ADVICE.get(status, 'was refused')} (status {status}).")
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise VideoError(f"{shown(url)}: the server sends it compressed. Turn that off there.")
    if length is None:
        return
    start = re.match(r"bytes (\d{1,18})-", answer.headers.get("Content-Range", ""))
    if status == 200 or start is None or int(start[1]) != offset:
        raise VideoError(
            f"{shown(url)}: the server ignores Range requests and would send the whole file for "
            "each part of it. Use a server that has them, or copy the files here."
        )


def _body(answer: requests.Response, url: str, limit: int) -> bytes:
    declared = answer.headers.get("Content-Length", "")
    if declared.isdecimal() and int(declared[:19]) > limit:
        raise too_large(url, limit)
    pieces, size = [], 0
    for piece in answer.iter_content(_PIECE):
        size += len(piece)
        if size > limit:
            raise too_large(url, limit)
        pieces.append(piece)
    if declared.isdecimal() and size != int(declared[:19]):
        raise _PassingError(f"{size} of {declared} bytes came")
    return b"".join(pieces)


def too_large(path: str, limit: int) -> VideoError:
    """The error for a file beyond its bound."""
    return VideoError(f"{shown(path)}: has more than the {limit} bytes it may have.")


@functools.lru_cache(maxsize=1)
def _session(process: int) -> requests.Session:
    """One pool of connections a process: a forked one must not share its parent's sockets."""
    session = _Session()
    session.max_redirects = 5
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = requests.adapters.HTTPAdapter(pool_maxsize=32)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session
