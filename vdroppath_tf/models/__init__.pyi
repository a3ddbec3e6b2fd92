from . import inflation as inflation
from .fusion_model import FusionModel as FusionModel
from .network import NetworkOptions as NetworkOptions
from .weights import LoadReport as LoadReport
from .weights import copy_weights as copy_weights
