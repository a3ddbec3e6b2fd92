"""Prints and logs the diagnosis of a space: did the data or the prior decide?"""

from __future__ import annotations

from typing import Any

from absl import flags, logging

from vdroppath_tf import layers, spaces
from vdroppath_tf.commands.flag_words import in_flags
from vdroppath_tf.commands.run_folder import videos_of


def diagnosis_of(model: Any, file: str | None = None) -> spaces.Diagnosis:
    """Returns the diagnosis of a template's space; a file's N is looked for in its run's folder."""
    space = spaces.ProbabilitySpace.from_model(model)
    videos = None if file is None else videos_of(file)
    return spaces.diagnose(space, strength=layers.strength_of(model, videos))


def said(found: spaces.Diagnosis, values: flags.FlagValues) -> list[str]:
    """Returns each sentence, in the words of a command line."""
    return [in_flags(sentence, values) for sentence in found.sentences()]


def log_diagnosis(found: spaces.Diagnosis) -> None:
    """Logs each sentence, as a warning if the data did not decide."""
    for sentence in found.sentences():
        logging.log(logging.WARNING if found.alarming else logging.INFO, "%s", sentence)
