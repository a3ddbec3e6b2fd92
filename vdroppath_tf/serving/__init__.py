"""Networks as SavedModels that need TensorFlow alone, and their answers for video files."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
