from .export import export_saved_model as export_saved_model
from .predict import Answer as Answer
from .predict import ServedModel as ServedModel
from .predict import read_sampling as read_sampling
from .predict import write_sampling as write_sampling
