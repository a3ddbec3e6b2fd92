"""Describes the machine on which a latency was measured."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import tensorflow as tf


def describe_machine() -> dict[str, str]:
    """Returns the processor, its cores, the GPUs and the operating system."""
    devices = tf.config.list_physical_devices("GPU")
    details = (tf.config.experimental.get_device_details(device) for device in devices)
    gpus = [str(found.get("device_name", "GPU")) for found in details]
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "gpus": ", ".join(gpus) or "none",
        "system": platform.platform(),
    }


def _processor() -> str:
    """Returns the processor's name: from a file on Linux, from a call on other systems."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
