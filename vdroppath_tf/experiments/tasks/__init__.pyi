from .files import TaskFiles as TaskFiles
from .shapes import TASKS as TASKS
from .shapes import Difficulty as Difficulty
from .shapes import Scene as Scene
from .synthetic import make_clip as make_clip
from .synthetic import write_task as write_task
