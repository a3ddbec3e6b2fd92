"""What TensorFlow writes while it starts: kept from drowning an answer, shown if it fails.

TensorFlow writes to file descriptor 2 from C++, some lines of it whatever TF_CPP_MIN_LOG_LEVEL is.
While it is imported, the descriptor leads to this file, run as a program of its own. It passes on
what is worth reading and keeps the rest until it hears that all went well; where it does not, as
TensorFlow failed or crashed, the rest is shown too.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

HIDE = "VDROPPATH_HIDE_START_UP_LINES"
"""Environment variable that is 1 where lines are hidden, in the processes that are started too."""
_DONE = b"\0started\n"
_SECONDS = 10  # for the program to write what it has
_NOISE = re.compile(
    rb"^I\d{4} "  # information
    rb"|^\d{4}-\d\d-\d\d [\d:.]+: I "
    rb"|^WARNING: All log messages before absl::InitializeLog"
    rb"|^To enable the following instructions: "
    rb"|Unable to register cu\w+ factory"  # libraries registered twice, in every release build
    rb"|computation placer already registered"
    rb"|TF-TRT Warning: Could not find TensorRT"
)
_NO_GPU = re.compile(rb"failed call to cuInit")  # what no GPU looks like
_DRIVER = "/proc/driver/nvidia"


@contextmanager
def filtered() -> Iterator[None]:
    """Leads file descriptor 2 through the filter, and back."""
    import subprocess

    source, sink = os.pipe()
    command = [sys.executable, "-I", "-S", __file__]
    program = subprocess.Popen(command, stdin=source)
    os.close(source)
    sys.stderr.flush()
    stderr = os.dup(2)
    os.dup2(sink, 2)
    os.close(sink)
    try:
        yield
        os.write(2, _DONE)
    finally:
        sys.stderr.flush()
        os.dup2(stderr, 2)  # closes the last end of the pipe, unless somebody else holds it
        os.close(stderr)
        with suppress(subprocess.TimeoutExpired):
            program.wait(_SECONDS)


def is_noise(line: bytes, *, driver: bool) -> bool:
    """Whether a line says nothing of an error; ``driver``: this machine has one for a GPU."""
    return bool(_NOISE.search(line) or (not driver and _NO_GPU.search(line)))


def main() -> None:
    """Passes lines on from the standard input to the standard error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends with whom it listens to
    driver = os.path.exists(_DRIVER)
    kept: list[bytes] = []
    for line in sys.stdin.buffer:
        if line.endswith(_DONE):  # behind what has no line's end
            kept.clear()
            os.write(2, line.removesuffix(_DONE))
        elif is_noise(line, driver=driver):
            kept.append(line)
        else:
            os.write(2, line)
    os.write(2, b"".join(kept))


if __name__ == "__main__":
    main()
