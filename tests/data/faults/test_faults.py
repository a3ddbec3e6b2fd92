"""Bad videos: replaced in training, left out and counted in evaluation, an error when many."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

import av
import keras
import numpy as np
import pytest
from grey_videos import SAMPLING, VIDEOS, epoch, loader, spoil, write

from vdroppath_tf.data.catalog import Manifest, read_list
from vdroppath_tf.data.clips.cache import VideoCache
from vdroppath_tf.data.clips.check import check_videos
from vdroppath_tf.data.clips.order import ClipOrder
from vdroppath_tf.data.clips.pipeline import evaluation_clips, training_clips
from vdroppath_tf.data.clips.positions import epoch_order
from vdroppath_tf.data.faults.fault import allowed_bad
from vdroppath_tf.data.faults.fault_log import FaultLog
from vdroppath_tf.data.manifest import VideoEntry
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.encode import write_video
from vdroppath_tf.data.sources.video import VideoFile


@pytest.mark.parametrize("bad", [(2,), (0, 1, 4)])
def test_the_next_of_the_order_takes_the_place(tmp_path: Path, bad: Sequence[int]) -> None:
    manifest = write(tmp_path)
    spoil(manifest, *bad)
    faults = FaultLog(1.0)
    made = loader(manifest, faults)
    for number in range(4):
        order = epoch_order(0, number, VIDEOS).tolist()
        expected = [
            next(k for k in order[place:] + order[:place] if k not in bad)
            for place in range(VIDEOS)
        ]
        assert epoch(made, number) == expected
        # every place that had to be passed over counts, a run of bad ones more than once
        passes = sum(
            (order[place:] + order[:place]).index(label) for place, label in enumerate(expected)
        )
        assert faults.replaced(number) == passes >= len(bad)
    # asked for again, batches are the same, and count once
    counts = [fault.count for fault in faults.faults("train")]
    assert epoch(made, 3) == expected
    assert [fault.count for fault in faults.faults("train")] == counts
    assert epoch(loader(manifest, FaultLog(1.0)), 3) == expected


def test_a_replacement_is_another_clip(tmp_path: Path) -> None:
    ramp = np.broadcast_to(np.arange(0, 240, 2)[:, None, None, None], (120, 16, 16, 3))
    write_video(tmp_path / "0.mp4", ramp.astype(np.uint8), crf=1)
    (tmp_path / "1.mp4").write_bytes(b"no video")
    (tmp_path / "list.txt").write_text("0.mp4 120 0\n1.mp4 120 1\n")
    clips, labels = loader(read_list(tmp_path / "list.txt"), FaultLog()).training_batch(0, 0, 0, 2)
    assert labels.tolist() == [0, 0]
    assert abs(float(clips[0].mean()) - float(clips[1].mean())) > 4


@pytest.mark.parametrize("split", ["validation", "test"])
@pytest.mark.parametrize("bad", [(0,), (5,), (2, 3)])
def test_evaluation_leaves_out(tmp_path: Path, split: str, bad: Sequence[int]) -> None:
    manifest = write(tmp_path)
    each = 2 if split == "test" else 1
    whole = [
        (c.numpy(), y.numpy())
        for c, y in evaluation_clips(manifest, SAMPLING, batch_size=2 * each, split=split)
    ]
    spoil(manifest, *bad)
    faults = FaultLog(0.5)
    for _ in range(2):
        pairs = [
            (c.numpy(), y.numpy())
            for c, y in evaluation_clips(
                manifest, SAMPLING, batch_size=2 * each, split=split, faults=faults
            )
        ]
        labels = np.concatenate([y for _, y in pairs])
        kept = [k for k in range(VIDEOS) if k not in bad]
        assert labels.tolist() == np.repeat(kept, each).tolist()
        assert len(pairs) == len(whole)
        assert len(pairs[0][1]) == 2 * each
        assert all(len(y) for _, y in pairs)
        rows = np.isin(np.concatenate([y for _, y in whole]), kept)
        before = np.concatenate([c for c, _ in whole])[rows]
        assert np.array_equal(np.concatenate([c for c, _ in pairs]), before)
    assert faults.scored(manifest, split) == VIDEOS - len(bad)
    left = f"4 of 6 videos scored; {len(bad)}" if len(bad) == 2 else "5 of 6 videos scored; 1"
    assert faults.account(manifest, split) == f"{left} could not be read"
    assert [fault.count for fault in faults.faults(split)] == [1] * len(bad)


class TestHowMany:
    def test_the_first_where_none_may_be(self, tmp_path: Path) -> None:
        manifest = write(tmp_path)
        spoil(manifest, 3)
        for faults in (FaultLog(0), None):
            with pytest.raises(
                VideoError, match=r"^[^\n]*3\.mp4: is damaged or not a video[^\n]*$"
            ):
                loader(manifest, faults, "test").evaluation_batch(0, VIDEOS)

    def test_one_is_always_allowed_and_two_of_six_are_not(self, tmp_path: Path) -> None:
        manifest = write(tmp_path)
        spoil(manifest, 3)
        _, labels = loader(manifest, FaultLog(), "validation").evaluation_batch(0, VIDEOS)
        assert labels.tolist() == [0, 1, 2, 4, 5]
        spoil(manifest, 4)
        with pytest.raises(VideoError) as caught:
            loader(manifest, FaultLog(), "validation").evaluation_batch(0, VIDEOS)
        text = str(caught.value)
        assert text.startswith("2 of the ")
        assert "validation videos that were tried cannot be read; max_bad_fraction=0.1" in text
        assert "probably the decoder" in text
        assert "3.mp4: is damaged" in text
        assert "4.mp4: is damaged" in text

    def test_all_bad(self, tmp_path: Path) -> None:
        manifest = write(tmp_path, 2)
        made = loader(manifest, FaultLog(1.0))
        spoil(manifest, 0, 1)
        with pytest.raises(VideoError, match="2 of the 2 train videos"):
            made.training_batch(0, 0, 0, 2)
        with pytest.raises(VideoError, match=r"none of the first 2 videos can be read. .*0\.mp4"):
            loader(manifest, FaultLog(1.0))
        with pytest.raises(VideoError, match=r"0\.mp4"):
            loader(manifest.select([0]), FaultLog(1.0))

    @pytest.mark.parametrize(
        ("total", "good", "bad", "fraction", "stops"),
        [
            (1000, 0, 10, 0.1, False),  # of the first 100
            (1000, 0, 11, 0.1, True),
            (1000, 900, 100, 0.1, False),
            (1000, 899, 101, 0.1, True),
            (20, 0, 2, 0.1, False),
            (20, 0, 3, 0.1, True),
            (3, 2, 1, 0.1, False),
            (3, 0, 1, 0.001, False),
            (3, 2, 1, 0.0, True),
            (1, 0, 1, 1.0, True),
        ],
    )
    def test_the_rule(self, total: int, good: int, bad: int, fraction: float, stops: bool) -> None:
        entries = tuple(VideoEntry(VideoFile(f"/{k}"), 0, None, "list") for k in range(total))
        faults = FaultLog(fraction)
        faults.expect("train", Manifest(entries, ("a",), "list"))
        for entry in entries[:good]:
            faults.good("train", entry)
        for entry in entries[good : good + bad]:
            faults.bad("train", entry, VideoError("bad"))
        if not stops:
            faults.raise_if_too_many("train")
            return
        with pytest.raises(VideoError):
            faults.raise_if_too_many("train")

    @pytest.mark.parametrize("fraction", [-0.1, 1.1, float("nan")])
    def test_no_share(self, fraction: float) -> None:
        with pytest.raises(ValueError, match="from 0 to 1"):
            FaultLog(fraction)


def test_said_aloud_once_each_and_not_without_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    manifest = write(tmp_path, 14)
    spoil(manifest, *range(12))
    with caplog.at_level(logging.WARNING):
        made = loader(manifest, FaultLog(1.0))
        for number in range(2):
            epoch(made, number)
    assert len(caplog.messages) == 10
    assert "bad video 1 of train: " in caplog.messages[0]
    assert "further bad videos" in caplog.messages[-1]


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt, ZeroDivisionError, OSError])
def test_nothing_else_is_caught(
    tmp_path: Path, error: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = loader(write(tmp_path, 2), FaultLog(1.0))

    def read(*_: object, **__: object) -> np.ndarray:
        raise error("not the video's fault")

    monkeypatch.setattr(VideoFile, "read", read)
    with pytest.raises(error, match="not the video's fault"):
        made.training_batch(0, 0, 0, 2)
    assert not made.faults.faults()


def test_gone_in_the_run(tmp_path: Path) -> None:
    manifest = write(tmp_path)
    faults = FaultLog()
    order = ClipOrder(epochs=8)
    clips = iter(training_clips(manifest, SAMPLING, batch_size=1, order=order, faults=faults))
    next(clips)
    Path(manifest.entries[2].path).unlink()
    assert 2 not in [int(labels[0]) for _, labels in clips][-VIDEOS:]
    (fault,) = faults.faults()
    assert "cannot be read ([Errno 2]" in fault.reason


def test_no_permission_is_a_bad_video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vdroppath_tf.data.sources import container

    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    path = write(tmp_path, 1).entries[0].path
    monkeypatch.setattr(container, "find_shortfall", refuse)
    with pytest.raises(VideoError, match="Permission denied"):
        VideoFile(path).info()


def test_the_room_to_keep_videos_does_not_decide(tmp_path: Path) -> None:
    """A clip that misses the damage is good, whether the whole video was to be kept or not."""
    manifest = damaged_in_the_middle(tmp_path)
    for frames, bad in ((range(4), 0), (range(8, 12), 1)):
        for room in (0, 1 << 24):
            cache, entry = VideoCache(room), manifest.entries[0]
            failed = 0
            for _ in range(2):
                try:
                    cache.frames(entry.source, frames)
                except VideoError:
                    failed += 1
            assert failed == 2 * bad
            assert cache.used_bytes == 0


def damaged_in_the_middle(folder: Path) -> Manifest:
    """One video of 24 frames, each built on the one before; the packet of frame 8 is spoilt."""
    rng = np.random.default_rng(0)
    still = rng.integers(0, 256, (8, 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    frames = np.stack([np.roll(still, 2 * k, 1) for k in range(24)])
    path = folder / "0.mp4"
    write_video(path, frames)
    with av.open(str(path)) as container:
        packets = [p for p in container.demux(container.streams.video[0]) if p.size]
        place, size = packets[8].pos, packets[8].size
    data = bytearray(path.read_bytes())
    data[place + size // 2 : place + size] = bytes(size - size // 2)
    path.write_bytes(data)
    (folder / "list.txt").write_text("0.mp4 24 0\n")
    return read_list(folder / "list.txt")


def test_frames_that_build_on_a_damaged_one_are_refused(tmp_path: Path) -> None:
    """The decoder marks frame 8 and gives the others, which are wrong too, without a mark."""
    video = damaged_in_the_middle(tmp_path).entries[0].source
    assert len(video.read(range(8))) == 8
    for frame in (8, 9, 15, 23):
        with pytest.raises(VideoError, match=f"frame {frame} is listed .* cannot be decoded"):
            video.read([frame])


class TestCheck:
    def test_all_at_once(self, tmp_path: Path) -> None:
        manifest = write(tmp_path, 13)
        spoil(manifest, *range(12))
        with pytest.raises(VideoError) as caught:
            check_videos(manifest, SAMPLING)
        lines = str(caught.value).splitlines()
        assert lines[0].startswith("12 of the 13 train videos that were tried cannot be read")
        assert [os.path.basename(line.split(": ")[0]) for line in lines[1:-1]] == [
            f"{k}.mp4" for k in range(10)
        ]
        assert lines[-1] == "  and 2 more"

    def test_a_few_are_noted(self, tmp_path: Path) -> None:
        manifest = write(tmp_path)
        spoil(manifest, 0)
        faults = FaultLog()
        check_videos(manifest, SAMPLING, split="validation", faults=faults)
        (fault,) = faults.faults()
        assert (fault.split, fault.found, fault.count) == ("validation", "check", 0)
        assert fault.origin.endswith("list.txt:1")


@pytest.mark.parametrize(
    ("fraction", "seen", "total", "expected"),
    [
        (0.0, 1000, 1000, 0),
        (0.1, 1, 1000, 10),  # of the first 100 as of 100
        (0.1, 1000, 1000, 100),
        (0.1, 0, 6, 1),  # one always
        (0.001, 500, 500, 1),
        (1.0, 5, 5, 4),  # never all
        (0.1, 1, 1, 0),
    ],
)
def test_how_many_may_be_bad(fraction: float, seen: int, total: int, expected: int) -> None:
    assert allowed_bad(fraction, seen, total) == expected


@pytest.mark.parametrize(
    ("batch", "bad", "sizes"),
    [
        (2, (), [2, 2, 2]),
        (2, (0,), [2, 2, 1]),
        (4, (5,), [4, 1]),
        (4, (4, 5), [4, 0]),  # replicas want a full first one more than a second one
        (4, (0, 5), [4, 0]),
        (3, (0, 1, 2), [3, 0]),
        (2, (2, 3, 4, 5), [2, 0, 0]),
        (1, (1, 4), [1, 1, 1, 0, 1, 0]),
        (5, (0, 2), [4, 0]),
        (6, (0, 5), [4]),
    ],
)
def test_keras_is_not_surprised(
    tmp_path: Path, batch: int, bad: Sequence[int], sizes: list[int]
) -> None:
    """Warnings are errors here; and the mean is that of the videos that were scored."""
    manifest = write(tmp_path)
    spoil(manifest, *bad)
    faults = FaultLog(1.0)
    clips = evaluation_clips(manifest, SAMPLING, batch_size=batch, faults=faults)
    assert int(clips.cardinality()) == len(sizes)
    assert [len(y) for _, y in clips] == sizes
    model = keras.Sequential(
        [
            keras.Input((2, 16, 16, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.GlobalAveragePooling3D(),
            keras.layers.Dense(VIDEOS, bias_initializer="random_normal"),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, metrics=["accuracy"])
    rest = manifest.select(k for k in range(VIDEOS) if k not in bad)
    expected = model.evaluate(evaluation_clips(rest, SAMPLING, batch_size=1), verbose=0)
    np.testing.assert_allclose(model.evaluate(clips, verbose=0), expected, rtol=1e-5)
    model.compile(keras.optimizers.SGD(0.0), loss, metrics=["accuracy"])
    history = model.fit(
        clips.take(1), validation_data=clips, epochs=2, verbose=0, shuffle=False
    ).history
    for name, value in zip(("val_loss", "val_accuracy"), expected, strict=True):
        np.testing.assert_allclose(history[name], [value] * 2, rtol=1e-5)
