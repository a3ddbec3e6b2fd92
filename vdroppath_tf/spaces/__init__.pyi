from .space import ProbabilitySpace as ProbabilitySpace
from .strategy import BRANCHES as BRANCHES
from .strategy import NONE as NONE
from .strategy import UNITS as UNITS
from .strategy import FusionStrategy as FusionStrategy
from .strategy import FusionUnit as FusionUnit
