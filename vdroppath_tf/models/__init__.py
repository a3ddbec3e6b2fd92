"""Builders of networks, one file a family."""
