"""Videos that cannot be read: counted, named, kept in a quarantine."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
