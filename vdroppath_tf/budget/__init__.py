"""Finds the best strategy under a budget of MACs, parameters or latency; exact Pareto fronts."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
