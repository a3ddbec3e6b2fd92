from .fold import fold as fold
