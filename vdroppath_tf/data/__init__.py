"""From video files to batches of clips, and the known-answer tasks.

Imports nothing else of the package; only `pipeline` (with `passes`) and `looks` import TensorFlow.
"""
