"""An S3 server on 127.0.0.1 with an empty bucket; prints its address and serves until killed."""

from __future__ import annotations

import logging
import threading

import boto3
from moto.server import ThreadedMotoServer

if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    address = f"http://127.0.0.1:{port}"
    client = boto3.client(
        "s3",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    client.create_bucket(Bucket="bucket")
    print(address, flush=True)
    threading.Event().wait()
