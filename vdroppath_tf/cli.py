"""The ``vdroppath`` command: one sub-command a step of the loop, absl flags and logging."""

from __future__ import annotations

import logging as std_logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from absl import flags, logging

from . import commands
from .data.catalog import ManifestError
from .data.decode import VideoError
from .training.callbacks import NonFiniteLossError

# what a user can mend: said in one line, without a traceback
USER_ERRORS = (ValueError, VideoError, ManifestError, NonFiniteLossError, OSError)


class Command(NamedTuple):
    """A sub-command: what it does, how it is called, its flags, and the function that runs it."""

    summary: str
    example: str
    define: Callable[[flags.FlagValues], None]
    run: Callable[[flags.FlagValues, Sequence[str]], None]


COMMANDS = {
    "quickstart": Command(
        "Run the whole loop on two small known-answer tasks and write a report.",
        "vdroppath quickstart --out=quickstart",
        commands.define_quickstart,
        commands.quickstart,
    ),
    "train": Command(
        "Train a template (warm-up, then v-DropPath), or with --strategy one network on its own.",
        "vdroppath train --recipe=small --data=clips/train.txt --validation=clips/val.txt --out=run",
        commands.define_train,
        commands.train,
    ),
    "space": Command(
        "Print the probability space of a trained template, and write it as JSON.",
        "vdroppath space --model=run/template.keras --out=run/space.json",
        commands.define_space,
        commands.space,
    ),
    "evaluate": Command(
        "Score strategies of a template: draws from its space, or those named by --strategy.",
        "vdroppath evaluate --model=run/template.keras --data=clips/val.txt "
        "--train_data=clips/train.txt --draws=100 --out=run/scores.json",
        commands.define_evaluate,
        commands.evaluate,
    ),
    "derive": Command(
        "Derive the network of one strategy from a template, with its trained weights.",
        "vdroppath derive --model=run/template.keras --scores=run/scores.json "
        "--train_data=clips/train.txt --finetune --out=run/derived.keras",
        commands.define_derive,
        commands.derive,
    ),
    "export": Command(
        "Export a network as a SavedModel that needs TensorFlow alone.",
        "vdroppath export --model=run/derived.keras --labels=clips/labels.txt --out=served/1",
        commands.define_export,
        commands.export,
    ),
    "predict": Command(
        "Say what a SavedModel sees in video files.",
        "vdroppath predict --model=served/1 a.mp4 b.avi",
        commands.define_predict,
        commands.predict,
    ),
}


def overview() -> str:
    """What ``vdroppath --help`` prints."""
    lines = [f"  {name:11s} {command.summary}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            "usage: vdroppath COMMAND [--flag=value ...]",
            "",
            "Learn which fusion of space and time each layer of a 3D CNN wants.",
            "",
            *lines,
            "",
            "vdroppath COMMAND --help shows a command's flags and an example.",
        ]
    )


def usage(name: str, values: flags.FlagValues) -> str:
    """What ``vdroppath COMMAND --help`` prints."""
    command = COMMANDS[name]
    listed = [_flag_help(values[flag]) for flag in sorted(values)]
    return "\n".join([command.summary, "", f"example: {command.example}", "", "flags:", *listed])


def _flag_help(flag: flags.Flag) -> str:
    default = "" if flag.default in (None, "", []) else f" (default: {flag.default})"
    return f"  --{flag.name:22s} {flag.help}{default}"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code: 0, 1 for a user's error, 2 for a wrong call."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(overview())
        return 0 if arguments else 2
    name, *rest = arguments
    if name not in COMMANDS:
        print(f"vdroppath: there is no command {name!r}.\n\n{overview()}", file=sys.stderr)
        return 2
    values = flags.FlagValues()
    COMMANDS[name].define(values)
    if {"-h", "--help"} & set(rest):
        print(usage(name, values))
        return 0
    try:
        positional = values(["vdroppath", *rest])[1:]
        values.validate_all_flags()
    except flags.Error as error:
        print(f"vdroppath {name}: {error}\nSee vdroppath {name} --help.", file=sys.stderr)
        return 2
    return _run(name, values, positional)


def _run(name: str, values: flags.FlagValues, positional: Sequence[str]) -> int:
    _plain_logging()
    try:
        COMMANDS[name].run(values, positional)
    except USER_ERRORS as error:
        logging.error("vdroppath %s: %s", name, error)
        return 1
    except KeyboardInterrupt:
        logging.error("vdroppath %s: stopped. The same command goes on where it can.", name)
        return 130
    return 0


def _plain_logging() -> None:
    """This package's account as plain lines; of other packages only warnings."""
    if not flags.FLAGS.is_parsed():
        flags.FLAGS(["vdroppath"])  # absl's logging has flags of its own, and waits for them
    logging.use_absl_handler()
    logging.set_verbosity(logging.INFO)
    handler = logging.get_absl_handler()
    handler.setFormatter(std_logging.Formatter("%(message)s"))
    here = str(Path(__file__).parent)
    handler.addFilter(
        lambda record: record.levelno > std_logging.INFO or record.pathname.startswith(here)
    )


def run() -> None:
    """The console script."""
    sys.exit(main())
