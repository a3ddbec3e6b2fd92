from .app import application as application
from .limits import Limits as Limits
from .limits import RefusedError as RefusedError
from .run import run_server as run_server
from .runtimes import loader as loader
from .versions import Models as Models
from .versions import Version as Version
