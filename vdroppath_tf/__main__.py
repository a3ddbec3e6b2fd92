"""``python -m vdroppath_tf``: the same as the ``vdroppath`` command."""

from .cli import run

if __name__ == "__main__":
    run()
