from .plan import Plan as Plan
from .run import draw_strategies as draw_strategies
from .run import run_ranking as run_ranking
