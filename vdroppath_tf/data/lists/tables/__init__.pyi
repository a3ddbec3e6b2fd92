from .layout import COLUMNS as COLUMNS
from .layout import SEPARATORS as SEPARATORS
from .layout import Layout as Layout
from .reader import read_table as read_table
