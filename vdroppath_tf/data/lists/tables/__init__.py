"""Lists of any layout: it is found out from what a list says and what is there, then read."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
