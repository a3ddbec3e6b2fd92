"""Servers of tf.data service: other machines decode clips for `stream_clips`."""

from __future__ import annotations

import socket

import tensorflow as tf

from vdroppath_tf.names import named


@named
def start_dispatcher(
    port: int = 0, *, journal: str | None = None
) -> tf.data.experimental.service.DispatchServer:
    """Starts a dispatcher of tf.data service in this process.

    It listens on every address of the machine, as TensorFlow's servers always do, and anyone who
    reaches the port can use it: keep it inside a network that you trust.

    Args:
        port: to listen on; 0 takes a free one, which is in `target` of the server.
        journal: folder where it notes what it does; with it, it goes on when it is started again.
            It needs the same port then.

    Returns:
        The server, which stops when it is deleted.

    Raises:
        OSError: the port is taken, or the server cannot be started.
    """
    _check_free(port)
    config = tf.data.experimental.service.DispatcherConfig(
        port=port, fault_tolerant_mode=journal is not None, work_dir=journal
    )
    try:
        return tf.data.experimental.service.DispatchServer(config)
    except tf.errors.OpError as error:
        raise OSError(f"no dispatcher can be started ({error.message}).") from None


@named
def start_worker(
    dispatcher: str, port: int = 0, *, host: str = "localhost"
) -> tf.data.experimental.service.WorkerServer:
    """Starts a worker of tf.data service in this process; waits for its dispatcher.

    It listens on every address of the machine, as TensorFlow's servers always do, and anyone who
    reaches the port can use it: keep it inside a network that you trust.

    Args:
        dispatcher: `host:port` of the dispatcher, with or without `grpc://`.
        port: to listen on; 0 takes a free one.
        host: name or address under which those who read clips reach this machine.

    Returns:
        The server, which stops when it is deleted.

    Raises:
        OSError: the port is taken, or the server cannot be started.
    """
    _check_free(port)
    config = tf.data.experimental.service.WorkerConfig(
        dispatcher_address=dispatcher.removeprefix("grpc://"),
        worker_address=f"{host}:{port or '%port%'}",
        port=port,
    )
    try:
        return tf.data.experimental.service.WorkerServer(config)
    except tf.errors.OpError as error:
        raise OSError(f"no worker can be started for {dispatcher} ({error.message}).") from None


def _check_free(port: int) -> None:
    """Stops at a port that is taken: gRPC would share it, and each server get half the calls."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError as error:
            raise OSError(f"port {port}: cannot be used ({error}). Pass another one.") from None
