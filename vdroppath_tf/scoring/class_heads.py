"""What the lines of classes are called, for whoever only names them: no numpy."""

CLASS_HEADS = ["class", "videos", "correct", "top1", "low", "high", "taken_for", "times"]
"""The columns of ``ClassAnswers.class_lines``."""
