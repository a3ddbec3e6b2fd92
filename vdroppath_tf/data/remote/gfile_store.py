"""Object stores that TensorFlow reads itself or through tensorflow-io."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import tensorflow as tf

from vdroppath_tf.data.remote.store import Store


class GfileStore(Store):
    """An object store that TensorFlow reads: gs://, and s3:// and az:// with tensorflow-io."""

    def read(self, path: str, offset: int, length: int) -> bytes:
        try:
            with tf.io.gfile.GFile(path, "rb") as file:
                file.seek(offset)
                return file.read(length)
        except tf.errors.OutOfRangeError:  # the range begins after the end
            return b""

    def write(self, path: str, data: bytes) -> None:
        with tf.io.gfile.GFile(path, "wb") as file:
            file.write(data)

    def files(self, folder: str) -> Iterator[str]:
        start = folder.rstrip("/") + "/"
        for inside, _, names in tf.io.gfile.walk(start):
            for name in names:
                yield f"{inside.rstrip('/')}/{name}".removeprefix(start)

    def delete(self, path: str) -> None:
        with suppress(tf.errors.NotFoundError):
            tf.io.gfile.remove(path)
