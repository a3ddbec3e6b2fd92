"""Many strategies of one template, or one network, scored on the same clips; and what to choose."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
