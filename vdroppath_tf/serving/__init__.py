"""Networks exported as SavedModels that need only TensorFlow, and their answers for videos."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
