"""Which errors a user can mend, and the one line that is said of each."""

from __future__ import annotations

import sys
from zipfile import BadZipFile

NOT_FINITE = 3
"""The exit code of a training whose loss is no number."""
# What the world outside does wrong, and a user can mend: values, files, sizes.
_OUTSIDE = (ValueError, OSError, EOFError, MemoryError, OverflowError, RecursionError, BadZipFile)


def can_be_mended(error: Exception) -> bool:
    """Whether a user can mend it: then it is said in one line, without a traceback.

    The package's own arithmetic error is that of a loss that is no number.
    """
    own = type(error).__module__.startswith("vdroppath_tf")
    return isinstance(error, (*_OUTSIDE, *_of_tensorflow())) or (
        own and isinstance(error, ArithmeticError)
    )


def exit_code(error: Exception) -> int:
    """What the command ends with: 1, or the code of a loss that is no number.

    A scheduler shall not start that training again: it would end there again.
    """
    own = type(error).__module__.startswith("vdroppath_tf")
    return NOT_FINITE if own and isinstance(error, ArithmeticError) else 1


def _of_tensorflow() -> tuple[type[Exception], ...]:
    """The errors of its operations, if it was imported."""
    errors = sys.modules.get("tensorflow.python.framework.errors_impl")
    return () if errors is None else (errors.OpError,)


def one_message(error: Exception) -> str:
    """What an error says; in words where the interpreter and TensorFlow have none for a user."""
    if isinstance(error, MemoryError):
        return f"the memory of this machine does not suffice ({error or 'no size is known'})."
    if isinstance(error, RecursionError):
        return f"something is nested too deeply ({error})."
    if isinstance(error, _of_tensorflow()):
        return f"TensorFlow stopped: {str(error).splitlines()[0]}"
    return str(error) or type(error).__name__
