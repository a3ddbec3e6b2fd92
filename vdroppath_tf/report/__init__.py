"""The HTML report of a run or a space, and the files behind its figures and tables."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
