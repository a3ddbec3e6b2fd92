"""Serve networks over HTTP: requests hold a video, answers its most probable classes."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path

from absl import flags, logging

from vdroppath_tf.commands.choices import RUNTIMES, SERVER_LIMITS
from vdroppath_tf.commands.flag_kinds import define_string
from vdroppath_tf.names import named
from vdroppath_tf.serving.server.limits import Limits

EXAMPLE = "vdroppath serve served jumps=other/served --port=8000"


def define(values: flags.FlagValues) -> None:
    """Declares the flags of the command."""
    define_server(values)
    text = "number of newest versions of each model that are served"
    flags.DEFINE_integer("versions", 1, text, lower_bound=1, flag_values=values)


@named
def define_server(values: flags.FlagValues, *, port: int = 8000) -> None:
    """Defines the flags of a server, with its default port."""
    text = "address to listen on; with 0.0.0.0 any machine that can reach this one may use it"
    define_string(values, "host", text, "127.0.0.1")
    flags.DEFINE_integer("port", port, "port; 0: any free port", 0, 65535, flag_values=values)
    for name, (default, text) in SERVER_LIMITS.items():
        allowed = Limits.RANGES[name]
        kind = flags.DEFINE_integer if allowed.whole else flags.DEFINE_float
        kind(name, default, text, allowed.low, allowed.high, flag_values=values)
    text = "number of processes that decode videos (default: one for each core)"
    flags.DEFINE_integer("workers", None, text, lower_bound=1, flag_values=values)
    text = "runtime of a version; auto: OpenVINO if the version has it and it is installed"
    flags.DEFINE_enum("runtime", "auto", RUNTIMES, text, flag_values=values)
    text = "seconds between checks for new versions"
    flags.DEFINE_float("poll_seconds", 5.0, text, 0.1, 86400.0, flag_values=values)


def run(values: flags.FlagValues, models: Sequence[str]) -> None:
    """Serves until the process is stopped."""
    serve(values, places_of(models), keep=values.versions, on_start=_say)


def _say(address: str) -> None:
    print(address, flush=True)  # read by programs that start this one


def _say_stopping() -> None:
    logging.info("Stopping: requests in progress are still answered.")


@named
def serve(
    values: flags.FlagValues,
    places: dict[str, Path],
    *,
    keep: int,
    on_start: Callable[[str], object],
) -> None:
    """Serves the models in some folders until the process is stopped.

    Args:
        values: The flags, including those of ``define_server``.
        places: The folder of each model by name.
        keep: The number of versions of each.
        on_start: A function that is called with the address.

    Raises:
        ValueError: If a package or a model is missing.
        OSError: If the address is in use.
    """
    for package in ("starlette", "uvicorn", "python_multipart", "prometheus_client"):
        if importlib.util.find_spec(package) is None:
            raise ValueError(
                f"A server needs {package}. Install it with pip install 'vdroppath_tf[serve]'."
            )
    # TensorFlow and the models take seconds, on a busy machine a minute
    many = f"{len(places)} model{'' if len(places) == 1 else 's'}"
    logging.info("Loading %s: %s ...", many, ", ".join(places))
    from vdroppath_tf.serving import server
    from vdroppath_tf.serving.frozen import frozen_weights
    from vdroppath_tf.serving.threads import few_threads
    from vdroppath_tf.serving.version_folders import newest_version

    limits = server.Limits(
        **{name: values[name].value for name in SERVER_LIMITS}, workers=values.workers
    )
    with frozen_weights(), few_threads(newest_version(place) for place in places.values()):
        loaded = server.Models(
            places, server.loader(values.runtime), keep=keep, max_batch=limits.max_batch
        )
        for name in loaded.names:
            for version in loaded.versions(name):
                runs = getattr(version.network, "format", "")
                logging.info(
                    "%s: serves version %d of %s, %s", name, version.number, version.path, runs
                )
        everywhere = values.host not in ("127.0.0.1", "localhost")
        app = server.application(
            loaded, limits, poll_seconds=values.poll_seconds, any_host=everywhere
        )
        where = {"host": values.host, "port": values.port}
        server.run_server(app, limits, **where, on_start=on_start, on_stop=_say_stopping)


@named
def places_of(models: Sequence[str]) -> dict[str, Path]:
    """Returns the folders of models by name: NAME=FOLDER, or by the folder's name.

    Raises:
        ValueError: If there is none, two have the same name, or a folder is missing.
    """
    if not models:
        raise ValueError("Pass at least one model: a folder of vdroppath export, or NAME=FOLDER.")
    places: dict[str, Path] = {}
    for text in models:
        name, equals, folder = text.partition("=")
        path = Path(folder if equals else text)
        if not equals:
            name = _name_of(path)
        if not path.is_dir():
            raise ValueError(f"{text}: there is no folder {path}. Expected one from export.")
        if not name or not all(c.isalnum() or c in "-_." for c in name):
            raise ValueError(
                f"{text}: {name!r} is not a valid name. Expected letters, digits and -_. before ="
            )
        if name in places:
            raise ValueError(f"{text}: a second model {name!r}. Expected other names: NAME=FOLDER.")
        places[name] = path
    return places


def _name_of(path: Path) -> str:
    """Returns the name of the folder; for a version, that of its parent."""
    path = path.absolute()
    return path.parent.name if path.name.isdecimal() else path.name
