from .notices import SpaceWarning as SpaceWarning
from .space import ProbabilitySpace as ProbabilitySpace
from .strategy import FusionStrategy as FusionStrategy
from .unit import BRANCHES as BRANCHES
from .unit import NONE as NONE
from .unit import UNITS as UNITS
from .unit import FusionUnit as FusionUnit
