"""The column names of the table of classes, in a module that does not import numpy."""

CLASS_HEADS = ["class", "videos", "correct", "top1", "low", "high", "taken_for", "times"]
"""The columns of ``ClassAnswers.class_lines``."""
