"""From video files to batches of clips, and the known-answer tasks.

Imports nothing else of the package; only `pipeline` (with `passes`), `looks` and what makes, reads
and streams records or reads other machines import TensorFlow.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
