"""The choices and defaults of flags, written out so that ``--help`` needs no imports.

A test compares each with the table or default that it copies.
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
SMALL = {  # the values in the default recipe, for the flags that change it
    **{"network": "micro", "kl": "code", "noise": "sample", "residual_gate": "hard"},
    **{"modality": "rgb", "prior_strength": "0.02", "gate_learning_rate": "0.1"},
    **{"initial_drop": "0.1", "batch_size": "16", "accumulate": "1", "seed": "0"},
    **{"frames": "8", "stride": "1", "branches": "S,ST", "crop_ratio": "0.75,1.333"},
    **{"sampler": "dense", "mixup": "0", "cutmix": "0", "label_smoothing": "0"},
    **{"warmup_epochs": "4", "search_epochs": "16", "finetune_epochs": "2"},
    **{"learning_rate": "0.05"},
}
SAMPLERS = ("dense", "segments")
EXPORT_FORMATS = ("saved_model", "onnx", "litert", "openvino", "openvino-int8")
PROTOCOLS = ("paper-1clip", "paper-2clip", "10x3")
TASKS = ("appearance", "motion", "both")
RULES = ("cheapest", "accurate")
FEATURE_AXES = ("views", "time", "space")
METHODS = ("grad-cam", "hires-cam")
COSTS = ("macs", "parameters", "latency")
RUNTIMES = ("auto", "saved_model", "onnx", "litert", "openvino", "openvino-int8")
SERVER_LIMITS: dict[str, tuple[float, str]] = {
    "max_bytes": (64 << 20, "largest body of a request, in bytes"),
    "max_pixels": (4096 * 2304, "largest number of pixels of a frame"),
    "max_frames": (20_000, "largest number of frames of a video"),
    "max_seconds": (60.0, "longest time from the first byte of a request to its answer, seconds"),
    "max_waiting": (32, "largest number of requests at a time; others are refused (status 429)"),
    "max_windows": (256, "largest number of windows of a video"),
    "max_batch": (8, "largest number of clips in a step of the network, from all requests"),
    "batch_seconds": (0.0, "longest time for which a step waits for clips in decoding, seconds"),
}
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
TRIALS = {"drawn": 4, "uniform": 12, "share": 0.5, "finalists": 3}
