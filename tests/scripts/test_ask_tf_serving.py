"""The client of TensorFlow Serving against a stand-in that speaks its gRPC, with a real export."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip("tensorflow_serving", reason="needs tensorflow-serving-api")

import grpc
from ask_tf_serving import answer_for, connect, probabilities
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from vdroppath_tf import zoo
from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.data.sources.encode import write_video
from vdroppath_tf.serving import ServedModel, export_saved_model, read_sampling, write_sampling


class StandIn(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Does with a SavedModel what TensorFlow Serving does, as far as clients see."""

    def __init__(self, folder: Path) -> None:
        self.versions = {int(p.name): tf.saved_model.load(str(p)) for p in folder.iterdir()}

    def Predict(self, request: Any, context: Any) -> Any:  # noqa: N802, gRPC calls it so
        spec = request.model_spec
        number = spec.version.value or max(self.versions)
        if spec.name != "actions" or number not in self.versions:
            context.abort(grpc.StatusCode.NOT_FOUND, "Servable not found for request")
        serve = self.versions[number].signatures[spec.signature_name]
        inputs = {name: tf.constant(tf.make_ndarray(each)) for name, each in request.inputs.items()}
        try:
            outputs = serve(**inputs)
        except (TypeError, tf.errors.InvalidArgumentError) as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error)[:200])
        answer = predict_pb2.PredictResponse()
        for name, value in outputs.items():
            answer.outputs[name].CopyFrom(tf.make_tensor_proto(value.numpy()))
        return answer


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder of one version, and where it is served."""
    folder = tmp_path_factory.mktemp("actions")
    network = zoo.derived_micro("S S+ST ST ST - ST", num_classes=4)
    path = export_saved_model(network, folder / "3")
    write_sampling(path, ClipSampling(8, short_edge=32, crop=32, clips_per_video=2))
    server = grpc.server(futures.ThreadPoolExecutor(2))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(StandIn(folder), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield path, f"127.0.0.1:{port}"
    server.stop(None)


def test_it_answers_as_the_export_does(served: tuple[Path, str], tmp_path: Path) -> None:
    path, address = served
    film = tmp_path / "a.mp4"
    write_video(film, np.random.default_rng(0).integers(0, 256, (30, 32, 48, 3), np.uint8))
    found = answer_for(connect(address), "actions", str(film), read_sampling(path))
    (expected,) = ServedModel(path).predict([film])
    own = [expected.probabilities[str(k)] for k in range(4)]
    np.testing.assert_allclose(found, own, atol=1e-6)


def test_what_is_wrong_is_said(served: tuple[Path, str]) -> None:
    stub = connect(served[1])
    clips = np.zeros((1, 8, 32, 32, 3), np.uint8)
    assert probabilities(stub, "actions", clips, version=3).shape == (1, 4)
    for model, bad, version, code in (
        ("axtions", clips, None, grpc.StatusCode.NOT_FOUND),
        ("actions", clips, 4, grpc.StatusCode.NOT_FOUND),
        ("actions", clips[0], None, grpc.StatusCode.INVALID_ARGUMENT),
        ("actions", clips[:0], None, grpc.StatusCode.INVALID_ARGUMENT),
    ):
        with pytest.raises(grpc.RpcError) as error:
            probabilities(stub, model, bad, version=version)
        assert error.value.code() == code
