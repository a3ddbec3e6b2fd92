"""Pictures of spaces, scores, trainings and comparisons, as matplotlib figures."""
