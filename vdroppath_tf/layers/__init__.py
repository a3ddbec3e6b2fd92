"""Keras layers: convolutions, gated paths, variational DropPath."""
