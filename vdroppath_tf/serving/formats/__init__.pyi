from .convert import Written as Written
from .convert import export_formats as export_formats
from .kinds import FORMATS as FORMATS
