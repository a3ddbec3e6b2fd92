"""The ``vdroppath`` command: a sub-command for each step of the loop, with absl flags."""

from __future__ import annotations

import contextlib
import logging as std_logging
import os
import re
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from absl import flags, logging

from vdroppath_tf.commands import (
    catalog,
    compare,
    convert,
    dataservice,
    demo,
    derive,
    doctor,
    evaluate,
    explain,
    export,
    features,
    halve,
    models,
    predict,
    quickstart,
    ranking,
    report,
    serve,
    space,
    stability,
    status,
    test,
    train,
    trials,
    worth,
)
from vdroppath_tf.commands import run as run_videos
from vdroppath_tf.commands.error_words import can_be_mended, exit_code, one_message
from vdroppath_tf.commands.flag_checks import check_needs, check_values
from vdroppath_tf.commands.flag_words import FlagFormatter, shortened
from vdroppath_tf.commands.places import check_places
from vdroppath_tf.commands.usage import Command, overview, usage
from vdroppath_tf.data.remote.urls import without_secrets
from vdroppath_tf.names import nearest
from vdroppath_tf.spaces.notices import SpaceWarning
from vdroppath_tf.startup import VERSION, hide_start_up_lines

COMMANDS: dict[str, Command] = {
    "quickstart": quickstart,
    "run": run_videos,
    "status": status,
    "catalog": catalog,
    "doctor": doctor,
    "convert": convert,
    "dataservice": dataservice,
    "train": train,
    "space": space,
    "compare": compare,
    "stability": stability,
    "halve": halve,
    "evaluate": evaluate,
    "worth": worth,
    "ranking": ranking,
    "trials": trials,
    "derive": derive,
    "test": test,
    "report": report,
    "export": export,
    "predict": predict,
    "features": features,
    "serve": serve,
    "demo": demo,
    "explain": explain,
    "models": models,
}
PIPE_CLOSED = 141
"""The exit code if nobody reads the output any more: that of other tools, 128 + SIGPIPE."""
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # all except tabs and newlines
# commands that take positional arguments
TAKES_FILES = ("compare", "demo", "explain", "predict", "run", "serve", "stability", "status")


def flags_of(name: str) -> flags.FlagValues:
    """Returns the flags of a command, including those that every command has."""
    values = flags.FlagValues()
    COMMANDS[name].define(values)
    text = "-2: errors, -1: also warnings, 0: also progress, 1: also TensorFlow's start-up lines"
    flags.DEFINE_integer("verbosity", 0, text, -2, 1, flag_values=values)
    return values


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code: 0, else see docs/commands.md."""
    try:
        code = _main(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
    except BrokenPipeError:  # such as that of `| head`
        _discard_output()
        return PIPE_CLOSED
    except OSError as error:  # such as a full disk; those of a command are handled below
        _discard_output()
        print(f"vdroppath: the output cannot be written: {error}", file=sys.stderr)
        return 1
    return code


def _discard_output() -> None:
    """Sends what is still printed nowhere, so that Python does not complain when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with contextlib.suppress(OSError, ValueError):  # not a file, in tests
        os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _main(arguments: list[str]) -> int:
    """Runs the command line; a closed pipe is an error."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(overview(COMMANDS))
        return 0 if arguments else 2
    if arguments[0] == "--version":
        print(f"vdroppath {VERSION}")
        return 0
    name, *rest = arguments
    if name not in COMMANDS:
        near = nearest(name, [*COMMANDS, "--help", "--version"])
        said = f"vdroppath: there is no command {without_secrets(name)!r}. {near}"
        print(f"{said.rstrip()}\n\n{overview(COMMANDS)}", file=sys.stderr)
        return 2
    values = flags_of(name)
    if {"-h", "--help"} & set(rest):
        print(usage(COMMANDS[name], values))
        return 0
    try:
        positional = values(["vdroppath", *rest])[1:]
        if positional and name not in TAKES_FILES:
            raise flags.Error(f"takes flags only. Received: {' '.join(positional)}")
        check_values(values)
    except flags.Error as error:
        said = f"vdroppath {name}: {shortened(without_secrets(_plain(error, values)))}"
        print(f"{said}\nSee vdroppath {name} --help.", file=sys.stderr)
        return 2
    return _run(name, values, positional)


def _plain(error: flags.Error, values: flags.FlagValues) -> str:
    """Rewords an error about a number without Python's terms, and adds the nearest flag."""
    if isinstance(error, flags.UnrecognizedFlagError):
        near = re.sub(r"'(\w+)'", r"--\1", nearest(error.flagname, [*values, "help"]))
        return f"there is no flag --{error.flagname}. {near}".rstrip()
    text = re.sub(r"invalid literal for int\(\).*", "expected a whole number", str(error))
    return re.sub(r"could not convert string to float.*", "expected a number", text)


def _run(name: str, values: flags.FlagValues, positional: Sequence[str]) -> int:
    _plain_logging(values)
    if values.verbosity < 1:
        hide_start_up_lines()
    try:
        check_needs(values)
        check_places(values, positional)
        with warnings.catch_warnings():
            warnings.simplefilter("always", SpaceWarning)
            warnings.showwarning = _say(warnings.showwarning)
            COMMANDS[name].run(values, positional)
    except BrokenPipeError:
        raise
    except Exception as error:
        if not can_be_mended(error):
            raise
        logging.error("vdroppath %s: %s", name, one_message(error))
        return exit_code(error)
    except KeyboardInterrupt:
        logging.error("vdroppath %s: stopped. The same command resumes where it can.", name)
        return 130
    return 0


def _say(otherwise: Callable[..., None]) -> Callable[..., None]:
    """Logs this package's warnings as lines, without a position in the source."""

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if issubclass(category, SpaceWarning):
            logging.warning("%s", message)
        else:
            otherwise(message, category, *place, **more)

    return show


class _Printable(FlagFormatter):
    """Escapes control characters, which a terminal would obey, and removes secrets from URLs."""

    def format(self, record: std_logging.LogRecord) -> str:
        text = without_secrets(super().format(record))
        return _CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


def _plain_logging(values: flags.FlagValues) -> None:
    """Logs this package's messages as plain lines, and only warnings of other packages."""
    if not flags.FLAGS.is_parsed():
        # absl's logging has flags of its own. Parsing them would want those that the caller's own
        # program requires.
        flags.FLAGS.mark_as_parsed()
    logging.use_absl_handler()
    logging.set_verbosity(min(values.verbosity, 0))
    std_logging.getLogger("tensorflow").setLevel(std_logging.WARNING)  # TensorFlow's default too
    handler = logging.get_absl_handler()
    handler.python_handler.setStream(sys.stderr)  # the current one, not that at absl's import
    handler.setFormatter(_Printable(values))
    handler.addFilter(_is_worth_saying)


def _is_worth_saying(record: std_logging.LogRecord) -> bool:
    here = str(Path(__file__).parent)
    return record.levelno > std_logging.INFO or record.pathname.startswith(here)


def run() -> None:
    """Runs the console script."""
    try:
        code = main()
    except KeyboardInterrupt:
        code = 130
    except Exception:
        sys.excepthook(*sys.exc_info())
        code = 1
    if "tensorflow_io" not in sys.modules:
        sys.exit(code)
    from vdroppath_tf.data.remote.files import leave

    leave(code)
