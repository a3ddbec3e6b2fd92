"""Free memory is given back at intervals, until the server stops."""

from __future__ import annotations

import platform
import threading

import pytest

from vdroppath_tf.serving.server.memory import free_memory_function, give_back


def test_memory_is_given_back_until_the_end() -> None:
    stop, arguments = threading.Event(), []

    def trim(pad: int) -> None:
        arguments.append(pad)
        if len(arguments) == 3:
            stop.set()

    give_back(stop, trim, seconds=0.001)
    assert arguments == [0, 0, 0]
    give_back(threading.Event(), None)  # another C library has nothing to call


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")
def test_glibc_has_the_function() -> None:
    trim = free_memory_function()
    assert trim is not None
    assert trim(0) in (0, 1)  # whether memory was released
