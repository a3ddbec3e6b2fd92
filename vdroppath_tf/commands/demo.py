"""Show a network in a browser: drop a video to see its classes, frames and timeline."""

from __future__ import annotations

import threading
import webbrowser
from collections.abc import Sequence

from absl import flags

from vdroppath_tf.commands.serve import define_server, places_of, serve

EXAMPLE = "vdroppath demo served/1"


def define(values: flags.FlagValues) -> None:
    """Declares the flags of the command."""
    define_server(values, port=0)
    text = "open the page in a browser (--noopen: only print its address)"
    flags.DEFINE_boolean("open", True, text, flag_values=values)


def run(values: flags.FlagValues, models: Sequence[str]) -> None:
    """Serves the page until the process is stopped."""

    def show(address: str) -> None:
        print(f"{address}  (press Ctrl+C to stop)", flush=True)
        if values.open:  # when the server, which is about to start, can answer
            later = threading.Timer(0.5, webbrowser.open, [address])
            later.daemon = True
            later.start()

    serve(values, places_of(models), keep=1, on_start=show)
