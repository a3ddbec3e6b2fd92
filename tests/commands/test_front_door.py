"""Help, mistakes in flags and the version: answered without what takes seconds to import."""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
import sys
from importlib import metadata
from typing import Any

import pytest
from test_imports import ROOT

import vdroppath_tf
from vdroppath_tf import budget, data, experiments, scoring, serving, start_up_lines, training
from vdroppath_tf.cli import COMMANDS, flags_of, main
from vdroppath_tf.commands import choices, ranking, recipe_flags
from vdroppath_tf.data.clips.transforms import SAMPLERS
from vdroppath_tf.data.faults.fault import MAX_BAD_FRACTION
from vdroppath_tf.data.lists.tables.layout import SEPARATORS
from vdroppath_tf.experiments import quickstart
from vdroppath_tf.experiments.ranking.plan import AS_TRAINED, COUNT, LOG_PROB, MEAN, TEMPLATES
from vdroppath_tf.experiments.tasks.shapes import TASKS

HEAVY = ("tensorflow", "keras", "matplotlib", "av", "numpy", "h5py", "requests", "scipy")
CALLS = """if True:
    import json, sys
    from vdroppath_tf.cli import COMMANDS, main
    calls = [["--help"], ["--version"], ["trian"], []]
    calls += [[name, "--help"] for name in COMMANDS]
    calls += [[name, "--hlep"] for name in COMMANDS]
    calls += [["train"], ["models", "--num_classes=x"], ["halve", "--task=x"], ["space", "extra"]]
    calls += [["models"]]
    codes = [main(call) for call in calls]
    print(json.dumps([codes, sorted(sys.modules)]))
"""


def run(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    kept |= {"PYTHONPATH": str(ROOT.parent), **environment}
    return subprocess.run(command, capture_output=True, text=True, env=kept, check=False)


def test_help_and_mistakes_import_nothing_heavy() -> None:
    done = run([sys.executable, "-c", CALLS])
    assert done.returncode == 0, done.stderr
    codes, modules = json.loads(done.stdout.splitlines()[-1])
    count = len(COMMANDS)
    assert codes == [0, 0, 2, 2, *[0] * count, *[2] * count, 2, 2, 2, 2, 0]
    assert [name for name in HEAVY if name in modules] == []
    assert done.stderr.count("there is no flag --hlep. Did you mean --help") == count


BAD_VALUES = """if True:
    import json, sys
    from vdroppath_tf.cli import main
    needed = ["--data=x", "--out=x"]
    calls = [
        ["train", *needed, "--recipe=smal"],
        ["train", *needed, "--kl=x"],
        ["train", *needed, "--crop_area=x"],
        ["train", *needed, "--strategy=S", "--init_from=x"],
        ["train", *needed],
        ["space", "--model=x", "--pareto=x.txt"],
        ["space", "--model=x", "--clip_shape=1,2"],
        ["derive", "--model=x", "--out=x.h5"],
        ["derive", "--model=x", "--out=x.keras", "--finetune"],
        ["test", "--model=x", "--data=x", "--scores=x.txt"],
        ["compare", "--figure=x.bmp"],
        ["stability", "--figure=x.bmp"],
        ["report", "--out=x.txt"],
        ["halve", "--clips=x"],
        ["models", "--name=resnet5"],
        ["models", "--clip_shape=x"],
        ["predict", "--model=x"],
        ["catalog", "--data=x"],
        ["doctor", "--data=x"],
        ["convert", "--data=x", "--out=x"],
    ]
    codes = [main(call) for call in calls]
    print(json.dumps([codes, sorted(sys.modules)]))
"""


def test_bad_values_are_one_line_and_start_no_tensorflow() -> None:
    done = run([sys.executable, "-c", BAD_VALUES])
    assert done.returncode == 0, done.stderr
    codes, modules = json.loads(done.stdout.splitlines()[-1])
    assert set(codes) == {1}
    assert len(done.stderr.splitlines()) == len(codes)
    assert [name for name in ("tensorflow", "keras", "matplotlib") if name in modules] == []


def test_the_nearest_command_and_flag_are_offered(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trian"]) == 2
    assert "there is no command 'trian'. Did you mean 'train'" in capsys.readouterr().err
    assert main(["train", "--lerning_rate=1"]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("vdroppath train: there is no flag --lerning_rate. ")
    assert "Did you mean --learning_rate" in first
    assert second == "See vdroppath train --help."


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    """The one that was installed, which setup.cfg takes from the package itself."""
    assert main(["--version"]) == 0
    assert re.fullmatch(r"vdroppath \d+\.\d+\.\d+\n", out := capsys.readouterr().out)
    assert out.split()[1] == vdroppath_tf.__version__ == metadata.version("vdroppath_tf")


def test_models_are_what_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """From the table at once, and built where other clips are asked for."""
    assert main(["models", "--name=micro"]) == 0
    head, recorded = capsys.readouterr().out.replace(",", "").splitlines()
    assert main(["models", "--name=micro", "--num_classes=5", "--clip_shape=16,112,112"]) == 0
    same_head, counted = capsys.readouterr().out.replace(",", "").splitlines()
    assert head == same_head
    layers, gates, *costs = map(float, recorded.split()[1:])
    assert [layers, gates] == [float(text) for text in counted.split()[1:3]]
    others = [float(text) for text in counted.split()[3:]]
    assert others[0] <= costs[0]  # fewer classes
    for one, other in zip(costs[3:], others[3:], strict=True):
        assert one == pytest.approx(4 * other, rel=0.02)  # four times the places


def test_what_flags_offer_is_what_there_is() -> None:
    assert set(choices.FORMATS) == set(data.FORMATS)
    assert set(choices.RECIPES) == set(training.RECIPES)
    assert tuple(SAMPLERS) == choices.SAMPLERS
    assert tuple(SEPARATORS) == choices.SEPARATORS
    assert tuple(data.PROTOCOLS) == choices.PROTOCOLS
    assert tuple(serving.formats.FORMATS) == choices.EXPORT_FORMATS
    assert tuple(TASKS) == choices.TASKS
    assert tuple(budget.UNITS_OF) == choices.COSTS
    assert scoring.RULES == choices.RULES
    assert set(ranking.EXPLAINED) == {*TEMPLATES, MEAN, COUNT, AS_TRAINED, LOG_PROB}


def test_what_flags_start_from_is_the_librarys_default() -> None:
    assert choices.MAX_BAD_FRACTION == MAX_BAD_FRACTION
    assert choices.QUICKSTART_CLIPS == quickstart.CLIPS
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(experiments.Plan).parameters.items()
    }
    more = {"clips": choices.RANKING_CLIPS, "adapt_steps": choices.ADAPT_STEPS}
    assert defaults == {**choices.RANKING, **more}


def test_help_shows_what_the_recipe_holds() -> None:
    """The values of the recipe that holds by default, as they are shown beside the flags."""
    small = training.RECIPES["small"]
    shown = {f"{name}_epochs": getattr(small, name).epochs for name in recipe_flags._EPOCHS}
    shown["learning_rate"] = small.search.learning_rate
    for part in (small.augment, small.sampling, small):
        shown |= {
            name: getattr(part, name)
            for name in flags_of("train")
            if hasattr(part, name) and name not in recipe_flags._EPOCHS
        }
    texts = {
        name: ",".join(f"{one:.4g}" if isinstance(one, float) else str(one) for one in several)
        for name, value in shown.items()
        for several in [value if isinstance(value, tuple) else (value,)]
        if value not in (None, ()) and not isinstance(value, bool)
    }
    assert texts == choices.SMALL


@pytest.mark.parametrize("name", COMMANDS)
def test_every_flag_is_shown_once(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    shown = re.findall(r"^  --(\w+)", capsys.readouterr().out, re.MULTILINE)
    assert sorted(shown) == sorted(flags_of(name))


def test_every_command_takes_verbosity() -> None:
    assert {flags_of(name)["verbosity"].default for name in COMMANDS} == {0}


START = """if True:
    import os, sys
    from vdroppath_tf.startup import hide_start_up_lines
    hide_start_up_lines()
    {first}
    import tensorflow
    print("started", file=sys.stderr)
    os.write(2, b"I0000 information of later\\n")
"""
FAKE = """
import os, types
os.write(2, b"I0000 00:00:1 1 a.cc:1] information\\n")
os.write(2, b"W0000 00:00:1 1 a.cc:1] Cannot dlopen some GPU libraries\\n")
config = types.SimpleNamespace(list_physical_devices=lambda: os.write(2, b"I0000 devices\\n"))
{last}
"""


def start(tmp_path: Any, last: str = "", first: str = "", **more: str) -> tuple[int, list[str]]:
    """What a TensorFlow that behaves like this one leaves on the standard error."""
    (tmp_path / "tensorflow.py").write_text(FAKE.format(last=last))
    path = os.pathsep.join([str(tmp_path), str(ROOT.parent)])
    done = run([sys.executable, "-c", START.format(first=first)], PYTHONPATH=path, **more)
    return done.returncode, done.stderr.splitlines()


def test_a_start_that_goes_well_is_silent_but_for_warnings(tmp_path: Any) -> None:
    code, lines = start(tmp_path)
    assert code == 0
    assert lines == [
        "W0000 00:00:1 1 a.cc:1] Cannot dlopen some GPU libraries",
        "started",
        "I0000 information of later",
    ]


def test_a_last_line_without_an_end_hides_nothing_and_shows_no_more(tmp_path: Any) -> None:
    last = "config.list_physical_devices = lambda: os.write(2, b'no end')"
    code, lines = start(tmp_path, last=last)
    assert code == 0
    assert lines[1:] == ["no endstarted", "I0000 information of later"]


def test_a_start_that_fails_says_all(tmp_path: Any) -> None:
    code, lines = start(tmp_path, last="raise ImportError('libsomething.so: cannot open')")
    assert code == 1
    assert "I0000 00:00:1 1 a.cc:1] information" in lines
    assert lines[-1] == "ImportError: libsomething.so: cannot open"


def test_a_start_that_crashes_says_all(tmp_path: Any) -> None:
    last = "os.write(2, b'F0000 Check failed\\n'); os.abort()"
    code, lines = start(tmp_path, last=last)
    assert code < 0
    # The filter ends after the process it listens to: its lines are there, in whatever order.
    assert {"F0000 Check failed", "I0000 00:00:1 1 a.cc:1] information"} <= set(lines)


def test_a_program_whose_own_flags_are_not_parsed_can_call_the_commands() -> None:
    code = (
        "from absl import flags; from vdroppath_tf.cli import main; "
        "flags.DEFINE_string('mine', None, 'text', required=True); "
        "raise SystemExit(main(['catalog']))"
    )
    done = run([sys.executable, "-c", code])
    assert done.returncode == 2
    assert done.stderr.startswith("vdroppath catalog: --data is needed")


def test_processes_that_are_started_are_silent_too(tmp_path: Any) -> None:
    code = "import vdroppath_tf, tensorflow"
    first = f"import subprocess; subprocess.run([sys.executable, '-c', {code!r}])"
    _, lines = start(tmp_path, first=first)
    assert not any(line.startswith("I0000 00:00") for line in lines)
    assert sum("dlopen" in line for line in lines) == 2


@pytest.mark.parametrize(
    ("line", "driver", "noise"),
    [
        (b"I0000 00:00:17.7 1 cudart_stub.cc:31] Could not find cuda drivers\n", False, True),
        (b"2024-01-01 10:00:00.1: I tensorflow/core/util/port.cc:153] oneDNN\n", False, True),
        (b"2024-01-01 10:00:00.1: W tensorflow/core/x.cc:1] Cannot dlopen\n", False, False),
        (b"E0000 00:00:17.7 1 cuda_platform.cc:52] failed call to cuInit: 303\n", False, True),
        (b"E0000 00:00:17.7 1 cuda_platform.cc:52] failed call to cuInit: 303\n", True, False),
        (b"E0000 00:00:17.7 1 cuda_fft.cc:1] Unable to register cuFFT factory\n", True, True),
        (b"Traceback (most recent call last):\n", False, False),
    ],
)
def test_what_is_noise(line: bytes, driver: bool, noise: bool) -> None:
    assert start_up_lines.is_noise(line, driver=driver) == noise
