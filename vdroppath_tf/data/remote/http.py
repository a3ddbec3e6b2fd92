"""Files behind http:// and https://: ranges of bytes, with limits and retries, never half."""

from __future__ import annotations

import functools
import ipaddress
import os
import re
import socket
import time
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from vdroppath_tf.data.remote.urls import scheme_of, shown
from vdroppath_tf.data.sources.container import VideoError

TRIES = 4
TIMEOUT = (10.0, 60.0)  # seconds to connect, and between two pieces of a response
PATIENCE = 120.0  # seconds for a whole response, in addition to those at the rate SLOWEST
SLOWEST = 1 << 16  # bytes per second; a slower server is given up
_PAUSE = 0.2  # seconds before the second try, doubled for each further one
_PIECE = 1 << 18  # bytes
_BUSY = (408, 429, 500, 502, 503, 504)
_ADVICE = {
    401: "asks for a user and password; put them in ~/.netrc",
    403: "may not be read: check the permissions, or whether the link has expired",
    404: "does not exist",
    410: "no longer exists",
}


class _PassingError(Exception):
    """A failure that may be temporary, so that another try is worthwhile."""


class _Session(requests.Session):
    """Follows redirects to https, or from http to http, but never from outside into a network."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        target = super().get_redirect_target(resp)
        if target is not None:
            scheme = scheme_of(urljoin(resp.url, target))
            if scheme != "https" and (scheme != "http" or scheme_of(resp.url) == "https"):
                raise VideoError(
                    f"{shown(resp.url)}: redirects to a {scheme or 'nameless'}:// address. "
                    "Expected https (http only from http). Use the file's own address."
                )
            if _is_inside(urljoin(resp.url, target)) and not _is_inside(resp.url):
                raise VideoError(
                    f"{shown(resp.url)}: redirects into a private network, to "
                    f"{shown(urljoin(resp.url, target))}. Use the file's own address there, if "
                    "that is what you want."
                )
        return target


def _is_inside(url: str) -> bool:
    """Returns whether a URL leads to this machine or a private network; False if unknown."""
    host = urlsplit(url).hostname or ""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return any(not ipaddress.ip_address(item[4][0]).is_global for item in found)


def read_http(url: str, offset: int, length: int | None, limit: int) -> bytes:
    """Reads bytes of a file on a web server.

    Args:
        url: The URL of the file.
        offset: The position of the first byte.
        length: The number of bytes; None reads the whole file, from 0.
        limit: The largest number of bytes that is accepted.

    Returns:
        The bytes; fewer than `length` only at the end of the file.

    Raises:
        VideoError: If the server cannot be reached, lacks the file or denies it, or ignores
            ranges; or if the file is too large.
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
    # Messages of requests hold the whole URL with its signature, so none is passed on.
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
    except (
        requests.ConnectionError,
        requests.exceptions.ChunkedEncodingError,
        urllib3.exceptions.HTTPError,
    ):
        raise _PassingError("the connection failed or broke off") from None
    except requests.TooManyRedirects:
        raise VideoError(f"{shown(url)}: redirects too many times.") from None
    except (requests.RequestException, ValueError) as error:
        if isinstance(error, VideoError):
            raise
        raise VideoError(f"{shown(url)}: is not the URL of a file that can be read.") from None


def _check(answer: requests.Response, url: str, offset: int, length: int | None) -> None:
    """Raises an error if the response is not the requested part of the file."""
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
            "each part of it. Use a server that supports them, or copy the files here."
        )


def _body(answer: requests.Response, url: str, limit: int) -> bytes:
    declared = answer.headers.get("Content-Length", "")
    if declared.isdecimal() and int(declared[:19]) > limit:
        raise too_large(url, limit)
    pieces, size = [], 0
    length = int(declared[:19]) if declared.isdecimal() else limit
    end = time.monotonic() + PATIENCE + length / SLOWEST
    while piece := answer.raw.read1(_PIECE, decode_content=False):
        size += len(piece)
        if size > limit:
            raise too_large(url, limit)
        if time.monotonic() > end:
            raise VideoError(
                f"{shown(url)}: is sent too slowly: {size} bytes came in "
                f"{PATIENCE + length / SLOWEST:.0f} s. Use another server, or copy the file here."
            )
        pieces.append(piece)
    if declared.isdecimal() and size != int(declared[:19]):
        raise _PassingError(f"{size} of {declared} bytes were received")
    return b"".join(pieces)


def too_large(path: str, limit: int) -> VideoError:
    """Returns the error for a file that exceeds its limit."""
    return VideoError(f"{shown(path)}: is larger than the limit of {limit} bytes.")


@functools.lru_cache(maxsize=1)
def _session(process: int) -> requests.Session:
    """Returns this process's pool of connections; a forked process must not share sockets."""
    session = _Session()
    session.max_redirects = 5
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = requests.adapters.HTTPAdapter(pool_maxsize=32)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session
