"""The same server as replicas on the machines of a Ray cluster, with Ray Serve.

Ray Serve runs the unchanged ASGI application; its own configuration sets the number of replicas and
their places. See ``docs/ray_serve.yaml``.
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
    """Builds the application for ``serve deploy`` of Ray; needs ``ray[serve]``.

    Args:
        arguments: Mapping, ``args`` of the configuration: ``models``, the folder of each model by
            name, which every machine can read; ``limits``, fields of ``Limits``; and ``keep``, the
            number of versions of a model that are served.

    Returns:
        A ``ray.serve.Application``.

    Raises:
        ValueError: If there is no model, or an argument is unknown.

    Example:
        ```python
        serve.run(replicated({"models": {"video": "/models/video"}, "limits": {"max_batch": 4}}))
        ```
    """
    unknown = set(arguments) - {"models", "limits", "keep"}
    if unknown or not arguments.get("models"):
        raise ValueError(
            f"Expected models (name: folder), and optionally limits and keep. "
            f"Received: {sorted(arguments)}"
        )
    Limits(**arguments.get("limits", {}))  # raises here, rather than on every machine
    from ray import serve

    build = functools.partial(_application, dict(arguments))

    @serve.deployment
    @serve.ingress(build)
    class VideoServer:
        """A replica: the application of ``vdroppath serve`` without its socket."""

    deployed: Any = VideoServer  # the result of the decorators
    return deployed.bind()


def _application(arguments: Mapping[str, Any]) -> Any:
    from vdroppath_tf.serving.server.app import application
    from vdroppath_tf.serving.server.runtimes import loader
    from vdroppath_tf.serving.server.versions import Models

    limits = Limits(**arguments.get("limits", {}))
    places = {name: Path(folder) for name, folder in arguments["models"].items()}
    models = Models(places, loader(), keep=arguments.get("keep", 1), max_batch=limits.max_batch)
    return application(models, limits, any_host=True)
