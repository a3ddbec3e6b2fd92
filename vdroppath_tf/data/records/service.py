"""Servers of the tf.data service, on which other machines decode clips for `stream_clips`."""

from __future__ import annotations

import re
import socket

import tensorflow as tf

from vdroppath_tf.data.records.listening import addresses_of, hear_only
from vdroppath_tf.data.remote.urls import shown
from vdroppath_tf.names import named

_ADDRESS = re.compile(r"(?:[\w.-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}")


@named
def start_dispatcher(
    port: int = 0,
    *,
    host: str = "localhost",
    listen: str | None = None,
    journal: str | None = None,
) -> tf.data.experimental.service.DispatchServer:
    """Starts a dispatcher of tf.data service in this process.

    The server has no authentication or encryption: everyone who can reach the address can use it.
    TensorFlow's servers listen on every address of a machine. On Linux, a filter restricts this one
    to those of `listen`, shortly after its start.

    Args:
        port: The port to listen on. Defaults to 0, a free one, which is in the server's `target`.
        host: The name or address under which others reach this machine. Defaults to "localhost".
        listen: The name or address to listen on; `"0.0.0.0"` means all. Defaults to None, the
            addresses of `host`.
        journal: The folder in which it records its state, so that it can resume after a restart
            with the same port. Defaults to None.

    Returns:
        The server, which stops when it is deleted.

    Raises:
        OSError: If the port is taken, the address does not belong to this machine or cannot be
            listened on, or the server cannot be started.

    Example:
        ```python
        dispatcher = start_dispatcher(5050, host="10.0.0.1")
        ```
    """
    addresses = addresses_of(host if listen is None else listen)
    port = _free_port(port)
    config = tf.data.experimental.service.DispatcherConfig(
        port=port, fault_tolerant_mode=journal is not None, work_dir=journal
    )
    try:
        server = tf.data.experimental.service.DispatchServer(config)
    except tf.errors.OpError as error:
        raise OSError(f"no dispatcher can be started ({error.message}).") from None
    if addresses:
        hear_only(port, addresses)
    return server


@named
def start_worker(
    dispatcher: str, port: int = 0, *, host: str = "localhost", listen: str | None = None
) -> tf.data.experimental.service.WorkerServer:
    """Starts a worker of the tf.data service in this process; waits for its dispatcher.

    Access and addresses are as for `start_dispatcher`.

    Args:
        dispatcher: The `host:port` of the dispatcher, with or without `grpc://`.
        port: The port to listen on. Defaults to 0, a free one.
        host: The name or address under which readers of clips reach this machine. Defaults to
            "localhost".
        listen: The name or address to listen on; `"0.0.0.0"` means all. Defaults to None, the
            addresses of `host`.

    Returns:
        The server, which stops when it is deleted.

    Raises:
        OSError: If the port is taken, the address does not belong to this machine or cannot be
            listened on, or the server cannot be started.
        ValueError: If `dispatcher` is not an address.

    Example:
        ```python
        worker = start_worker("10.0.0.1:5050", host="10.0.0.2")
        ```
    """
    target = dispatcher.removeprefix("grpc://")
    if _ADDRESS.fullmatch(target) is None:
        raise ValueError(
            f"{shown(dispatcher)}: is not the address of a dispatcher. Expected host:port, such as "
            "10.0.0.1:5050."
        )
    addresses = addresses_of(host if listen is None else listen)
    port = _free_port(port)
    config = tf.data.experimental.service.WorkerConfig(
        dispatcher_address=target,
        worker_address=f"{host}:{port}",
        port=port,
    )
    try:
        server = tf.data.experimental.service.WorkerServer(config)
    except tf.errors.OpError as error:
        raise OSError(f"no worker can be started for {dispatcher} ({error.message}).") from None
    if addresses:
        hear_only(port, addresses)
    return server


def _free_port(port: int) -> int:
    """Returns the port, or a free one for 0.

    Raises:
        OSError: If it is taken: gRPC would share it, and each server would get half of the calls.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
            return int(probe.getsockname()[1])
        except OSError as error:
            raise OSError(f"port {port}: cannot be used ({error}). Pass another one.") from None
