"""What flags offer and start from, written out: whoever asks for ``--help`` waits for no import.

A test compares each with the table or the default that it repeats.
"""

FORMATS = (
    *("table", "list", "path-label", "folders", "folders-of-videos", "folders-of-frames"),
    *("folders-of-zips", "folders-of-hdf5", "hdf5", "zip", "ucf101", "hmdb51", "kinetics"),
    *("something-v1", "something-v2", "jester", "activitynet", "charades", "charades-videos"),
    *("diving48", "epic-kitchens", "epic-kitchens-verbs", "epic-kitchens-nouns"),
    *("epic-kitchens-actions", "moments", "manifest", "records", "sequence-examples"),
)
SEPARATORS = ("space", "tab", "comma", "semicolon", "pipe")
RECIPES = ("small", "something-something-v1", "something-something-v2", "kinetics400", "ucf101")
SAMPLERS = ("dense", "segments")
PROTOCOLS = ("paper-1clip", "paper-2clip", "10x3")
TASKS = ("appearance", "motion", "both")
RULES = ("cheapest", "accurate")
FEATURE_AXES = ("views", "time", "space")
METHODS = ("grad-cam", "hires-cam")
COSTS = ("macs", "parameters", "latency")
MAX_BAD_FRACTION = 0.1
QUICKSTART_CLIPS = (512, 256, 256)
RANKING = {
    "draws": 24,
    "uniform_draws": 24,
    "seeds": 3,
    "epochs": 5,
    "template_epochs": 12,
    "gate_learning_rate": 0.005,
    "seed": 0,
}
RANKING_CLIPS = (2048, 1008)
ADAPT_STEPS = (8, 32, 128)
