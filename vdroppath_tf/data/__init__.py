"""From videos to batches of clips: sources, lists, clips, records, remote files, faults.

This package imports nothing but `files` and `names`. Only modules that make data sets
(`clips.pipeline`), change pixels (`clips.operations`), write, read or stream records, or access
remote files (`remote`) import TensorFlow; lists and sources do not.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
