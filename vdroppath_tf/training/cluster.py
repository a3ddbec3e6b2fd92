"""Finds the machines that train together in the environment of a scheduler."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vdroppath_tf.files import parse_json
from vdroppath_tf.names import named

TF_CONFIG = "TF_CONFIG"
_EXPECTED = '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", ...}}'
_PORTS = 20_000, 30_000  # the range for SLURM jobs, chosen by the number of the job


@named
@dataclass(frozen=True)
class Cluster:
    """The processes that train together.

    Attributes:
        workers: Host and port of each process; the first is the chief, the only one to write files.
        index: The number of this process among them.

    Example:
    ```python
    cluster = Cluster(("a:1234", "b:1234"), index=1)
    cluster.chief, cluster.tf_config()
    ```
    """

    workers: tuple[str, ...]
    index: int

    @property
    def chief(self) -> bool:
        """Whether this process is the first."""
        return self.index == 0

    def tf_config(self) -> str:
        """Returns the cluster in the form of the environment variable ``TF_CONFIG``."""
        task = {"type": "worker", "index": self.index}
        return json.dumps({"cluster": {"worker": list(self.workers)}, "task": task})


@named
def cluster_of_environment(environment: Mapping[str, str] | None = None) -> Cluster:
    """Returns the cluster of ``TF_CONFIG`` or, without it, of a SLURM job step.

    Args:
        environment: Environment variables. Defaults to those of this process.

    Raises:
        ValueError: If there is neither, or the values are invalid.

    Example:
    ```python
    tf_config = '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}}'
    cluster_of_environment({"TF_CONFIG": tf_config}).index  # 1
    ```
    """
    found = os.environ if environment is None else environment
    if found.get(TF_CONFIG):
        return _of_tf_config(found[TF_CONFIG])
    if "SLURM_PROCID" in found and "SLURM_STEP_NODELIST" in found:
        return _of_slurm(found)
    raise ValueError(
        "devices=multiworker needs to know the other machines, and neither TF_CONFIG nor a SLURM "
        "job step is in the environment. Start it with srun, set TF_CONFIG on each machine, or "
        "pass --workers=2 to start that many on this one."
    )


def _of_tf_config(text: str) -> Cluster:
    try:
        fields: Any = parse_json(text)
        cluster, task = fields["cluster"], fields["task"]
        kind, index = task["type"], int(task["index"])
        chiefs, others = (_addresses(cluster.get(name, [])) for name in ("chief", "worker"))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"TF_CONFIG is not as expected ({error!r}): {_EXPECTED}.") from None
    if kind not in ("chief", "worker"):
        raise ValueError(
            f"TF_CONFIG makes this process a {kind!r}. Expected a worker or the chief: training "
            "here is synchronous, without parameter servers and evaluators."
        )
    workers = chiefs + others
    place = index if kind == "chief" else len(chiefs) + index
    own = chiefs if kind == "chief" else others
    if not 0 <= index < len(own):
        raise ValueError(
            f"TF_CONFIG: this process is {kind} {index}, and the cluster has {len(own)} of these."
        )
    return Cluster(workers, place)


def _addresses(found: Any) -> tuple[str, ...]:
    if not isinstance(found, list) or not all(isinstance(one, str) and ":" in one for one in found):
        raise ValueError(f"hosts and ports are expected, not {found!r}")
    return tuple(found)


def _of_slurm(found: Mapping[str, str]) -> Cluster:
    """Returns the tasks of a job step in the order of ``srun``: node after node."""
    try:
        hosts = _hosts(found["SLURM_STEP_NODELIST"])
        tasks = _tasks(found.get("SLURM_STEP_TASKS_PER_NODE", "1"), len(hosts))
        index = int(found["SLURM_PROCID"])
        job = int(found.get("SLURM_JOB_ID", "0"))
    except ValueError as error:
        raise ValueError(f"SLURM's variables are not as expected: {error}.") from None
    first, last = _PORTS
    base = first + (job * 16) % (last - first)
    workers = [
        f"{host}:{base + n}" for host, own in zip(hosts, tasks, strict=True) for n in range(own)
    ]
    if not 0 <= index < len(workers):
        raise ValueError(f"SLURM_PROCID is {index}, and the step has {len(workers)} tasks.")
    return Cluster(tuple(workers), index)


def _hosts(text: str) -> list[str]:
    """``gpu[01-03,7],login`` as names."""
    names: list[str] = []
    for part in _split(text):
        head, bracket, rest = part.partition("[")
        if not bracket:
            names.append(part)
            continue
        inside, closed, tail = rest.partition("]")
        if not closed or "[" in tail:
            raise ValueError(f"the list of nodes {text!r} cannot be read")
        for piece in inside.split(","):
            low, _, high = piece.partition("-")
            for number in range(int(low), int(high or low) + 1):
                names.append(f"{head}{number:0{len(low)}d}{tail}")
    return names


def _split(text: str) -> list[str]:
    """Splits a text at commas outside of brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "[") - (letter == "]")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part for part in parts if part]


def _tasks(text: str, nodes: int) -> list[int]:
    """Parses ``2(x3),1`` to numbers, one for each node."""
    found: list[int] = []
    for part in text.split(","):
        number, _, times = part.partition("(x")
        found += [int(number)] * int(times.rstrip(")") or 1)
    if len(found) != nodes:
        raise ValueError(f"{len(found)} numbers of tasks for {nodes} nodes ({text})")
    return found
