from .inflate import inflate as inflate
from .report import InflationReport as InflationReport
