"""A server that answers for uploaded videos: limits, decoding ahead, batches, versions."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
