"""Sources of frames: video files, folders, zip archives, HDF5 files and optical flow."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
