"""The configuration of replicas on a Ray cluster, against Ray Serve's own schema and our names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="needs vdroppath_tf[serve]")

from vdroppath_tf.serving.server.replicas import replicated

CONFIGURATION = Path(__file__).parents[3] / "docs" / "ray_serve.yaml"


def test_the_configuration_is_one_of_ray_serve() -> None:
    schema = pytest.importorskip("ray.serve.schema", reason="needs ray[serve]")
    yaml = pytest.importorskip("yaml", reason="needs ray[serve]")
    fields = yaml.safe_load(CONFIGURATION.read_text())
    read = schema.ServeDeploySchema.model_validate(fields)
    (application,) = read.applications
    bound: Any = replicated(application.args)
    (deployment,) = application.deployments
    assert deployment.name == bound._bound_deployment.name


def test_what_it_imports_is_there() -> None:
    """Without Ray too."""
    place = re.search(r"import_path: (\S+):(\S+)", CONFIGURATION.read_text())
    assert place is not None
    assert (place[1], place[2]) == (replicated.__module__, replicated.__name__)


@pytest.mark.parametrize(
    "arguments", [{}, {"models": {}}, {"models": {"a": "b"}, "modles": 3}, {"limits": {}}]
)
def test_what_is_no_configuration(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="Expected models"):
        replicated(arguments)


def test_limits_are_checked_before_a_machine_is_asked() -> None:
    with pytest.raises(ValueError, match="max_waiting"):
        replicated({"models": {"a": "b"}, "limits": {"max_waiting": 0}})
