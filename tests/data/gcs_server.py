"""A server that speaks as Google Cloud Storage, on 127.0.0.1; prints its address."""

from __future__ import annotations

import socket
import threading

from gcp_storage_emulator.server import create_server

if __name__ == "__main__":
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    create_server("127.0.0.1", port, in_memory=True, default_bucket="bucket").start()
    print(f"http://127.0.0.1:{port}", flush=True)
    threading.Event().wait()
