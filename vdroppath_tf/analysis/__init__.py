"""Spaces held against each other: distance, shift, stability, rank agreement, observations."""
