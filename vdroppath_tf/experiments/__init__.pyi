from . import tasks as tasks
from .halving import Halving as Halving
from .halving import Setting as Setting
from .halving import run_halving as run_halving
from .quickstart import quickstart_recipe as quickstart_recipe
from .quickstart import run_quickstart as run_quickstart
from .ranking import run_ranking as run_ranking
from .ranking_plan import Plan as Plan
