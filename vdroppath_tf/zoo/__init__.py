"""The networks: ``template_*`` learns the space, ``derived_*`` runs one strategy of it.

Beside them strategies with a name, and what the paper published.
"""

import lazy_loader

_find, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> object:
    try:
        return _find(name)
    except AttributeError as error:
        if not name.startswith(("template_", "derived_")):
            raise
        raise AttributeError(
            f"{error}. A network that was added with add_network is built by its name: "
            f"zoo.get_model({name!r}, ...)."
        ) from None
