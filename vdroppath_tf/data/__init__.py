"""From videos to batches of clips: sources, lists, clips, records, remote files, faults.

It imports nothing else of the package but `files` and `names`. TensorFlow is imported by what makes
data sets (`clips.pipeline`), changes pixels (`clips.operations`), makes, reads or streams records,
or reads files elsewhere (`remote`); lists and sources do without.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
