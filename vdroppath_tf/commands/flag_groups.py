"""The titles under which ``--help`` groups the flags of commands with many flags."""

from __future__ import annotations

from collections.abc import Iterable

OWN = "options"
FEW = 12  # up to this number, flags are shown in one list

_SOURCES = ("data", "validation", "train_data", "test", "test_data")
# title -> flags, in the order in which they are shown; other flags come under OWN
GROUPS: dict[str, tuple[str, ...]] = {
    "inputs": (
        *("model", "init", "init_from", "scores"),
        *(name + more for name in _SOURCES for more in ("", "_root", "_split")),
        *("split", "quarantine", "modality"),
    ),
    OWN: (),
    "training": (
        *("recipe", "set", "warmup_epochs", "search_epochs", "finetune_epochs", "learning_rate"),
        *("batch_size", "accumulate", "clip_norm", "ema", "patience", "precision", "remat"),
        *("seed", "seeds", "devices", "mirrored", "workers", "restarts", "processes", "cluster"),
    ),
    "network and gates": (
        *("network", "branches", "temporal_strides", "temporal_pool", "prior_strength"),
        *("weight_reg", "kl", "gate_learning_rate", "initial_drop", "noise", "residual_gate"),
        *("drop_layer", "gate_classifier"),
    ),
    "clips": (
        *("frames", "stride", "fps", "sampler", "short_edge", "crop", "square_pixels"),
        *("random_stride", "flip", "flip_directional", "crop_scales", "crop_area", "crop_ratio"),
        *("color_jitter", "rand_augment", "mixup", "cutmix", "label_smoothing"),
    ),
    "formats of lists and folders": (
        *("format", "columns", "separator", "encoding", "label_base", "class_level"),
        *("first_frame", "frame_template", "source_fps", "video_stream", "allow_empty"),
        *("allow_links_to", "allow_missing", "allow_open_end", "allow_two_labels"),
        "max_bad_fraction",
    ),
    "outputs": (
        *("out", "overwrite", "backup", "save_every", "picture_every", "log", "json", "figure"),
        "verbosity",
    ),
}


def grouped(names: Iterable[str]) -> dict[str, list[str]]:
    """Groups flags by title; flags under ``OWN`` are sorted by name.

    Args:
        names: The flags of a command.
    """
    own = {*names} - {name for group in GROUPS.values() for name in group}
    found = {title: [name for name in group if name in names] for title, group in GROUPS.items()}
    found[OWN] = sorted(own)
    return {title: group for title, group in found.items() if group}
