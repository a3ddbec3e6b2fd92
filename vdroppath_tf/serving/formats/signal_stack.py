"""Keeps the stack on which a thread handles signals from the libraries that replace it."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Iterator

_DISABLED = 2  # SS_DISABLE: signals are handled on the thread's own stack


class _Stack(ctypes.Structure):
    """``stack_t`` of Linux."""

    _fields_ = (("start", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t))


@contextlib.contextmanager
def own_signal_stack() -> Iterator[None]:
    """Restores the calling thread's alternative signal stack after the body.

    OpenVINO's plugin for CPUs sets one of its own when it is loaded and unmaps it when it is freed.
    If another thread frees it, the first thread is left with an address that is gone, and the next
    signal (Ctrl-C, SIGTERM) ends the process with a segmentation fault and without a word.
    """
    if sys.platform != "linux":
        yield
        return
    sigaltstack = ctypes.CDLL(None).sigaltstack
    before = _Stack()
    sigaltstack(None, ctypes.byref(before))
    try:
        yield
    finally:
        if sigaltstack(ctypes.byref(before), None):  # too small for AMX, which was since allowed
            sigaltstack(ctypes.byref(_Stack(None, _DISABLED, 0)), None)
