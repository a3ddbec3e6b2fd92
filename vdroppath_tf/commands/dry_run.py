"""``--dry_run`` of ``vdroppath train`` and ``run``: estimates the time and memory of a training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from absl import flags

if TYPE_CHECKING:
    from vdroppath_tf.training.rehearsal import Rehearsal


def define_dry_run(values: flags.FlagValues) -> None:
    """Defines the flag ``--dry_run``."""
    text = "run two steps of each phase and one validation batch, print an estimate, write nothing"
    flags.DEFINE_boolean("dry_run", False, text, flag_values=values)


def table(found: Rehearsal) -> str:
    """Returns the estimate as lines."""
    from vdroppath_tf.report.formats import duration
    from vdroppath_tf.training.pace import memory_words

    size = "x".join("?" if n is None else str(n) for n in found.clip_shape)
    macs = "MACs unknown: clips differ in size" if found.macs is None else f"{found.macs:,} MACs"
    lines = [
        f"{found.network}: {found.parameters:,} parameters, {macs} for a clip of {size}",
        f"memory  {memory_words(found.memory)} at most",
        f"clips   {found.load_seconds:.2g} s to read the {found.batch_size} of a step "
        f"({found.batch_size / max(found.load_seconds, 1e-9):.3g} clips/s)",
    ]
    for phase in found.phases:
        speed = found.batch_size / max(phase.step_seconds, 1e-9)
        lines.append(
            f"{phase.name}: {phase.epochs} epochs of {found.steps_per_epoch} steps, "
            f"{phase.step_seconds:.2g} s each ({speed:.3g} clips/s), the first "
            f"{phase.first_seconds:.1f} s: about {duration(phase.seconds)}"
        )
    if found.validation_seconds:
        lines.append(f"of it, for each epoch: validation, {duration(found.validation_seconds)}")
    lines.append(f"in all: about {duration(found.seconds)}. Nothing was written.")
    return "\n".join(lines)
