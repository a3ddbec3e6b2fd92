from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from vdroppath_tf.data.sources.decode import index_video, read_frames
from vdroppath_tf.experiments.tasks.shapes import (
    DIRECTIONS,
    GREY,
    SHAPES,
    Scene,
    draw_scene,
    labels,
    render,
)
from vdroppath_tf.experiments.tasks.synthetic import SPLITS, Difficulty, make_clip, write_task

CLIPS = (240, 96, 16)


@pytest.fixture(scope="module")
def task_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`both`: its label says the shape and the direction."""
    folder = tmp_path_factory.mktemp("tasks") / "both"
    write_task(folder, "both", clips=CLIPS, seed=3)
    return folder


@pytest.fixture(scope="module")
def decoded(task_folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Grey levels `(clips, frames, size, size)`, shapes and directions of all clips."""
    entries = [
        e
        for split in SPLITS
        for e in write_task(task_folder, "both", clips=CLIPS, seed=3).manifest(split)
    ]
    frames = np.stack([read_frames(e.path, range(8))[..., 0] for e in entries]).astype(float)
    shapes, directions = np.divmod([e.label for e in entries], 4)
    return frames - frames.mean(), shapes, directions


class TestScenes:
    @pytest.mark.parametrize("shape", range(4))
    def test_equal_areas(self, shape: int) -> None:
        quiet = Difficulty(noise=0, contrast=100)
        frames = render(Scene(shape, 0, (3, 30)), quiet, np.random.default_rng(0))
        areas = (frames[..., 0] - GREY).sum((1, 2)) / 100
        assert np.abs(areas - quiet.shape**2).max() < 0.03 * quiet.shape**2

    @pytest.mark.parametrize(
        ("direction", "axis", "sign"), [(0, 1, 1), (1, 1, -1), (2, 0, 1), (3, 0, -1)]
    )
    def test_moves_as_named(self, direction: int, axis: int, sign: int) -> None:
        quiet = Difficulty(noise=0, speed=3)
        frames = render(Scene(0, direction, (16, 16)), quiet, np.random.default_rng(0))[..., 0]
        assert np.array_equal(frames[1], np.roll(frames[0], 3 * sign, axis))
        assert np.array_equal(frames[7], np.roll(frames[0], 21 * sign, axis))

    def test_gaps(self) -> None:
        """The shape is there every so many frames, twice at least, and jumps in between."""
        quiet = Difficulty(frames=12, noise=0, speed=3, gap=7)
        rng = np.random.default_rng(0)
        found = []
        for label in range(400):
            scene = draw_scene("both", label % 16, quiet, rng)
            frames = render(scene, quiet, rng)[..., 0]
            (seen,) = np.nonzero((frames != GREY).any((1, 2)))
            assert np.array_equal(seen, np.arange(scene.first, 12, scene.period))
            assert len(seen) >= 2
            step = {"right": (1, 3), "left": (1, -3), "down": (0, 3), "up": (0, -3)}
            axis, pixels = step[DIRECTIONS[scene.direction]]
            assert np.array_equal(frames[seen[1]], np.roll(frames[seen[0]], pixels, axis))
            found.append(scene.period)
        assert np.bincount(found, minlength=9)[1:].min() > 25  # 50 of each, about

    @pytest.mark.parametrize("gap", [0, 5])
    @pytest.mark.parametrize("task", ["appearance", "motion", "both"])
    def test_position_says_nothing_at_any_frame(self, task: str, gap: int) -> None:
        each, size = 1500, 32
        moving = Difficulty(speed=2.6, gap=gap)
        rng = np.random.default_rng(0)
        for label in range(0, len(labels(task)), 3):
            scenes = [draw_scene(task, label, moving, rng) for _ in range(each)]
            centres = np.stack([s.centres(moving) for s in scenes])
            cells = (centres // (size / 4)).astype(int) @ [4, 1]  # (clips, frames) in 0..15
            for frame in range(8):
                found = np.bincount(cells[:, frame], minlength=16)
                chi2 = ((found - each / 16) ** 2 / (each / 16)).sum()
                assert chi2 < 15 + 6 * np.sqrt(2 * 15), (label, frame, chi2)

    def test_what_does_not_matter_is_random(self) -> None:
        rng = np.random.default_rng(0)
        motion = [draw_scene("motion", 2, Difficulty(), rng) for _ in range(800)]
        appearance = [draw_scene("appearance", 1, Difficulty(), rng) for _ in range(800)]
        assert {s.direction for s in motion} == {2}
        assert {s.shape for s in appearance} == {1}
        for free in ([s.shape for s in motion], [s.direction for s in appearance]):
            assert np.abs(np.bincount(free, minlength=4) - 200).max() < 5 * np.sqrt(150)
        assert draw_scene("both", 9, Difficulty(), rng).direction == 1
        assert labels("both")[9] == f"{SHAPES[2]} {DIRECTIONS[1]}"

    def test_noise_is_new_in_every_frame(self) -> None:
        noise = render(Scene(0, 0, (0, 0)), Difficulty(contrast=0), np.random.default_rng(0))
        flat = noise[..., 0].reshape(8, -1).astype(float)
        between = np.corrcoef(flat)[~np.eye(8, dtype=bool)]
        assert np.abs(between).max() < 5 / 32
        assert flat.std() == pytest.approx(Difficulty().noise, rel=0.05)

    def test_pure_and_disjoint(self) -> None:
        assert np.array_equal(make_clip("both", "test", 5)[0], make_clip("both", "test", 5)[0])
        clips = {
            make_clip("motion", split, item, seed=seed)[0].tobytes()
            for split in SPLITS
            for item in range(20)
            for seed in range(2)
        }
        assert len(clips) == 3 * 20 * 2

    @pytest.mark.parametrize(
        "changes",
        [
            {"frames": 1},
            {"size": 31},
            {"noise": -1},
            {"contrast": 300},
            {"speed": 16},
            {"shape": 20},
        ],
    )
    def test_difficulty_bounds(self, changes: dict[str, float]) -> None:
        with pytest.raises(ValueError, match=f"{next(iter(changes))} must be"):
            Difficulty(**changes)  # type: ignore[arg-type]


class TestDecoded:
    def test_survives_encoding(self, task_folder: Path) -> None:
        for item in range(10):
            frames, _ = make_clip("both", "train", item, seed=3)
            found = read_frames(task_folder / f"train/{item:06d}.mp4", range(8))
            error = found.astype(float) - frames
            assert error.std() < 0.15 * Difficulty().noise
            assert abs(error.mean()) < 1

    def test_every_frame_is_coded_alone(self, task_folder: Path) -> None:
        assert len(index_video(task_folder / "train/000000.mp4").keyframes) == 8

    def test_direction_shows_between_frames(
        self, decoded: tuple[np.ndarray, np.ndarray, np.ndarray]
    ) -> None:
        frames, _, directions = decoded
        # Known answer: the right shift brings each frame onto the next.
        scores = []
        for axis, step in ((3, 2), (3, -2), (2, 2), (2, -2)):
            moved = np.roll(frames[:, :-1], step, axis)
            scores.append((moved * frames[:, 1:]).sum((1, 2, 3)))
        assert (np.argmax(scores, 0) == directions).mean() > 0.95

    def test_shape_shows_in_frames(
        self, decoded: tuple[np.ndarray, np.ndarray, np.ndarray]
    ) -> None:
        frames, shapes, _ = decoded
        # Known answer: correlate with each shape at every place, on the torus.
        spectrum = np.fft.fft2(frames)
        scores = []
        for shape in range(4):
            template = render(
                Scene(shape, 0, (0, 0)), Difficulty(noise=0), np.random.default_rng(0)
            )[0, ..., 0]
            kernel = np.fft.fft2(template - template.mean())
            match = np.fft.ifft2(spectrum * kernel.conj()).real
            scores.append(match.max((2, 3)).sum(1) / np.sqrt((np.abs(kernel) ** 2).sum()))
        assert (np.argmax(scores, 0) == shapes).mean() > 0.9

    def test_one_frame_says_nothing_about_direction(
        self, decoded: tuple[np.ndarray, np.ndarray, np.ndarray]
    ) -> None:
        frames, _, directions = decoded
        # Features in which ghosts of other frames would show: how a frame agrees with itself
        # shifted either way, and its marginals. A linear reader learns on some, answers others.
        for frame in (0, 4, 7):
            one = frames[:, frame]
            sides = [
                (one * np.roll(one, k, axis) ** 2).mean((1, 2))
                for axis in (1, 2)
                for k in range(-4, 5)
            ]
            features = np.column_stack([*sides, one.mean(1), one.mean(2), np.ones(len(one))])
            features /= features.std(0) + 1e-9
            train = np.arange(len(one)) < 240
            targets = np.eye(4)[directions]
            gram = features[train].T @ features[train] + 10 * np.eye(features.shape[1])
            weights = np.linalg.solve(gram, features[train].T @ targets[train])
            right = (np.argmax(features[~train] @ weights, 1) == directions[~train]).mean()
            assert right < 0.25 + 4 * np.sqrt(0.25 * 0.75 / (~train).sum())


class TestFiles:
    def test_layout(self, task_folder: Path) -> None:
        names = sorted(p.name for p in task_folder.iterdir())
        assert names == sorted([*SPLITS, "labels.txt", "task.json", *(f"{s}.txt" for s in SPLITS)])
        files = write_task(task_folder, "both", clips=CLIPS, seed=3)
        assert files.labels == labels("both")
        for split, count in zip(SPLITS, CLIPS, strict=True):
            manifest = files.manifest(split)
            assert len(manifest) == count
            counts = np.bincount([e.label for e in manifest], minlength=16)
            assert counts.max() - counts.min() <= 1
            assert {e.num_frames for e in manifest} == {8}
            assert manifest.num_classes == 16

    def test_taken_up_again(self, tmp_path: Path) -> None:
        write_task(tmp_path / "t", "motion", clips=(6, 2, 2))
        kept = (tmp_path / "t/train/000000.mp4").stat().st_mtime_ns
        content = (tmp_path / "t/train/000004.mp4").read_bytes()
        for name in ("train/000004.mp4", "train.txt"):
            (tmp_path / "t" / name).unlink()
        seen: list[tuple[int, int]] = []
        write_task(
            tmp_path / "t", "motion", clips=(6, 2, 2), on_clip=lambda *args: seen.append(args)
        )
        assert (tmp_path / "t/train/000004.mp4").read_bytes() == content
        assert (tmp_path / "t/train/000000.mp4").stat().st_mtime_ns == kept
        assert (tmp_path / "t/train.txt").exists()
        assert seen == [(k, 10) for k in range(1, 11)]

    def test_refuses_other_folders(self, tmp_path: Path) -> None:
        folder = tmp_path / "t"
        write_task(folder, "motion", clips=(2, 1, 1))
        before = (folder / "task.json").read_text()
        for arguments in (
            {"task": "appearance"},
            {"seed": 1},
            {"clips": (3, 1, 1)},
            {"difficulty": Difficulty(noise=1)},
        ):
            with pytest.raises(ValueError, match=r"task\.json: the folder holds another task"):
                write_task(folder, **{"clips": (2, 1, 1), **arguments})  # type: ignore[arg-type]
        assert (folder / "task.json").read_text() == before
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "thesis.txt").write_text("years of work")
        with pytest.raises(ValueError, match="not empty and holds no task"):
            write_task(tmp_path / "mine", clips=(2, 1, 1))
        (folder / "task.json").write_text("garbage")
        with pytest.raises(ValueError, match="another task"):
            write_task(folder, clips=(2, 1, 1))

    def test_bad_arguments_write_nothing(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="'colour'"):
            write_task(tmp_path / "t", "colour")
        for clips in ((1, 2), (1, 0, 1)):
            with pytest.raises(ValueError, match="three numbers"):
                write_task(tmp_path / "t", clips=clips)
        assert not (tmp_path / "t").exists()

    def test_description_is_plain_json(self, task_folder: Path) -> None:
        found = json.loads((task_folder / "task.json").read_text())
        assert found["format"] == "vdroppath_tf.synthetic_task/1"
        assert (found["task"], found["seed"], found["clips"]) == ("both", 3, list(CLIPS))
        assert Difficulty(**found["difficulty"]) == Difficulty()
