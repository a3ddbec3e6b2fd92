"""Asks TensorFlow Serving for the classes of videos over gRPC.

    pip install tensorflow-serving-api
    python scripts/ask_tf_serving.py --model=actions --export=served/1 --labels=labels.txt a.mp4

The clips are sampled by this client, as ``assets.extra/clip.json`` of the export defines, and are
sent as uint8.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from vdroppath_tf.data.clips import ClipSampling, clips_of
from vdroppath_tf.data.lists import named_videos
from vdroppath_tf.serving import read_sampling

_MOST = 1 << 30  # bytes of a message; gRPC's default limit, 4 MB, is too small for a few clips


def connect(address: str) -> Any:
    """Returns a stub of TensorFlow Serving's prediction service at an address ``host:port``."""
    options = [("grpc.max_send_message_length", _MOST), ("grpc.max_receive_message_length", _MOST)]
    return prediction_service_pb2_grpc.PredictionServiceStub(
        grpc.insecure_channel(address, options)
    )


def probabilities(
    stub: Any, model: str, clips: np.ndarray, *, version: int | None = None, seconds: float = 30.0
) -> np.ndarray:
    """Returns the probabilities of the classes for a batch of clips.

    Args:
        stub: The result of ``connect``.
        model: str, the name of the model in TensorFlow Serving's configuration.
        clips: uint8 ``(batch, time, height, width, 3)``.
        version: int, the version of the model. Defaults to None: the newest.
        seconds: float, the time limit of the request. Defaults to 30.

    Returns:
        float32 ``(batch, classes)``.

    Raises:
        grpc.RpcError: If TensorFlow Serving, or the graph, refuses the request.
    """
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = "clips"
    if version is not None:
        request.model_spec.version.value = version
    request.inputs["clips"].CopyFrom(tf.make_tensor_proto(clips, tf.uint8))
    answer = stub.Predict(request, timeout=seconds)
    return tf.make_ndarray(answer.outputs["probabilities"])


def answer_for(stub: Any, model: str, video: str, sampling: ClipSampling) -> np.ndarray:
    """Returns the mean probabilities over the clips of a video, float32 ``(classes,)``."""
    (entry,) = named_videos(video)
    return probabilities(stub, model, clips_of(entry, sampling).clips).mean(0)


def main() -> None:
    """Prints the three most probable classes of each video."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    text = "host and gRPC port of TensorFlow Serving (default: %(default)s)"
    parser.add_argument("--address", default="127.0.0.1:8500", help=text)
    parser.add_argument("--model", required=True, help="name of the model in TensorFlow Serving")
    parser.add_argument(
        "--export", required=True, type=Path, help="folder of vdroppath export that is served"
    )
    parser.add_argument(
        "--labels", required=True, type=Path, help="file with a class name in each line"
    )
    parser.add_argument("videos", nargs="+", help="video files to classify")
    given = parser.parse_args()
    stub, sampling = connect(given.address), read_sampling(given.export)
    names = given.labels.read_text().splitlines()
    for video in given.videos:
        found = answer_for(stub, given.model, video, sampling)
        best = np.argsort(-found)[:3]
        print(f"{video}: " + ", ".join(f"{names[k]} {found[k]:.3f}" for k in best))


if __name__ == "__main__":
    main()
