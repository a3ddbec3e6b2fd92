"""fold: converts a network to a plain Keras model for inference."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import keras

from vdroppath_tf.names import named, unknown_name
from vdroppath_tf.serving.folding.emit import FORMS, emitted
from vdroppath_tf.serving.folding.fast import STEPS, fast_form
from vdroppath_tf.serving.folding.nodes import Account, Convolve, Cost, Node, cost_of, in_order
from vdroppath_tf.serving.folding.read import read_network
from vdroppath_tf.serving.folding.rewrite import simplified


@dataclasses.dataclass(frozen=True, eq=False)
class Folding:
    """A folded network, before its form is chosen.

    Attributes:
        name: The name of the network.
        output: The node of its logits.
        clip_shape: The frames, height and width; None for an open size.
        counts: The number of applications of each rule.
        form: The number of applications of each step of the fast form.
    """

    name: str
    output: Node
    clip_shape: tuple[int | None, int | None, int | None]
    counts: dict[str, int]
    form: dict[str, int] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, network: keras.Model) -> Folding:
        """Folds a network; see ``fold``."""
        account = Account()
        output = simplified(read_network(network, account), account)
        counts = {rule: times for rule, times in sorted(account.counts.items()) if times}
        return cls(network.name, output, tuple(network.input_shape[1:4]), counts)

    @property
    def depthwise(self) -> bool:
        """Whether there are depthwise convolutions, which are frame by frame in every form."""
        nodes = in_order(self.output)
        return any(isinstance(node, Convolve) and node.depthwise for node in nodes)

    def fast(
        self, clip_shape: Sequence[int | None] | None = None, steps: Sequence[str] = STEPS
    ) -> Folding:
        """Returns the network in a faster form, or as it is if a size is open.

        The form has layers that are not of Keras, and holds for clips of one size.

        Args:
            clip_shape: The frames, height and width; None for those of the network.
            steps: The steps to take, of ``fast.STEPS``.
        """
        shape: Any = self.clip_shape if clip_shape is None else tuple(clip_shape)
        if None in shape:
            return self
        output, form = fast_form(self.output, shape, steps)
        return dataclasses.replace(self, output=output, clip_shape=shape, form=form)

    def model(
        self, clip_shape: Sequence[int | None] | None = None, forms: str = "3d"
    ) -> keras.Model:
        """Builds the Keras model in one of ``FORMS``; see ``fold``.

        Args:
            clip_shape: The frames, height and width; None for those of the network.
            forms: One of ``FORMS``.
        """
        if forms not in FORMS:
            raise unknown_name("form", forms, FORMS)
        shape = self.clip_shape if clip_shape is None else tuple(clip_shape)
        pairs = zip(shape, self.clip_shape, strict=False)
        if len(shape) != 3 or any(own not in (None, asked) for asked, own in pairs):
            raise ValueError(
                f"clip_shape must be (frames, height, width), and fit the network's "
                f"{self.clip_shape}. Received: {shape}"
            )
        if forms == "2d" and None in shape:
            raise ValueError(
                'forms="2d" reshapes clips to frames, for which all sizes must be known: '
                f"pass clip_shape=(frames, height, width). Received: {shape}"
            )
        return emitted(self.output, f"{self.name}_folded", shape, forms)

    def cost(self, clip_shape: tuple[int, int, int]) -> Cost:
        """Returns the parameters and multiply-adds for a clip."""
        return cost_of(self.output, clip_shape)


@named
def fold(
    network: keras.Model,
    *,
    clip_shape: Sequence[int | None] | None = None,
    forms: str = "3d",
) -> keras.Model:
    """Builds a plain Keras model that gives the same logits as a network with less work.

    S+ST without a norm between its paths becomes one 3x1x1 convolution, batch norms are merged into
    the convolutions before them, ReLUs become their activations, a mean after a 1x1x1 convolution
    moves before it, and gates, masks and dropped paths are removed. The result has only layers of
    Keras: it can be saved, and loaded where ``vdroppath_tf`` is not installed. A template is folded
    for its current strategy.

    Example:
        ```python
        fold(network, clip_shape=clip.shape[:3]).save("folded.keras")
        ```

    Args:
        network: keras.Model, a derived network or a template.
        clip_shape: tuple of int, the frames, height and width of the clips; None leaves a size
            open. Defaults to the sizes for which the network was built.
        forms: str, ``"3d"`` for Keras' 3D layers, or ``"2d"`` for 2D convolutions and pools of
            frames wherever they are equivalent, for runtimes without 3D pools; this requires a
            ``clip_shape``. Defaults to ``"3d"``.

    Returns:
        A functional ``keras.Model`` from clips, 0..255, to logits. They differ by rounding, at most
        5e-5 for logits that span 10.

    Raises:
        ValueError: If the network has a layer without a plain form, or draws a new strategy for
            each batch; or if sizes do not fit.
    """
    return Folding.of(network).model(clip_shape, forms)
