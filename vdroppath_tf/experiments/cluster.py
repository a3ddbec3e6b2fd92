"""Runs jobs on a Ray cluster (extra ``cluster``): each is a Ray task with one CPU."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from vdroppath_tf.experiments.one_job import Place, run_job

LOCAL = "local"
"""The address of a local Ray, which is started and stopped with the jobs."""


@contextmanager
def on_cluster(address: str, processes: int) -> Iterator[Place]:
    """Yields a Ray cluster as a place for jobs.

    Args:
        address: ``"local"``, or what ``ray.init`` takes, such as ``"auto"``.
        processes: The number of parallel jobs; 0 for one on each of the cluster's CPUs.

    Raises:
        ValueError: If Ray is not installed.
        ConnectionError: If there is no cluster at the address.
    """
    try:
        import ray
    except ImportError:
        raise ValueError(
            f"cluster={address!r}: jobs on a cluster need Ray, which is not installed. Run pip "
            "install 'vdroppath_tf[cluster]', here and on the cluster's machines."
        ) from None
    cores = len(os.sched_getaffinity(0))
    threads = max(1, cores // (processes or cores)) if address == LOCAL else 1
    variables = {"TF_NUM_INTRAOP_THREADS": str(threads)}
    options: dict[str, Any] = {}
    if address == LOCAL:
        variables["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        options = {"num_cpus": processes or cores, "include_dashboard": False}
    ray.init(address, runtime_env={"env_vars": variables}, log_to_driver=True, **options)
    # the caller restarts killed jobs and logs that; Ray would restart them silently
    task = ray.remote(num_cpus=1, max_retries=0)(_task)

    def run(function: Callable[..., Any], job: tuple[Any, ...]) -> Any:
        result, error = ray.get(task.remote(function, job))
        if error is not None:
            raise error
        return result

    try:
        count = processes or int(ray.cluster_resources().get("CPU", 1))
        yield Place(count, run, (ray.exceptions.RayError,))
    finally:
        ray.shutdown()


def _task(function: Callable[..., Any], job: tuple[Any, ...]) -> tuple[Any, Exception | None]:
    """Returns a result or an error: Ray would raise an error of another class."""
    try:
        return run_job(function, job, 0), None
    except Exception as error:
        return None, error
