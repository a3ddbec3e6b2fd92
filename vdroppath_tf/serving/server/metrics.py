"""The counters and timers of a server, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from vdroppath_tf.names import named

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@named
class Metrics:
    """The metrics of one server, in a separate registry."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        self.requests = Counter(
            "vdroppath_requests", "Requests for answers.", ["model", "status"], registry=registry
        )
        self.seconds = Histogram(
            "vdroppath_request_seconds",
            "From the first byte of a request to its answer.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.decoding = Histogram(
            "vdroppath_decode_seconds",
            "Decoding of one video or window.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.network = Histogram(
            "vdroppath_network_seconds", "One batch.", buckets=_SECONDS, registry=registry
        )
        self.clips = Histogram(
            "vdroppath_batch_clips",
            "Clips in a batch.",
            buckets=(1, 2, 4, 8, 16, 32, 64),
            registry=registry,
        )
        self.received = Counter("vdroppath_received_bytes", "Of bodies.", registry=registry)
        self.waiting = Gauge(
            "vdroppath_waiting_requests", "Requests that are being answered.", registry=registry
        )
        self.version = Gauge(
            "vdroppath_model_version", "Newest version served.", ["model"], registry=registry
        )

    def batch(self, clips: int, seconds: float) -> None:
        """Records a batch of the network."""
        self.clips.observe(clips)
        self.network.observe(seconds)

    def text(self) -> bytes:
        """Returns all metrics in the format of Prometheus."""
        return generate_latest(self.registry)
