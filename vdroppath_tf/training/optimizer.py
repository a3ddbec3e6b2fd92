"""SGD with a separate learning rate for the gates."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from vdroppath_tf.cost import GATE_WEIGHTS
from vdroppath_tf.layers.constants import kept_by
from vdroppath_tf.models.sgd import FusedSGD
from vdroppath_tf.names import named

_KEPT = "_vdroppath_gate_rates"  # by a graph


@named
@keras.saving.register_keras_serializable(package="vdroppath_tf")
class GateSGD(FusedSGD):
    """``keras.optimizers.SGD`` with a learning rate ``gate_multiplier`` times as large for gates.

    During training a logit changes by a few units while weights change by a few hundredths, so one
    rate does not fit both. A multiplier, unlike a second rate, lets both follow one schedule. Very
    large gate rates (about 1) saturate the gates on the noise of the first epochs.

    Args:
        learning_rate: The learning rate of the weights, a float or a schedule. Defaults to 0.005.
        gate_multiplier: The learning rate of the gates divided by that of the weights. Defaults to
            2.
        weight_decay: The decay of ``keras.optimizers.SGD``, which is never applied to the gates.

    All other arguments are those of ``keras.optimizers.SGD``, with its defaults.

    Example:
    ```python
    model.compile(GateSGD(0.05, gate_multiplier=2.0, momentum=0.9), cross_entropy())
    ```
    """

    def __init__(
        self,
        learning_rate: Any = 0.005,
        gate_multiplier: float = 2.0,
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str = "SGD",
    ) -> None:
        super().__init__(
            learning_rate,
            momentum=momentum,
            nesterov=nesterov,
            weight_decay=weight_decay,
            clipnorm=clipnorm,
            clipvalue=clipvalue,
            global_clipnorm=global_clipnorm,
            use_ema=use_ema,
            ema_momentum=ema_momentum,
            ema_overwrite_frequency=ema_overwrite_frequency,
            loss_scale_factor=loss_scale_factor,
            gradient_accumulation_steps=gradient_accumulation_steps,
            name=name,
        )
        self.gate_multiplier = gate_multiplier
        self._without_decay: tuple[Any, Any] = ([], [])

    def exclude_from_weight_decay(self, var_list: Any = None, var_names: Any = None) -> None:
        self._without_decay = (var_list or [], var_names or [])
        super().exclude_from_weight_decay(var_list, var_names)

    def build(self, variables: list[Any]) -> None:
        gates = [v for v in variables if is_gate(v.path)]
        if self.weight_decay and gates:
            others, names = self._without_decay
            super().exclude_from_weight_decay([*others, *gates], names)
        super().build(variables)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        # TensorFlow passes its own variable, which has no path
        path = self._trainable_variables[self._get_variable_index(variable)].path
        if is_gate(path):
            learning_rate = self._of_gates(learning_rate)
        super().update_step(gradient, variable, learning_rate)

    def _of_gates(self, learning_rate: Any) -> Any:
        """Returns the learning rate of gates; in a graph it is one product for all of them."""
        if tf.executing_eagerly():
            return learning_rate * self.gate_multiplier
        made = kept_by(tf.compat.v1.get_default_graph(), _KEPT, dict)
        key = (id(learning_rate), self.gate_multiplier)
        if key not in made:  # with the rate itself, so that no other one gets its id
            made[key] = learning_rate, learning_rate * self.gate_multiplier
        return made[key][1]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "gate_multiplier": self.gate_multiplier}


def is_gate(path: str) -> bool:
    """Whether a weight's path names the logits of gates."""
    return path.split("/")[-1] in GATE_WEIGHTS
