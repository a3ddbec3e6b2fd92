"""Servers of tf.data service: other machines decode clips for `stream_clips`."""

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

    It asks nobody for a password, and encrypts nothing: whoever reaches the address can use it.
    TensorFlow's servers listen on every address of a machine. On Linux a filter keeps this one to
    those of `listen`, from a moment after its start on.

    Args:
        port: to listen on; 0 takes a free one, which is in `target` of the server.
        host: name or address under which others reach this machine.
        listen: name or address to listen on; None for those of `host`, `"0.0.0.0"` for all.
        journal: folder where it notes what it does; with it, it goes on when it is started again.
            It needs the same port then.

    Returns:
        The server, which stops when it is deleted.

    Raises:
        OSError: the port is taken, the address is not one of this machine or cannot be listened on,
            or the server cannot be started.
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
    """Starts a worker of tf.data service in this process; waits for its dispatcher.

    Who can use it, and where it listens, is as with `start_dispatcher`.

    Args:
        dispatcher: `host:port` of the dispatcher, with or without `grpc://`.
        port: to listen on; 0 takes a free one.
        host: name or address under which those who read clips reach this machine.
        listen: name or address to listen on; None for those of `host`, `"0.0.0.0"` for all.

    Returns:
        The server, which stops when it is deleted.

    Raises:
        OSError: the port is taken, the address is not one of this machine or cannot be listened on,
            or the server cannot be started.
        ValueError: `dispatcher` is no address.
    """
    target = dispatcher.removeprefix("grpc://")
    if _ADDRESS.fullmatch(target) is None:
        raise ValueError(
            f"{shown(dispatcher)}: is no address of a dispatcher. Expected host:port, such as "
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
    """The port, or a free one for 0.

    Raises:
        OSError: it is taken: gRPC would share it, and each server get half the calls.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
            return int(probe.getsockname()[1])
        except OSError as error:
            raise OSError(f"port {port}: cannot be used ({error}). Pass another one.") from None
