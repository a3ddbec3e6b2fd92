from .cost_tables import CostTables as CostTables
from .cost_tables import cost_tables as cost_tables
from .latency import LatencyTable as LatencyTable
from .search import Choice as Choice
from .search import choice_of as choice_of
from .search import most_probable as most_probable
from .search import pareto as pareto
from .stopwatch import measure_latency as measure_latency
