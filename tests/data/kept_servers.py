"""Servers of the tf.data service that live as long as the tests.

The destructor of TensorFlow's dispatcher was once seen to crash a process. Where an exception has
seen a server, Python's collector runs it, at any time and in any thread.
"""

from __future__ import annotations

from typing import TypeVar

_Server = TypeVar("_Server")
_KEPT: list[object] = []


def kept(server: _Server) -> _Server:
    _KEPT.append(server)
    return server
