"""Asks TensorFlow Serving for the classes of a video, by gRPC.

    pip install tensorflow-serving-api
    python scripts/ask_tf_serving.py --model=actions --export=served/1 --labels=labels.txt a.mp4

The clips are made here, as ``assets.extra/clip.json`` of the export says, and sent as uint8.
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

_MOST = 1 << 30  # bytes of a message; gRPC's own limit, 4 MB, is less than a few clips


def connect(address: str) -> Any:
    """A stub of TensorFlow Serving's prediction service."""
    options = [("grpc.max_send_message_length", _MOST), ("grpc.max_receive_message_length", _MOST)]
    return prediction_service_pb2_grpc.PredictionServiceStub(
        grpc.insecure_channel(address, options)
    )


def probabilities(
    stub: Any, model: str, clips: np.ndarray, *, version: int | None = None, seconds: float = 30.0
) -> np.ndarray:
    """The classes' probabilities for clips.

    Args:
        stub: Of ``connect``.
        model: The name of the model in TensorFlow Serving's configuration.
        clips: uint8 ``(batch, time, height, width, 3)``.
        version: The version; None takes the newest.
        seconds: How long to wait.

    Returns:
        float32 ``(batch, classes)``.

    Raises:
        grpc.RpcError: What TensorFlow Serving, or the graph, has against the request.
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
    """The mean over the clips of a video, ``(classes,)``."""
    (entry,) = named_videos(video)
    return probabilities(stub, model, clips_of(entry, sampling).clips).mean(0)


def main() -> None:
    """Prints the three most probable classes of each video."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", default="127.0.0.1:8500")
    parser.add_argument("--model", required=True, help="its name in TensorFlow Serving")
    parser.add_argument("--export", required=True, type=Path, help="the folder that is served")
    parser.add_argument("--labels", required=True, type=Path, help="names of classes, one a line")
    parser.add_argument("videos", nargs="+")
    given = parser.parse_args()
    stub, sampling = connect(given.address), read_sampling(given.export)
    names = given.labels.read_text().splitlines()
    for video in given.videos:
        found = answer_for(stub, given.model, video, sampling)
        best = np.argsort(-found)[:3]
        print(f"{video}: " + ", ".join(f"{names[k]} {found[k]:.3f}" for k in best))


if __name__ == "__main__":
    main()
