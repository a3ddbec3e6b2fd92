"""`vdroppath` as a process of its own, with the networks of `tiny.py`."""

from __future__ import annotations

import tiny  # noqa: F401  registers them

from vdroppath_tf.cli import run

if __name__ == "__main__":
    run()
