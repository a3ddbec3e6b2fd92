"""The files that examples of docstrings read: small videos, lists, archives and a trained run."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import miniatures
import numpy as np
import tensorflow as tf
from pictures import barcodes

from vdroppath_tf.data import write_video

CLASSES = ("jump", "walk")
FRAMES = 12


def video(path: Path, frames: int = FRAMES, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    write_video(path, rng.integers(0, 256, (frames, 32, 48, 3), np.uint8))


def classes(folder: Path, videos: int = 4) -> None:
    for number, name in enumerate(CLASSES):
        for k in range(videos):
            video(folder / name / f"{k + 1}.mp4", seed=10 * number + k)


def dataset(folder: Path) -> None:
    for part in ("train", "val"):
        classes(folder / part, videos=1)


def text(*lines: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_text("".join(f"{line}\n" for line in lines))

    return write


def listed(*numbers: int) -> Callable[[Path], None]:
    return text(*(f"{c}/{k}.mp4 {n}" for k in numbers for n, c in enumerate(CLASSES)))


def frames(path: Path) -> None:
    miniatures.folder(path / "video1")
    miniatures.folder(path / "video2")


def flow(path: Path) -> None:
    miniatures.folder(path / "video1", "flow_x_{:05d}.jpg")
    for k, data in enumerate(barcodes(miniatures.FRAMES)):
        (path / "video1" / f"flow_y_{k + 1:05d}.jpg").write_bytes(data)


def archive_of_videos(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        for name in CLASSES:
            for k, data in enumerate(barcodes(miniatures.FRAMES)):
                file.writestr(f"{name}/1/{k + 1:05d}.jpg", data)


def hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        for name in CLASSES:
            file[f"{name}/video1"] = np.zeros((FRAMES, 32, 48, 3), np.uint8)


def sequences(path: Path) -> None:
    """Two parts of `SequenceExample`s."""
    path.mkdir()
    images = [tf.train.Feature(bytes_list=tf.train.BytesList(value=[d])) for d in barcodes(3)]
    lists = tf.train.FeatureLists(
        feature_list={"image/encoded": tf.train.FeatureList(feature=images)}
    )
    for part in ("train", "val"):
        with tf.io.TFRecordWriter(str(path / f"{part}.tfrecord")) as writer:
            for number, name in enumerate(CLASSES):
                index = tf.train.Feature(int64_list=tf.train.Int64List(value=[number]))
                word = tf.train.Feature(bytes_list=tf.train.BytesList(value=[name.encode()]))
                context = {"clip/label/index": index, "clip/label/text": word}
                features = tf.train.Features(feature=context)
                example = tf.train.SequenceExample(context=features, feature_lists=lists)
                writer.write(example.SerializeToString())


def long_videos(suffix: str, *names: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        for name in names:
            video(path / f"{name}{suffix}", 60)

    return write


def activitynet(path: Path) -> None:
    segments = [{"segment": [0.0, 0.2], "label": "Jumping"}]
    path.write_text(
        json.dumps(
            {
                "database": {
                    key: {"subset": "training", "duration": 0.4, "annotations": segments}
                    for key in ("abc", "def")
                }
            }
        )
    )


def diving48(path: Path) -> None:
    item = {"vid_name": "dive1", "label": 3, "start_frame": 0, "end_frame": 9}
    path.write_text(json.dumps([item]))


def moments(path: Path) -> None:
    classes(path / "training", videos=1)
    text(*(f"{name}/1.mp4,{name},3,0" for name in CLASSES))(path / "trainingSet.csv")


CHARADES = ("id,actions,length", "AAA,c001 0.00 1.00;c000 0.50 2.00,2.4", "BBB,c000 0.10 1.10,2.4")
EPIC = (
    "video_id,start_timestamp,stop_timestamp,verb_class,noun_class",
    "P01_01,00:00:00.10,00:00:00.90,0,4",
    "P01_01,00:00:01.00,00:00:01.60,1,2",
)


def miniature(make: Callable[[Path], object]) -> Callable[[Path], None]:
    """A data set in miniature, its lists and videos in one folder."""

    def write(path: Path) -> None:
        path.mkdir()
        make(path)

    return write


# First part of a path in an example -> what writes it.
DATA_FILES: dict[str, Callable[[Path], None]] = {
    "videos": classes,
    "dataset": dataset,
    "train.txt": listed(1, 2, 3),
    "val.txt": listed(4),
    "train.csv": text(*(f"{c}/{k}.mp4,{n}" for k in (1, 2) for n, c in enumerate(CLASSES))),
    "dance.mp4": lambda path: video(path, 60),
    "frames": frames,
    "frames.txt": text("video1 3 0", "video2 3 1"),
    "flow": flow,
    "videos.h5": hdf5,
    "dataset.h5": hdf5,
    "dataset.zip": archive_of_videos,
    "RGB_frames.zip": miniatures.archive,
    "tfrecords": sequences,
    "activity_net.v1-3.min.json": activitynet,
    "activitynet": long_videos(".mp4", "v_abc", "v_def"),
    "Charades_v1_train.csv": text(*CHARADES),
    "Charades_v1_480": long_videos(".mp4", "AAA", "BBB"),
    "Diving48_V2_train.json": diving48,
    "rgb": long_videos(".mp4", "dive1"),
    "EPIC_100_train.csv": text(*EPIC),
    "EPIC-KITCHENS": long_videos(".MP4", "P01/videos/P01_01"),
    "Moments_in_Time_256x256_30fps": moments,
    "ucf101": miniature(miniatures.ucf101),
    "hmdb51": miniature(miniatures.hmdb51),
    "kinetics400": miniature(miniatures.kinetics),
    "something-v1": miniature(miniatures.something_v1),
    "something-v2": miniature(miniatures.something_v2),
}
