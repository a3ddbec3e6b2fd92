"""Distinguishes errors that a user can fix, and formats each as one line."""

from __future__ import annotations

import sys
from zipfile import BadZipFile

NOT_FINITE = 3
"""The exit code of a training whose loss is NaN or infinite."""
# Errors from outside the program that a user can fix: values, files, sizes.
_OUTSIDE = (ValueError, OSError, EOFError, MemoryError, OverflowError, RecursionError, BadZipFile)


def can_be_mended(error: Exception) -> bool:
    """Whether a user can fix an error, which is then shown in one line without a traceback.

    The package's only arithmetic error is that of a loss that is NaN or infinite.
    """
    own = type(error).__module__.startswith("vdroppath_tf")
    return isinstance(error, (*_OUTSIDE, *_of_tensorflow())) or (
        own and isinstance(error, ArithmeticError)
    )


def exit_code(error: Exception) -> int:
    """Returns the exit code of the command: 1, or the code of a NaN or infinite loss.

    The separate code lets a scheduler not restart that training, which would fail again.
    """
    own = type(error).__module__.startswith("vdroppath_tf")
    return NOT_FINITE if own and isinstance(error, ArithmeticError) else 1


def _of_tensorflow() -> tuple[type[Exception], ...]:
    """Returns the errors of TensorFlow's operations, if it was imported."""
    errors = sys.modules.get("tensorflow.python.framework.errors_impl")
    return () if errors is None else (errors.OpError,)


def one_message(error: Exception) -> str:
    """Returns the message of an error, reworded if Python or TensorFlow have none for users."""
    if isinstance(error, MemoryError):
        return f"the memory of this machine does not suffice ({error or 'no size is known'})."
    if isinstance(error, RecursionError):
        return f"something is nested too deeply ({error})."
    if isinstance(error, _of_tensorflow()):
        return f"TensorFlow stopped: {str(error).splitlines()[0]}"
    return str(error) or type(error).__name__
