"""What a process does with a bucket; tests of object stores run it and look at its answer.

store_job.py <s3, az or gs> <URL of a web server>
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

from web import DATA

from vdroppath_tf.data.remote import files as remote


def said(call: Callable[[], object]) -> str:
    """The error of a call."""
    try:
        call()
    except ValueError as error:
        return str(error)
    return ""


def plain(bucket: str) -> dict[str, object]:
    """This package's own reading and writing."""
    url = f"{bucket}/part one/data"
    remote.write_file(url, DATA)
    for name in ("a", "b/c"):
        remote.write_file(remote.join(f"{bucket}/list", name), b"x")
    remote.delete_file(f"{bucket}/list/a")
    remote.delete_file(f"{bucket}/list/a")
    return {
        "ranges": all(
            remote.read_range(url, offset, length) == DATA[offset : offset + length]
            for offset, length in ((0, 1), (1000, 77), (0, len(DATA)), (len(DATA) - 1, 1))
        ),
        "whole": remote.read_file(url, limit=len(DATA)) == DATA,
        "listed": remote.list_files(f"{bucket}/list"),
        "nothing": remote.list_files(f"{bucket}/none"),
        "short": said(lambda: remote.read_range(url, len(DATA) - 5, 9)),
        "beyond": said(lambda: remote.read_range(url, len(DATA) + 5, 9)),
        "large": said(lambda: remote.read_file(url, limit=99)),
        "missing": said(lambda: remote.read_range(f"{bucket}/none?sig=hunter2", 0, 9)),
    }


def native(http: str) -> dict[str, object]:
    """What TensorFlow itself does once tensorflow-io is loaded, inside its graphs too."""
    import tensorflow as tf

    with tf.io.TFRecordWriter("s3://bucket/native/shard") as writer:
        for k in range(5):
            writer.write(bytes([k]) * 9)
    records = [r.numpy() for r in tf.data.TFRecordDataset("s3://bucket/native/shard")]
    kept, other = tf.Variable([1.0, 2.0]), tf.Variable([0.0, 0.0])
    tf.train.Checkpoint(v=kept).write("s3://bucket/native/weights")
    tf.train.Checkpoint(v=other).read("s3://bucket/native/weights").assert_consumed()
    with tf.summary.create_file_writer("s3://bucket/native/logs").as_default(step=1):
        tf.summary.scalar("loss", 1.0)
    with tf.io.gfile.GFile(http, "rb") as file:
        file.seek(1000)
        part = file.read(77)
    return {
        "records": records == [bytes([k]) * 9 for k in range(5)],
        "weights": other.numpy().tolist(),
        "http": part == DATA[1000:1077],
    }


if __name__ == "__main__":
    scheme, http = sys.argv[1:]
    answer = {"reader": remote.probe()[scheme], **plain(f"{scheme}://bucket")}
    if answer["reader"] == "tensorflow-io":
        answer |= native(http)
    print(json.dumps(answer))
    remote.leave(7)
