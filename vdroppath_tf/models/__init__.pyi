from . import inflation as inflation
from .build import build_network as build_network
from .conventions import Convention as Convention
from .fusion_model import FusionModel as FusionModel
from .objectives import MeanAveragePrecision as MeanAveragePrecision
from .objectives import SharesCrossentropy as SharesCrossentropy
from .weights import LoadReport as LoadReport
from .weights import copy_weights as copy_weights
