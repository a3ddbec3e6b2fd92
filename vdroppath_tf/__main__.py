"""``python -m vdroppath_tf``: the same as the ``vdroppath`` command."""

from vdroppath_tf.cli import run

if __name__ == "__main__":
    run()
