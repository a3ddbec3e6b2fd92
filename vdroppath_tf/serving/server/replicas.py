"""The same server as replicas on the machines of a Ray cluster, by Ray Serve.

Ray Serve takes the ASGI application as it is; how many replicas there are, and where, is its own
configuration. See ``docs/ray_serve.yaml``.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vdroppath_tf.names import named
from vdroppath_tf.serving.server.limits import Limits


@named
def replicated(arguments: Mapping[str, Any]) -> Any:
    """What ``serve deploy`` of Ray runs; needs ``ray[serve]``.

    Args:
        arguments: Mapping, ``args`` of the configuration: ``models``, the name of each model to its
            folder, which every machine can read; ``limits``, fields of ``Limits``; and ``keep``,
            how many versions of a model are served.

    Returns:
        A ``ray.serve.Application``.

    Raises:
        ValueError: If there is no model, or an argument is unknown.
    """
    unknown = set(arguments) - {"models", "limits", "keep"}
    if unknown or not arguments.get("models"):
        raise ValueError(
            f"Expected models (name: folder), and limits and keep where they are not the usual. "
            f"Received: {sorted(arguments)}"
        )
    Limits(**arguments.get("limits", {}))  # here, rather than on every machine
    from ray import serve

    build = functools.partial(_application, dict(arguments))

    @serve.deployment
    @serve.ingress(build)
    class VideoServer:
        """A replica: all of ``vdroppath serve`` but its listening."""

    deployed: Any = VideoServer  # what the decorators make of it
    return deployed.bind()


def _application(arguments: Mapping[str, Any]) -> Any:
    from vdroppath_tf.serving.server.app import application
    from vdroppath_tf.serving.server.runtimes import loader
    from vdroppath_tf.serving.server.versions import Models

    limits = Limits(**arguments.get("limits", {}))
    places = {name: Path(folder) for name, folder in arguments["models"].items()}
    models = Models(places, loader(), keep=arguments.get("keep", 1), max_batch=limits.max_batch)
    return application(models, limits, any_host=True)
