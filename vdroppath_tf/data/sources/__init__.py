"""Where frames come from: video files, folders, zip archives, HDF5, optical flow."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
