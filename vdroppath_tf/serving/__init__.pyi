from .beside import read_sampling as read_sampling
from .beside import write_sampling as write_sampling
from .export import export_saved_model as export_saved_model
from .predict import Answer as Answer
from .predict import ServedModel as ServedModel
from .runtime import Artefact as Artefact
from .runtime import load_artefact as load_artefact
