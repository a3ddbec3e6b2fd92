"""Lists of any layout, which is inferred from the list and from the files that it names."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
