"""Recipe: all settings of a training run, as data; ``recipes`` has the named ones."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from vdroppath_tf.data.clips.augment import Augmentation
from vdroppath_tf.data.clips.protocols import PROTOCOLS
from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.names import named, unknown_name
from vdroppath_tf.ranges import SEEDS, Range, check_ranges, whole
from vdroppath_tf.spaces.prior import STRENGTHS, one_strength
from vdroppath_tf.training.phase import Phase

CHANNELS = {"rgb": 3, "flow": 2}
"""The modalities of clips, and their numbers of channels."""
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
"""The precisions in which layers can compute; weights are always float32."""
_STEPS = {
    "precision": None,
    "accumulate": 1,
    "clip_norm": None,
    "ema": None,
    "patience": None,
    "remat": False,
}
"""Fields that are missing in older runs, and the values that these runs used."""


@named
@dataclass(frozen=True)
class Recipe:
    """The settings of a training run (method: section 4.1 and supplementary section 1).

    Attributes:
        network: The name of a network, such as ``"densenet121"`` or ``"micro"``.
        row: The values of the network's row if it is not in the zoo, as ``zoo.save_row`` writes
            them: ``family`` and ``row``; otherwise None.
        sampling: How clips are sampled from videos in training.
        batch_size: The number of clips in a step, over all replicas.
        warmup: The phase without gates.
        search: The phase of v-DropPath.
        finetune: The phase of the derived network, or None.
        branches: The paths of the fusion layers, of S, T and ST; the paper's experiments use two.
        temporal_strides: The temporal strides of the network from the stem on. Defaults to the
            published ones.
        temporal_pool: Whether to halve the temporal resolution after the stem's first convolution:
            max-pool over three frames, stride 2 (Fig. 6).
        gate_learning_rate: The learning rate of the gates at the start of ``search``; it follows
            the schedule of the weights. With 0 the gates stay random and learn nothing: paths are
            sampled with ``initial_drop``.
        weight_reg, prior_strength: The strength of the prior: k, which the KL divides by N, or the
            strength itself, for any N. At most one of them is a number; if neither is,
            ``prior_strength`` is ``spaces.prior.PRIOR_STRENGTH``.
        kl, noise, initial_drop, drop_layer, residual_gate: Options of the gates, see
            ``VariationalDropPath``.
        gate_classifier: Whether the classifier's features are gated too, as in the authors' code;
            the paper gates paths only.
        momentum: The momentum of SGD.
        finetune_dropout: The dropout before the classifier in fine-tuning; it is 0 while gates
            learn.
        seed: The seed of weights, noise, order and augmentation.
        evaluation_crop: The side of the square crop in evaluation, in pixels. Defaults to that of
            training.
        modality: ``"rgb"``, or ``"flow"``, optical flow computed beforehand.
        augment: The augmentation of training clips after cropping: colours, RandAugment, mixing.
        protocol: The name of the test protocol of the reported accuracies, of ``PROTOCOLS``.
        precision: The precision of the layers, of ``PRECISIONS``; gates, KL, classifier and weights
            are always float32. None takes Keras' global policy.
        accumulate: The number of parts of a batch that are computed one after another, for a batch
            that does not fit into memory: the mean of their gradients makes one step. Gates are
            drawn, and batch-norm statistics computed, for each part.
        clip_norm: The largest norm of a step's gradient, over all weights; None for no limit.
        ema: The decay of running averages of the weights, such as 0.999. The averages are used in
            validation, and become the weights at the end of a phase. Gates are not averaged. None
            keeps no averages.
        patience: The number of epochs without a better ``val_loss`` after which a phase ends; None
            for phases of full length.
        remat: Whether blocks are recomputed for the gradient instead of kept in memory.

    ``network``, ``branches`` and ``temporal_strides`` are checked when the network is built.

    Raises:
        ValueError: If a value is out of range.

    Example:
    ```python
    recipe = vdroppath_tf.training.RECIPES["small"].replace(batch_size=32, seed=1)
    Recipe.from_json(recipe.to_json()) == recipe  # True
    ```
    """

    network: str
    sampling: ClipSampling
    batch_size: int
    warmup: Phase
    search: Phase
    finetune: Phase | None = None
    branches: tuple[str, ...] = ("S", "ST")
    temporal_strides: tuple[int, ...] | None = None
    temporal_pool: bool = False
    gate_learning_rate: float = 0.005
    weight_reg: float | None = None
    prior_strength: float | None = None
    kl: str = "code"
    noise: str = "sample"
    initial_drop: float = 0.1
    drop_layer: bool = False
    residual_gate: str = "hard"
    gate_classifier: bool = False
    momentum: float = 0.9
    finetune_dropout: float = 0.5
    seed: int = 0
    evaluation_crop: int | None = None
    modality: str = "rgb"
    augment: Augmentation = field(default_factory=Augmentation)
    protocol: str = "paper-1clip"
    row: dict[str, Any] | None = None
    precision: str | None = None
    accumulate: int = 1
    clip_norm: float | None = None
    ema: float | None = None
    patience: int | None = None
    remat: bool = False

    RANGES: ClassVar[Mapping[str, Range]] = {
        "batch_size": whole(1, 1_000_000),
        "gate_learning_rate": Range(0.0, 1e6),
        "weight_reg": Range(0.0, 1e12, optional=True),
        "prior_strength": Range(0.0, 1e12, optional=True),
        "initial_drop": Range(0.0, 1.0, above=True, below=True),
        "momentum": Range(0.0, 1.0, below=True),
        "finetune_dropout": Range(0.0, 1.0, below=True),
        "seed": whole(0, SEEDS),
        "evaluation_crop": whole(1, 16384, optional=True),
        "accumulate": whole(1, 1_000_000),
        "clip_norm": Range(0.0, 1e12, above=True, optional=True),
        "ema": Range(0.0, 1.0, above=True, below=True, optional=True),
        "patience": whole(1, 1_000_000, optional=True),
    }

    def __post_init__(self) -> None:
        check_ranges(self, self.RANGES)
        _, strength = one_strength(self.weight_reg, self.prior_strength)
        object.__setattr__(self, "prior_strength", strength)  # files record the value in use
        if not self.warmup.epochs + self.search.epochs:
            raise ValueError("The phases warmup and search have no epochs. Expected at least one.")
        if self.modality not in CHANNELS:
            raise ValueError(
                f"modality must be one of {', '.join(CHANNELS)}. Received: {self.modality!r}"
            )
        if self.protocol not in PROTOCOLS:
            raise unknown_name("protocol", self.protocol, PROTOCOLS)
        if self.precision is not None and self.precision not in PRECISIONS:
            raise unknown_name("precision", self.precision, PRECISIONS)
        if not isinstance(self.remat, bool):
            raise ValueError(f"remat must be True or False. Received: {self.remat!r}")
        if self.batch_size % self.accumulate:
            raise ValueError(
                f"accumulate must divide batch_size: {self.batch_size} clips cannot be split into "
                f"{self.accumulate} equal parts."
            )
        if self.row is not None and {*self.row} != {"family", "row"}:
            raise ValueError(f"row must hold a family and its row. Received: {self.row!r}")
        _ = self.evaluation  # raises if evaluation_crop does not fit

    @property
    def evaluation(self) -> ClipSampling:
        """The sampling in evaluation: the smallest of several short edges, and its crop."""
        edge, crop = self.sampling.short_edge, self.evaluation_crop
        return dataclasses.replace(
            self.sampling,
            short_edge=min(edge) if isinstance(edge, tuple) else edge,
            crop=self.sampling.crop if crop is None else crop,
        )

    @property
    def gate_options(self) -> dict[str, Any]:
        """Returns the arguments of a template's gates, except ``num_train_examples``."""
        names = "weight_reg prior_strength kl noise initial_drop drop_layer residual_gate"
        return {name: getattr(self, name) for name in (*names.split(), "gate_classifier", "seed")}

    @property
    def network_options(self) -> dict[str, Any]:
        """Returns the arguments of a template and of a derived network."""
        return {
            "branches": self.branches,
            "temporal_strides": self.temporal_strides,
            "temporal_pool": self.temporal_pool,
            "channels": CHANNELS[self.modality],
        }

    def template_phases(self) -> tuple[Phase, ...]:
        """Returns the phases of a template: warm-up, then v-DropPath."""
        return tuple(phase for phase in (self.warmup, self.search) if phase.epochs)

    def stand_alone_phases(self) -> tuple[Phase, ...]:
        """Returns the phase of a stand-alone network, as long as the template's training."""
        phase = dataclasses.replace(
            self.search,
            name="stand-alone",
            epochs=self.warmup.epochs + self.search.epochs,
            drops=tuple(self.warmup.epochs + epoch for epoch in self.search.drops),
            gates=False,
        )
        return (phase,)

    def replace(self, **changes: Any) -> Recipe:
        """Returns a copy with other values.

        Setting ``weight_reg`` clears ``prior_strength``, and vice versa.

        Raises:
            TypeError: If a recipe has no such field; the message offers the nearest.
            ValueError: If a value is out of range, or both ``weight_reg`` and ``prior_strength``
                are numbers.
        """
        given = [name for name in STRENGTHS if changes.get(name) is not None]
        if len(given) == 1:
            changes = {**dict.fromkeys(STRENGTHS), **changes}
        return dataclasses.replace(self, **changes)

    def to_json(self) -> str:
        """Returns the recipe as JSON text, for records and to recognise a run that resumes."""
        fields = dataclasses.asdict(self)
        if fields["prior_strength"] is None:  # as in older runs, so that these can resume
            del fields["prior_strength"]
        for name in ("fps", "square_pixels"):
            if not fields["sampling"][name]:
                del fields["sampling"][name]
        for name, default in _STEPS.items():
            if fields[name] == default:
                del fields[name]
        if fields["residual_gate"] == "relaxed":  # the only form in older runs
            del fields["residual_gate"]
        return json.dumps(fields, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """Reads a recipe from the text of ``to_json``.

        Raises:
            ValueError: If the text is not a recipe.
        """
        try:
            fields = json.loads(text)
            fields["sampling"] = _from_lists(ClipSampling, fields["sampling"])
            fields = {"residual_gate": "relaxed", **fields}
            fields["augment"] = _from_lists(Augmentation, fields.get("augment", {}))
            for name in ("warmup", "search", "finetune"):
                if fields[name] is not None:
                    fields[name] = _from_lists(Phase, fields[name])
            return _from_lists(cls, fields)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"This is not a recipe of vdroppath_tf: {error!r}.") from error


def _from_lists(kind: Any, fields: dict[str, Any]) -> Any:
    """Builds a dataclass from JSON, with lists converted to tuples."""
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()})
