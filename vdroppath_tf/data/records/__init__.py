"""TFRecord files of JPEG frames: writing, indexing, reading, and streaming inside a graph."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
