"""Scores strategies and networks on clips and videos, and chooses among the scores."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
