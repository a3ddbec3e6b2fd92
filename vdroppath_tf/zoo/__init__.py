"""The networks: ``template_*`` learns the space, ``derived_*`` runs one strategy of it.

Beside them strategies with a name, and what the paper published.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
