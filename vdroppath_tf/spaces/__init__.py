"""Strategies and probability spaces as plain data; numpy at most, never TensorFlow."""
