"""Parts of a task's report other than scores: answers, tests, data, a second space."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vdroppath_tf.names import named
from vdroppath_tf.scoring.class_answers import ClassAnswers
from vdroppath_tf.scoring.listed import Row, check_share
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy

_PNG = re.compile(r"data:image/png;base64,[A-Za-z0-9+/]+=*")


@named
@dataclass(frozen=True)
class Prediction:
    """The served network's answer to one held-out clip.

    Args:
        file: str, the name of the file.
        label: str, the true class.
        predicted: str, the most probable class.
        probability: float, the probability of that class, in [0, 1].
        frames: str, a few frames as a `data:image/png;base64,` URI, from `frame_strip`. Defaults to
            `None`.

    Raises:
        ValueError: If `probability` is not in [0, 1], or `frames` is another kind of URI.

    Example:
    ```python
    Prediction("1.mp4", label="left", predicted="right", probability=0.6)
    ```
    """

    file: str
    label: str
    predicted: str
    probability: float
    frames: str | None = None

    def __post_init__(self) -> None:
        check_share(f"probability for {self.file!r}", self.probability)
        if self.frames is not None and not _PNG.fullmatch(self.frames):
            raise ValueError(
                f"Expected the frames of {self.file!r} as 'data:image/png;base64,...', which "
                f"frame_strip writes. Received: {self.frames[:60]!r}"
            )


@named
@dataclass(frozen=True)
class DataUsed:
    """The videos that were used to choose, to report and to test.

    Args:
        use: str, the use of the videos, such as `"choosing"`.
        source: str, the list or folder.
        digest: str, the digest of the videos (`Manifest.digest`).
        listed: int, the number of videos in the list.
        protocol: str, the name of the test protocol.
        scored: int, the number of videos that could be read. Defaults to `None`: unknown.

    Example:
    ```python
    digest, listed = test_videos.digest(), len(test_videos)
    data = DataUsed("testing", "test.txt", digest, listed, protocol="10x3", scored=listed)
    ```
    """

    use: str
    source: str
    digest: str
    listed: int
    protocol: str
    scored: int | None = None


@named
@dataclass(frozen=True)
class Tested:
    """A network that `vdroppath test` has scored.

    Args:
        row: `Row`, the network: its file as the name, its strategy's text or `""`.
        data: `DataUsed`, the videos of the test.
        classes: Sequence of the name, videos and top-1 of each class; None for a class without
            videos. Defaults to `()`.
        confusions: Sequence of true class, answer and number of videos, most frequent first.
            Defaults to `()`.
        network: str, the architecture. Defaults to `None`: unknown.
        answers: `ClassAnswers`, the answer for each video. Defaults to `None`: unknown, or videos
            have several classes.

    Example:
    ```python
    tested = read_result("run/result.json")
    print(tested.row.top1, tested.data.source, tested.confusions)
    ```
    """

    row: Row
    data: DataUsed
    classes: Sequence[tuple[str, int, float | None]] = ()
    confusions: Sequence[tuple[str, str, int]] = ()
    network: str | None = None
    answers: ClassAnswers | None = None


@named
@dataclass(frozen=True, eq=False)
class OtherSpace:
    """A space learned on other data, to compare a task's space with.

    Args:
        name: str, the name of the other data.
        space: `ProbabilitySpace`, learned on them, of any network.
        complex_scenes: bool, whether the other data have the more complex scenes, rather than the
            task's. Defaults to `None`: unknown.

    Example:
    ```python
    kinetics = OtherSpace("Kinetics", vdroppath_tf.zoo.published_space("kinetics400"), True)
    task = task_of(vdroppath_tf.zoo.published_space("ucf101"), "UCF101", other=kinetics)
    ```
    """

    name: str
    space: ProbabilitySpace
    complex_scenes: bool | None = None


@named
def check_strategies(
    strategies: Iterable[FusionStrategy], space: ProbabilitySpace, said: str, what: str
) -> None:
    """Checks that strategies are those of a space's network.

    Args:
        strategies: Iterable of `FusionStrategy`.
        space: `ProbabilitySpace`.
        said: str, what the error begins with.
        what: str, what the strategies were read from, in the error.

    Raises:
        ValueError: For the first strategy that does not fit.
    """
    for strategy in strategies:
        try:
            strategy.check(len(space), space.architecture, space.branches)
        except ValueError as error:
            raise ValueError(f"{said}: {error} Expected {what} of the space's template.") from None
