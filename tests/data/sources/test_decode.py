from __future__ import annotations

import gc
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import barcode
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vdroppath_tf.data.sources import decode
from vdroppath_tf.data.sources import index as frame_index
from vdroppath_tf.data.sources import request as frame_request
from vdroppath_tf.data.sources.container import open_video
from vdroppath_tf.data.sources.decode import VideoError, index_video, read_frames, scaled_size
from vdroppath_tf.data.sources.demux import build_index
from vdroppath_tf.data.sources.encode import write_video

FRAMES = 60


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("barcodes")
    return {kind: barcode.make(folder, kind, FRAMES) for kind in barcode.KINDS}


def numbers(path: Path, indices: list[int] | range | np.ndarray) -> list[int]:
    return [barcode.number(frame) for frame in read_frames(path, np.asarray(indices))]


@pytest.mark.parametrize("kind", barcode.KINDS)
class TestExactFrames:
    def test_whole_file(self, videos: dict[str, Path], kind: str) -> None:
        assert index_video(videos[kind]).num_frames == FRAMES
        assert numbers(videos[kind], range(FRAMES)) == list(range(FRAMES))

    def test_every_frame_alone(self, videos: dict[str, Path], kind: str) -> None:
        for k in range(0, FRAMES, 3):
            assert numbers(videos[kind], [k]) == [k]

    def test_reversed_and_repeated(self, videos: dict[str, Path], kind: str) -> None:
        wanted = [59, 58, 30, 30, 7, 0, 59]
        assert numbers(videos[kind], wanted) == wanted


@pytest.mark.parametrize("kind", ["constant.mp4", "open_gop.mp4", "h264.avi", "stream.ts"])
def test_any_list_of_frames(videos: dict[str, Path], kind: str) -> None:
    @settings(max_examples=15, derandomize=True, database=None)
    @given(st.lists(st.integers(0, FRAMES - 1), min_size=1, max_size=12))
    def check(wanted: list[int]) -> None:
        assert numbers(videos[kind], wanted) == wanted

    check()


def test_each_distinct_frame_is_decoded_once(
    videos: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    stored: list[int] = []
    inner = decode._storer

    def counting(frames: np.ndarray, orientation: int) -> Callable[[int, object], None]:
        store = inner(frames, orientation)

        def spy(slot: int, frame: object) -> None:
            stored.append(slot)
            store(slot, frame)

        return spy

    monkeypatch.setattr(decode, "_storer", counting)
    assert numbers(videos["constant.mp4"], [40, 3, 40, 40, 3]) == [40, 3, 40, 40, 3]
    assert sorted(stored) == [0, 1]


def test_pts_that_lie_are_not_used(videos: dict[str, Path]) -> None:
    assert not index_video(videos["h264.avi"]).exact
    assert index_video(videos["variable.mp4"]).exact
    assert len(index_video(videos["constant.mp4"]).keyframes) == FRAMES // 12


def test_pts_in_the_order_of_storage_are_not_used(tmp_path: Path) -> None:
    """As Debian's opencv-doc has one: an mp4 with B frames whose composition times were lost."""
    source = barcode.write(tmp_path / "source.mp4", 30)
    with av.open(str(source)) as whole, av.open(str(tmp_path / "lost.mp4"), "w") as lost:
        stream = whole.streams.video[0]
        copy = lost.add_stream_from_template(stream)
        packets = [packet for packet in whole.demux(stream) if packet.dts is not None]
        first = min(packet.dts for packet in packets)  # below zero, to make room for B frames
        for packet in packets:
            packet.pts = packet.dts = packet.dts - first
            packet.stream = copy
            lost.mux(packet)
    assert index_video(source).exact
    assert not index_video(tmp_path / "lost.mp4").exact
    assert numbers(tmp_path / "lost.mp4", [29, 3, 14]) == [29, 3, 14]
    assert numbers(tmp_path / "lost.mp4", range(30)) == list(range(30))


def test_frames_outside_the_edit_list_are_not_counted(tmp_path: Path) -> None:
    source = barcode.write(tmp_path / "source.mp4", 40)
    options = {"avoid_negative_ts": "disabled"}
    with (
        av.open(str(source)) as whole,
        av.open(str(tmp_path / "cut.mp4"), "w", options=options) as cut,
    ):
        stream = whole.streams.video[0]
        copy = cut.add_stream_from_template(stream)
        assert stream.time_base is not None
        shift = int(5 / 25 / stream.time_base)  # five frames are now before the beginning
        for packet in whole.demux(stream):
            if packet.size and packet.pts is not None and packet.dts is not None:
                packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, copy
                cut.mux(packet)
    assert index_video(tmp_path / "cut.mp4").num_frames == 35
    assert numbers(tmp_path / "cut.mp4", range(35)) == list(range(5, 40))
    assert numbers(tmp_path / "cut.mp4", [30, 0]) == [35, 5]


def test_many_threads_read_the_same_files(videos: dict[str, Path]) -> None:
    def job(k: int) -> bool:
        kind = list(videos)[k % len(videos)]
        wanted = np.random.default_rng(k).integers(0, FRAMES, 6)
        return numbers(videos[kind], wanted) == wanted.tolist()

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(job, range(64)))


def test_short_edge(videos: dict[str, Path]) -> None:
    frames = read_frames(videos["constant.mp4"], [5, 41], short_edge=16)
    assert frames.shape == (2, 16, 64, 3)
    assert [barcode.number(f) for f in frames] == [5, 41]
    assert scaled_size(240, 320, 120) == (120, 160)
    assert scaled_size(320, 240, 120) == (160, 120)
    assert scaled_size(240, 320, None) == (240, 320)


def test_no_frame_outlives_the_index(videos: dict[str, Path]) -> None:
    """A frame is megabytes: hundreds of them may not wait until Python collects circles."""

    def frames_there() -> int:  # with pixels: decoders of PyAV 17 keep an empty one
        found = [each for each in gc.get_objects() if type(each) is av.VideoFrame]
        return sum(each.format is not None for each in found)

    build_index(str(videos["constant.mp4"]))
    gc.collect()
    before = frames_there()
    gc.disable()  # as between two collections
    try:
        build_index(str(videos["constant.mp4"]))
        assert frames_there() == before
    finally:
        gc.enable()


class TestIndexCache:
    def test_memory_follows_the_file(self, tmp_path: Path) -> None:
        path = tmp_path / "a.mp4"
        for frames in (5, 9):
            barcode.write(path, frames)
            os.utime(path, ns=(frames, frames))
            assert index_video(path).num_frames == frames

    def test_disk(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path, cache = barcode.write(tmp_path / "a.mp4", 20), tmp_path / "cache"
        first = index_video(path, cache_dir=cache)
        frame_index._cached_index.cache_clear()
        monkeypatch.setattr(frame_index, "build_index", lambda *_: pytest.fail("read again"))
        second = index_video(path, cache_dir=cache)
        assert second.num_frames == 20
        assert np.array_equal(first.pts, second.pts)
        assert np.array_equal(first.keyframes, second.keyframes)

    @pytest.mark.parametrize("text", ["", "garbage", "{}", "[]", '{"key": 3}'])
    def test_damaged_entry_is_made_again(self, tmp_path: Path, text: str) -> None:
        path, cache = barcode.write(tmp_path / "a.mp4", 20), tmp_path / "cache"
        index_video(path, cache_dir=cache)
        [entry] = cache.iterdir()
        entry.write_text(text)
        frame_index._cached_index.cache_clear()
        assert index_video(path, cache_dir=cache).num_frames == 20
        assert "pts" in entry.read_text()


class TestBadFiles:
    def expect(self, path: Path, *words: str) -> None:
        with pytest.raises(VideoError) as caught:
            read_frames(path, range(FRAMES))
        for word in (str(path), *words):
            assert word in str(caught.value)

    def test_missing(self, tmp_path: Path) -> None:
        self.expect(tmp_path / "no.mp4", "cannot be read")

    def test_folder(self, tmp_path: Path) -> None:
        self.expect(tmp_path, "is not a file")

    def test_empty(self, tmp_path: Path) -> None:
        (tmp_path / "a.mp4").touch()
        self.expect(tmp_path / "a.mp4", "is empty")

    @pytest.mark.parametrize("data", [b"x", b"\0" * 5000, bytes(range(256)) * 40])
    def test_garbage(self, tmp_path: Path, data: bytes) -> None:
        (tmp_path / "a.mp4").write_bytes(data)
        self.expect(tmp_path / "a.mp4", "damaged or not a video")

    def test_playlist_opens_nothing_else(self, videos: dict[str, Path], tmp_path: Path) -> None:
        (tmp_path / "a.mp4").write_text(f"ffconcat version 1.0\nfile '{videos['constant.mp4']}'\n")
        self.expect(tmp_path / "a.mp4", "damaged or not a video")

    def test_audio_only(self, tmp_path: Path) -> None:
        with av.open(str(tmp_path / "a.mp4"), "w") as container:
            stream = container.add_stream("aac", rate=8000, layout="mono")
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), "fltp", "mono")
            frame.sample_rate = 8000
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        self.expect(tmp_path / "a.mp4", "holds no video", "audio")

    def test_too_few_frames(self, tmp_path: Path) -> None:
        self.expect(barcode.write(tmp_path / "a.mp4", 7), "frame 59", "7 frames")

    def test_negative_and_no_frame(self, videos: dict[str, Path]) -> None:
        with pytest.raises(VideoError, match=r"frame -1 .* 60 frames"):
            read_frames(videos["constant.mp4"], [3, -1])
        with pytest.raises(VideoError, match="no frame was requested"):
            read_frames(videos["constant.mp4"], [])

    @pytest.mark.parametrize("limit", ["MAX_FRAMES", "MAX_SIDE", "MAX_BYTES"])
    def test_bounds(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
        from vdroppath_tf.data.sources import container, packets

        where = {"MAX_FRAMES": packets, "MAX_SIDE": container, "MAX_BYTES": frame_request}[limit]
        monkeypatch.setattr(where, limit, 10)
        self.expect(barcode.write(tmp_path / "a.mp4", FRAMES), "10")

    @pytest.mark.parametrize("kind", barcode.KINDS)
    @pytest.mark.parametrize("part", [0.02, 0.1, 0.3, 0.6, 0.85, 0.95])
    def test_cut_short(
        self, videos: dict[str, Path], tmp_path: Path, kind: str, part: float
    ) -> None:
        data = videos[kind].read_bytes()
        # MPEG-TS cut between two of its packets looks whole: only the number of frames tells.
        (tmp_path / kind).write_bytes(data[: int(len(data) * part) // 188 * 188 + 1])
        if kind.endswith(".avi") and part == 0.95:  # in the table behind the last frame
            assert numbers(tmp_path / kind, range(FRAMES)) == list(range(FRAMES))
            return
        self.expect(tmp_path / kind)
        with pytest.raises(VideoError):
            index_video(tmp_path / kind)

    def test_cut_short_while_it_is_read(self, tmp_path: Path) -> None:
        """FFmpeg says only that the data are invalid; the message says why."""
        path, garbage = barcode.write(tmp_path / "a.mp4", 20), tmp_path / "garbage"
        garbage.write_bytes(bytes(range(256)))

        def read() -> None:
            with open_video(str(path)):
                os.truncate(path, 100)
                av.open(str(garbage))

        with pytest.raises(VideoError, match=r"a\.mp4: is cut short"):
            read()

    @pytest.mark.parametrize("part", [0.4, 0.6, 0.8, 0.95, 0.999])
    def test_cut_short_with_the_table_first(self, tmp_path: Path, part: float) -> None:
        path = tmp_path / "a.mp4"
        with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
            stream = container.add_stream("libx264", rate=25)
            stream.height, stream.width, stream.pix_fmt = *barcode.SIZE, "yuv420p"
            for k in range(FRAMES):
                picture = av.VideoFrame.from_ndarray(barcode.picture(k), format="rgb24")
                container.mux(stream.encode(picture))
            container.mux(stream.encode(None))
        data = path.read_bytes()
        assert data.index(b"moov") < data.index(b"mdat")
        path.write_bytes(data[: int(len(data) * part)])
        self.expect(path)

    def test_flipped_bytes_never_lose_a_frame_silently(
        self, videos: dict[str, Path], tmp_path: Path
    ) -> None:
        data = bytearray(videos["constant.mp4"].read_bytes())
        rng = np.random.default_rng(0)
        for trial in range(20):
            damaged = bytearray(data)
            for place in rng.integers(0, len(data), 4):
                damaged[place] ^= 0xFF
            path = tmp_path / f"{trial}.mp4"
            path.write_bytes(damaged)
            try:
                frames = read_frames(path, range(FRAMES))
            except VideoError:
                continue
            assert len(frames) == FRAMES  # decoders conceal small damage, they drop no frame


class TestWriteVideo:
    @pytest.mark.parametrize("suffix", ["mp4", "mov", "avi", "mkv", "ts"])
    def test_round_trip(self, tmp_path: Path, suffix: str) -> None:
        frames = np.stack([barcode.picture(k) for k in range(30)])
        write_video(tmp_path / f"a.{suffix}", frames)
        assert numbers(tmp_path / f"a.{suffix}", range(30)) == list(range(30))
        assert [p.name for p in tmp_path.iterdir()] == [f"a.{suffix}"]

    def test_webm(self, tmp_path: Path) -> None:
        frames = np.stack([barcode.picture(k) for k in range(9)])
        write_video(tmp_path / "a.webm", frames, codec="libvpx", gop=3)
        assert numbers(tmp_path / "a.webm", range(9)) == list(range(9))

    def test_each_frame_alone(self, tmp_path: Path) -> None:
        write_video(tmp_path / "a.mp4", np.stack([barcode.picture(k) for k in range(9)]), gop=1)
        assert len(index_video(tmp_path / "a.mp4").keyframes) == 9

    def test_failure_leaves_the_old_file(self, tmp_path: Path) -> None:
        path = barcode.write(tmp_path / "a.mp4", 5)
        with pytest.raises(ValueError, match="does not support"):  # VP8 in mp4
            write_video(path, np.zeros((3, 32, 32, 3), np.uint8), codec="libvpx")
        assert numbers(path, range(5)) == list(range(5))
        assert list(tmp_path.iterdir()) == [path]

    @pytest.mark.parametrize(
        "frames",
        [
            np.zeros((3, 32, 32, 3), np.float32),
            np.zeros((3, 31, 32, 3), np.uint8),
            np.zeros((3, 32, 32), np.uint8),
            np.zeros((0, 32, 32, 3), np.uint8),
        ],
    )
    def test_wrong_frames(self, tmp_path: Path, frames: np.ndarray) -> None:
        with pytest.raises(ValueError, match=r"a\.mp4: expected uint8 .* Received"):
            write_video(tmp_path / "a.mp4", frames)

    def test_unknown_suffix(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="unknown suffix"):
            write_video(tmp_path / "a.xyz", np.zeros((3, 32, 32, 3), np.uint8))
