from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from footage import TEXTURE, TRAVEL, Footage
from footage_task import write_footage

from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.decode import read_frames
from vdroppath_tf.data.sources.encode import write_video
from vdroppath_tf.experiments.tasks.files import SPLITS, TaskFiles
from vdroppath_tf.experiments.tasks.shapes import DIRECTIONS

FRAMES, SIZE = 6, 32
CLIPS = (24, 12, 12)
STEPS = {"right": (0, 1), "left": (0, -1), "down": (1, 0), "up": (-1, 0)}


def texture(seed: int, height: int = 64, width: int = 96) -> np.ndarray:
    """A blotchy picture, uint8 `(height, width, 3)`: each place in it looks different."""
    coarse = np.random.default_rng(seed).integers(40, 160, (height // 4, width // 4, 3))
    return np.kron(coarse, np.ones((4, 4, 1))).astype(np.uint8)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Four films of still pictures that grow brighter by one grey level a frame."""
    folder = tmp_path_factory.mktemp("films")
    found = {}
    for k, name in enumerate(("ash", "birch", "cedar", "dogwood")):
        frames = texture(k) + np.arange(80, dtype=np.uint8)[:, None, None, None]
        write_video(folder / f"{name}.mp4", frames, crf=8)
        found[name] = folder / f"{name}.mp4"
    return found


@pytest.fixture(scope="module")
def footage(films: dict[str, Path]) -> Footage:
    return Footage(films, FRAMES, SIZE)


def write(folder: Path, task: str, paths: dict[str, Path], **changes: object) -> TaskFiles:
    arguments = {"films": paths, "clips": CLIPS, "frames": FRAMES, "size": SIZE} | changes
    return write_footage(folder, task, **arguments)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory, films: dict[str, Path]) -> Path:
    folder = tmp_path_factory.mktemp("tasks")
    for task in ("appearance", "motion"):
        write(folder / task, task, films)
    return folder


def shift(before: np.ndarray, after: np.ndarray, reach: int = 8) -> tuple[int, int]:
    """Block match: how far down and right the window moved, in pixels."""
    centre = before[reach:-reach, reach:-reach]
    height, width = centre.shape
    errors = {
        (y, x): np.abs(
            after[reach - y : reach - y + height, reach - x : reach - x + width] - centre
        ).mean()
        for y in range(-reach, reach + 1)
        for x in range(-reach, reach + 1)
    }
    return min(errors, key=lambda step: errors[step])


class TestClips:
    def test_layout_and_balance(self, tasks: Path, films: dict[str, Path]) -> None:
        for task, labels in (("appearance", tuple(films)), ("motion", DIRECTIONS)):
            names = sorted(p.name for p in (tasks / task).iterdir())
            lists = [f"{s}.txt" for s in SPLITS]
            assert names == sorted([*SPLITS, *lists, "labels.txt", "task.json"])
            files = write(tasks / task, task, films)
            assert files.labels == labels
            for split, count in zip(SPLITS, CLIPS, strict=True):
                found = [entry.label for entry in files.manifest(split)]
                assert np.bincount(found).tolist() == [count // 4] * 4
                assert {entry.num_frames for entry in files.manifest(split)} == {FRAMES}

    @pytest.mark.parametrize("split", SPLITS)
    def test_pans_as_labelled(self, tasks: Path, films: dict[str, Path], split: str) -> None:
        for entry in write(tasks / "motion", "motion", films).manifest(split):
            grey = read_frames(entry.path, range(FRAMES)).astype(float).mean(-1)
            steps = np.array([shift(grey[k], grey[k + 1]) for k in range(FRAMES - 1)])
            down, right = STEPS[DIRECTIONS[entry.label]]
            moved = steps.sum(0)
            assert not (steps[:, 0] * right).any()
            assert not (steps[:, 1] * down).any()
            travel = int(moved @ (down, right))
            assert TRAVEL[0] * SIZE - 1 <= travel <= TRAVEL[1] * SIZE + 1

    def test_appearance_is_the_film_and_stands_still(
        self, tasks: Path, films: dict[str, Path]
    ) -> None:
        for entry in write(tasks / "appearance", "appearance", films).manifest("test"):
            clip = read_frames(entry.path, range(FRAMES)).astype(float)
            clip -= clip.mean((1, 2, 3), keepdims=True)
            assert np.abs(clip[1:] - clip[:-1]).mean() < 4
            errors = []
            for k in range(4):
                film = texture(k).astype(float)
                windows = np.lib.stride_tricks.sliding_window_view(film, (SIZE, SIZE, 3))[:, :, 0]
                windows = windows - windows.mean((2, 3, 4), keepdims=True)
                errors.append(np.abs(windows - clip[0]).mean((2, 3, 4)).min())
            assert np.argmin(errors) == entry.label

    def test_training_never_saw_the_times(self, tasks: Path, films: dict[str, Path]) -> None:
        """The films grow brighter, so brightness is time."""
        files = write(tasks / "appearance", "appearance", films)
        for label in range(4):
            bounds = []
            for split in SPLITS:
                entries = [entry for entry in files.manifest(split) if entry.label == label]
                cuts = [
                    Footage(films, FRAMES, SIZE).draw("appearance", split, label + 4 * k)
                    for k in range(len(entries))
                ]
                for entry, cut in zip(entries, cuts, strict=True):
                    clip = read_frames(entry.path, range(FRAMES)).astype(float)
                    top, left = cut.corners[0]
                    place = texture(label)[top : top + SIZE, left : left + SIZE]
                    times = (clip - place).mean((1, 2, 3))
                    assert times == pytest.approx(cut.frames, abs=3)  # coded twice
                    bounds.append((split, times.min(), times.max()))
            latest = {split: max(b for s, _, b in bounds if s == split) for split in SPLITS}
            first = {split: min(a for s, a, _ in bounds if s == split) for split in SPLITS}
            assert latest["train"] < first["validation"]
            assert latest["validation"] < first["test"]


class TestDraws:
    def test_parts_are_apart(self, footage: Footage) -> None:
        for task in ("appearance", "motion"):
            seen: dict[str, dict[str, set[int]]] = {split: {} for split in SPLITS}
            for split in SPLITS:
                for item in range(400):
                    cut = footage.draw(task, split, item)
                    seen[split].setdefault(cut.film, set()).update(cut.frames.tolist())
            for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
                for film in seen[one].keys() & seen[other].keys():
                    assert max(seen[one][film]) + 80 * 0.04 < min(seen[other][film])
            if task == "motion":
                assert set(seen["train"]) == {"ash", "birch", "cedar"}
                assert set(seen["validation"]) == set(seen["test"]) == {"dogwood"}
            # A part is used from end to end: 48 frames.
            assert len(seen["train"]["ash"]) >= 46

    def test_films_say_nothing_about_directions(self, footage: Footage) -> None:
        cuts = [footage.draw("motion", "train", item) for item in range(120)]
        table = np.zeros((4, 3))
        for cut in cuts:
            table[cut.label, ["ash", "birch", "cedar"].index(cut.film)] += 1
        assert (table == 10).all()

    def test_place_says_nothing_about_directions(self, footage: Footage) -> None:
        """A frame taken out of a clip is anywhere, equally likely for each direction."""
        each, cells = 1200, 4
        rng = np.random.default_rng(0)
        room = np.array([64 - SIZE, 96 - SIZE]) + 1
        table = np.zeros((4, cells * cells))
        for item in range(4 * each):
            cut = footage.draw("motion", "train", item)
            row, column = cut.corners[rng.integers(FRAMES)] * cells // room
            table[cut.label, row * cells + column] += 1
        expected = table.mean(0, keepdims=True)
        assert (expected > 20).all()
        chi2 = ((table - expected) ** 2 / expected).sum()
        freedom = 3 * (cells * cells - 1)
        assert chi2 < freedom + 6 * np.sqrt(2 * freedom)

    def test_windows_stay_inside_at_the_ends(self, films: dict[str, Path]) -> None:
        footage = Footage(films, 12, 46)
        corners = np.stack([footage.draw("motion", "train", k).corners for k in range(400)])
        assert corners.min() == 0
        assert corners.reshape(-1, 2).max(0).tolist() == [92 - 46, 138 - 46]

    def test_plain_windows_are_drawn_again(self, tmp_path: Path) -> None:
        half = np.full((64, 128, 3), 90, np.uint8)
        half[:, 64:] = texture(3, 64, 64)
        plain = np.full((60, 64, 64, 3), 90, np.uint8)
        write_video(tmp_path / "half.mp4", np.repeat(half[None], 60, 0))
        write_video(tmp_path / "plain.mp4", plain)
        paths = {"half": tmp_path / "half.mp4", "plain": tmp_path / "plain.mp4"}
        footage = Footage(paths, FRAMES, SIZE)
        lefts = []
        for item in range(0, 80, 2):
            cut = footage.draw("appearance", "train", item)
            grey = footage.cut(cut)[FRAMES // 2].astype(float).mean(-1)
            assert min(np.abs(np.diff(grey, axis=k)).mean() for k in (0, 1)) >= TEXTURE
            lefts.append(cut.corners[0, 1])
        assert min(lefts) > 64 - SIZE
        # Nothing but plain windows: cut all the same.
        assert np.ptp(footage.cut(footage.draw("appearance", "train", 1))) < 8

    def test_other_seeds_and_splits_draw_anew(self, footage: Footage) -> None:
        cuts = {
            (cut.frames.tobytes(), cut.corners.tobytes())
            for seed in range(3)
            for item in range(3)
            for cut in [footage.draw("motion", "train", item, seed=seed)]
        }
        assert len(cuts) == 9


class TestFiles:
    def test_deterministic_and_taken_up_again(
        self, tasks: Path, tmp_path: Path, films: dict[str, Path]
    ) -> None:
        folder = tmp_path / "again"
        write(folder, "motion", films)
        clips = sorted(p.relative_to(folder) for p in folder.rglob("*.*"))
        assert len(clips) == sum(CLIPS) + 5
        for name in clips:
            assert (folder / name).read_bytes() == (tasks / "motion" / name).read_bytes(), name
        kept = (folder / "train/000000.mp4").stat().st_mtime_ns
        for lost in ("train/000007.mp4", "test.txt"):
            (folder / lost).unlink()
        seen: list[tuple[int, int]] = []
        write(folder, "motion", films, on_clip=lambda *args: seen.append(args))
        for name in clips:
            assert (folder / name).read_bytes() == (tasks / "motion" / name).read_bytes(), name
        assert (folder / "train/000000.mp4").stat().st_mtime_ns == kept
        assert seen == [(k, sum(CLIPS)) for k in range(1, sum(CLIPS) + 1)]

    def test_films_may_move_but_not_change(
        self, tasks: Path, tmp_path: Path, films: dict[str, Path]
    ) -> None:
        moved = {name: tmp_path / f"moved_{name}.mp4" for name in films}
        for name, path in moved.items():
            path.write_bytes(films[name].read_bytes())
        write(tasks / "motion", "motion", moved)
        swapped = moved | {"ash": moved["birch"]}
        for changes in (
            {"films": swapped},
            {"seed": 1},
            {"frames": 5},
            {"size": 30},
            {"clips": (24, 12, 8)},
        ):
            with pytest.raises(ValueError, match=r"task\.json: the folder holds another task"):
                write(tasks / "motion", "motion", films, **changes)
        with pytest.raises(ValueError, match="another task"):
            write(tasks / "motion", "appearance", films)
        found = json.loads((tasks / "motion" / "task.json").read_text())
        assert found["format"] == "vdroppath_tf.footage_task/1"
        assert str(tmp_path) not in json.dumps(found)


class TestErrors:
    @pytest.mark.parametrize(
        ("film", "message"),
        [
            ("missing.mp4", r"missing\.mp4: cannot be read"),
            ("short.mp4", r"short\.mp4: is too short: 4 of its 32 frames .* a clip has 6"),
            ("small.mp4", r"small\.mp4: is too small: 64x30 pixels, and windows are 32x32"),
            ("sound.mp4", r"sound\.mp4: is damaged or not a video"),
        ],
    )
    def test_bad_films(
        self, tmp_path: Path, films: dict[str, Path], film: str, message: str
    ) -> None:
        write_video(tmp_path / "short.mp4", np.repeat(texture(0)[None], 32, 0))
        write_video(tmp_path / "small.mp4", np.zeros((80, 30, 64, 3), np.uint8))
        (tmp_path / "sound.mp4").write_bytes(b"garbage" * 100)
        with pytest.raises(VideoError, match=message):
            write(tmp_path / "t", "motion", films | {"elm": tmp_path / film})
        assert not (tmp_path / "t").exists()

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"clips": (3, 2)}, "three numbers"),
            ({"clips": (3, 2, 0)}, "three numbers"),
            ({"frames": 1}, "frames must be at least 2"),
            ({"size": 33}, "size even"),
            ({"films": {}}, "at least two films"),
        ],
    )
    def test_bad_arguments(
        self, tmp_path: Path, films: dict[str, Path], changes: dict[str, object], message: str
    ) -> None:
        with pytest.raises(ValueError, match=message):
            write(tmp_path / "t", "motion", films, **changes)
        with pytest.raises(ValueError, match="'sound'"):
            write(tmp_path / "t", "sound", films)
        assert not (tmp_path / "t").exists()
