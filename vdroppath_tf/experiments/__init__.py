"""Trainings with a known answer: the quickstart, halving, rankings, and their tasks."""
