"""Common names for the columns of a list."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORDS = {
    "path": (
        "path file filename file_name filepath file_path filepaths full_path abs_path rel_path "
        "relative_path video video_path videopath video_name videoname video_file video_filename "
        "video_filepath clip clip_path clip_name clip_file frame_dir frames_dir frame_path folder "
        "dir directory src source location vid vid_name video_id vid_id clip_id id name"
    ),
    "num_frames": (
        "num_frames frames n_frames nframes numframes frame_count framecount frame_num "
        "total_frames num_frame number_of_frames nb_frames"
    ),
    "label": (
        "label class category action activity target tag gesture y gt ground_truth label_name "
        "class_name classname category_name action_name action_label action_class class_label"
    ),
    "class_number": (
        "class_number label_id class_id class_index class_idx label_idx label_index label_num "
        "label_number target_id category_id action_id"
    ),
    "labels": "labels classes tags categories actions label_list label_names class_names",
    "start_frame": "start_frame startframe frame_start first_frame begin_frame",
    "end_frame": "end_frame endframe frame_end last_frame stop_frame",
    "start_second": (
        "start_second start_seconds start_sec start_s start_time starttime time_start t_start "
        "begin_time begin_second begin_seconds begin_sec start_time_s start_time_sec "
        "start_time_seconds"
    ),
    "end_second": (
        "end_second end_seconds end_sec end_s end_time endtime time_end t_end "
        "stop_time stop_second stop_seconds stop_sec finish_time end_time_s end_time_sec "
        "end_time_seconds"
    ),
    "start": "start begin",  # in frames or in seconds
    "end": "end stop",
    "split": "split subset set partition part phase usage",
    "-": "index idx no nr row unnamed_0 level_0",
}
MEANING = {word: column for column, words in _WORDS.items() for word in words.split()}
"""The column for each known name."""
RANK = {word: place for place, word in enumerate(_WORDS["path"].split())}
"""The preference among names of columns of paths; 0 is the best."""

_UNITS = "t|f|time|frame|sec|seconds?|s|ms|stamp|timestamp|date|datetime"
_BESIDE = f"(?:{_UNITS}|index|idx|pos|position|no|num)"
_ELSEWHERE = (
    "inicio|início|comienzo|debut|début|anfang|beginn|inizio|начало|开始|開始|시작"
    "|fin|ende|fim|конец|结束|終了|끝"
)
"""Starts and ends in Spanish, French, German, Italian, Portuguese, Russian, Chinese, Japanese and
Korean, without words that mean something else in English."""
_ENDS = re.compile(
    rf"{_BESIDE}?(?:start(?:s|ed|ing)?|begin(?:s|ning)?|onset|end(?:s|ed|ing)?|stops?|finish)"
    rf"{_BESIDE}?[0-9]?|{_ELSEWHERE}"
)
"""One word in the name of a column that holds the starts or the ends of segments."""
_STARTS_OF_PAIRS = frozenset(
    "from t0 t1 in s s0 sframe stime first since offset tmin lower left".split()
)
_ENDS_OF_PAIRS = frozenset(
    "to t1 t2 out e e0 eframe etime last until till tmax upper right duration length offset".split()
)
_PAIRS = frozenset(
    "segment segments interval intervals timestamp timestamps span spans range ranges trim bounds "
    "times boundaries".split()
)


def plain_name(cell: object) -> str:
    """Returns the name of a column in lower case, with underscores between its words."""
    text = cell if isinstance(cell, str) else ""
    return re.sub(r"[\s\-.:()\[\]]+", "_", text.strip().lower().lstrip("#").strip()).strip("_")


def says_more(name: str) -> bool:
    """Returns whether a field describes a video, beyond its path."""
    name = plain_name(name)
    return MEANING.get(name, "-") not in ("-", "path") or of_segments(name) or of_both_ends(name)


def of_segments(name: str) -> bool:
    """Returns whether an unknown plain name stands for the starts or the ends of segments."""
    return any(_ENDS.fullmatch(word) for word in name.split("_"))


def of_pairs(names: Iterable[str]) -> list[str]:
    """Returns plain names that mean starts and ends only if both exist, such as from and to."""
    words = {name: _words(name) for name in names}
    starts = [name for name, found in words.items() if found & _STARTS_OF_PAIRS]
    ends = [name for name, found in words.items() if found & _ENDS_OF_PAIRS]
    return starts + ends if any(one != other for one in starts for other in ends) else []


def of_both_ends(name: str) -> bool:
    """Returns whether a plain name may stand for cells that hold both a start and an end."""
    return bool(_words(name) & _PAIRS)


def _words(name: str) -> set[str]:
    return set(re.sub(r"_(?=[0-9])", "", name).split("_"))
