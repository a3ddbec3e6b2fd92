"""Tests a template's ranking: its scores against stand-alone trainings of the strategies."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
