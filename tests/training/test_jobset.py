"""The manifest for Kubernetes is one of JobSet: by its own schema, cut to the fields it uses.

The schema is of github.com/kubernetes-sigs/jobset (Apache-2.0), v1alpha2, August 2026.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vdroppath_tf.training import cluster_of_environment

HERE = Path(__file__).parent
KINDS: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
}


def wrong(value: Any, schema: dict[str, Any], place: str = "") -> list[str]:
    """What of a value a schema does not allow; fields that it does not know among it."""
    if "x-kubernetes-int-or-string" in schema:
        return [] if isinstance(value, (int, str)) else [place]
    if not isinstance(value, KINDS[schema["type"]]):
        return [f"{place}: {value!r} is no {schema['type']}"]
    if isinstance(value, list):
        parts = [wrong(one, schema["items"], f"{place}/{n}") for n, one in enumerate(value)]
        return [each for part in parts for each in part]
    missing = [name for name in schema.get("required", ()) if name not in value]
    found = [f"{place}: {name} is missing" for name in missing]
    if not isinstance(value, dict) or not ({"properties", "additionalProperties"} & set(schema)):
        return found
    for name, own in value.items():
        known = schema.get("properties", {}).get(name) or schema.get("additionalProperties")
        found += wrong(own, known, f"{place}/{name}") if known else [f"{place}: unknown {name}"]
    return found


@pytest.fixture
def manifest() -> Any:
    yaml: Any = pytest.importorskip("yaml")
    return yaml.safe_load((HERE.parents[1] / "docs" / "jobset.yaml").read_text())


def test_it_is_a_jobset(manifest: Any) -> None:
    schema = json.loads((HERE / "jobset_schema.json").read_text())
    assert wrong(manifest, schema) == []
    manifest["spec"]["replicatedJobs"][0]["template"]["spec"]["parallelism"] = "2"
    manifest["spec"]["restarts"] = 3
    assert wrong(manifest, schema) == [
        "/spec/replicatedJobs/0/template/spec/parallelism: '2' is no integer",
        "/spec: unknown restarts",
    ]


def test_its_workers_know_each_other(manifest: Any) -> None:
    job = manifest["spec"]["replicatedJobs"][0]
    pods = job["template"]["spec"]["template"]["spec"]
    (container,) = pods["containers"]
    config = next(one["value"] for one in container["env"] if one["name"] == "TF_CONFIG")
    name, port = manifest["metadata"]["name"], container["ports"][0]["containerPort"]
    count = job["template"]["spec"]["completions"]
    for index in range(count):
        cluster = cluster_of_environment({"TF_CONFIG": config.replace("$(INDEX)", str(index))})
        assert cluster.index == index
        hosts = [f"{name}-{job['name']}-0-{n}.{name}:{port}" for n in range(count)]
        assert list(cluster.workers) == hosts
    mounted = {one["name"] for one in container["volumeMounts"]}
    assert mounted == {one["name"] for one in pods["volumes"]}


def test_its_command_is_one(manifest: Any) -> None:
    from absl import flags

    from vdroppath_tf.commands import train

    spec = manifest["spec"]["replicatedJobs"][0]["template"]["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    line: list[str] = container["command"] + container["args"]
    name, rest = line[1], line[2:]
    values = flags.FlagValues()
    train.define(values)
    assert name == "train"
    assert values(["vdroppath", *rest])[1:] == []
    assert values.devices == "multiworker"
