"""Spatiotemporal fusion in 3D CNNs seen as probability, on Keras and TensorFlow.

Importing the package imports neither TensorFlow nor Keras: each name is imported when it is first
used. It does switch TensorFlow's oneDNN kernels on (``TF_ENABLE_ONEDNN_OPTS=1``) where TensorFlow
has not been imported yet and the variable is not set: CPUs train 3D convolutions two to three
times faster with them, and TensorFlow leaves them off on many. Where TensorFlow was imported first
and left them off, a warning is logged. Set the variable to 0 to keep them off.
"""

import lazy_loader

from vdroppath_tf import startup

startup.choose_settings()
startup.offer_keras_classes()

__version__ = startup.VERSION
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
