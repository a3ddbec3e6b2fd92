"""fold: a network as a plain Keras model that only answers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import keras

from vdroppath_tf.names import named, unknown_name
from vdroppath_tf.serving.folding.emit import FORMS, emitted
from vdroppath_tf.serving.folding.nodes import Account, Cost, Node, cost_of
from vdroppath_tf.serving.folding.read import read_network
from vdroppath_tf.serving.folding.rewrite import simplified


@dataclasses.dataclass(frozen=True, eq=False)
class Folding:
    """A network that was folded, before it has a form.

    Attributes:
        name: Of the network.
        output: Node that gives its logits.
        clip_shape: Frames, height and width; None for an open size.
        counts: How often each rule was applied.
    """

    name: str
    output: Node
    clip_shape: tuple[int | None, int | None, int | None]
    counts: dict[str, int]

    @classmethod
    def of(cls, network: keras.Model) -> Folding:
        """Folds a network; see ``fold``."""
        account = Account()
        output = simplified(read_network(network, account), account)
        counts = {rule: times for rule, times in sorted(account.counts.items()) if times}
        return cls(network.name, output, tuple(network.input_shape[1:4]), counts)

    def model(
        self, clip_shape: Sequence[int | None] | None = None, forms: str = "3d"
    ) -> keras.Model:
        """The plain Keras model in one of ``FORMS``; see ``fold``."""
        if forms not in FORMS:
            raise unknown_name("form", forms, FORMS)
        shape = self.clip_shape if clip_shape is None else tuple(clip_shape)
        pairs = zip(shape, self.clip_shape, strict=False)
        if len(shape) != 3 or any(own not in (None, asked) for asked, own in pairs):
            raise ValueError(
                f"clip_shape must be (frames, height, width), and fit the network's own "
                f"{self.clip_shape}. Received: {shape}"
            )
        if forms == "2d" and None in shape:
            raise ValueError(
                'forms="2d" lays frames one after another, for which all sizes must be known: '
                f"pass clip_shape=(frames, height, width). Received: {shape}"
            )
        return emitted(self.output, f"{self.name}_folded", shape, forms)

    def cost(self, clip_shape: tuple[int, int, int]) -> Cost:
        """Parameters and multiply-adds for a clip."""
        return cost_of(self.output, clip_shape)


@named
def fold(
    network: keras.Model,
    *,
    clip_shape: Sequence[int | None] | None = None,
    forms: str = "3d",
) -> keras.Model:
    """A network as a plain Keras model that gives the same logits with less work.

    S+ST with no norm between them is one 3x1x1 convolution, batch norms are in the convolutions
    before them, ReLUs run with these, a mean of a 1x1x1 convolution is taken before it, and gates,
    masks and layers that are off are gone. What comes out has layers of Keras alone: it can be
    saved and loaded where ``vdroppath_tf`` is not installed. A template is folded for the strategy
    it runs.

    Example:
    ```python
    network = vdroppath_tf.zoo.derived_micro("S S+ST ST ST - ST", num_classes=4)
    vdroppath_tf.serving.fold(network, clip_shape=(8, 32, 32)).save("folded.keras")
    ```

    Args:
        network: keras.Model, a derived network or a template.
        clip_shape: tuple of int, frames, height and width of the clips; None leaves a size open.
            Defaults to what the network was built for.
        forms: str, ``"3d"`` for Keras' 3D layers, or ``"2d"`` for 2D convolutions and pools of
            frames wherever they are the same, which needs a ``clip_shape``: some runtimes have no
            3D pools. Defaults to ``"3d"``.

    Returns:
        A functional ``keras.Model`` from clips, 0..255, to logits. They differ by rounding, 5e-5 at
        most where logits span 10.

    Raises:
        ValueError: If the network has a layer that has no plain form, or draws its strategy anew
            for each batch; or if sizes do not fit.
    """
    return Folding.of(network).model(clip_shape, forms)
