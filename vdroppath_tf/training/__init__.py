"""Training: recipes as data, one ``train()`` for every phase, checkpoints that resume exactly."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
