"""The explanation of a clip: a map for each branch of each layer, and the answer."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from vdroppath_tf.names import named
from vdroppath_tf.scoring.array_files import read_arrays, write_arrays

_FORMAT = "vdroppath_tf.explained/1"
_NAMES = ("clip", "numbers", "chances", "method", "layers", "branches", "shares", "shapes", "maps")


@named
@dataclass(frozen=True, eq=False)
class BranchMap:
    """A map of the evidence for a class that one branch of one layer finds.

    Attributes:
        layer: str, the name of the fusion layer.
        branch: str, ``"S"``, ``"T"`` or ``"ST"``.
        values: ``(time, height, width)`` array of float from 0 to 1, at the layer's resolution; 1
            is the maximum over all branches of the layer.
        share: float, this branch's share of the evidence for the class in the layer; 0 for every
            branch if there is none.

    Example:
    ```python
    found = explain_clip(network, clip)
    heat = found.maps[0].resized(clip.shape[:3])  # the size of the clip
    ```
    """

    layer: str
    branch: str
    values: np.ndarray
    share: float

    def resized(self, sizes: tuple[int, int, int]) -> np.ndarray:
        """Interpolates the map linearly to the ``(time, height, width)`` of a clip."""
        pairs = zip(self.values.shape, sizes, strict=True)
        time, height, width = (_matrix(have, want) for have, want in pairs)
        whole = "at,bh,cw,thw->abc"
        found: np.ndarray = np.einsum(whole, time, height, width, self.values, optimize=True)
        return found


def _matrix(have: int, want: int) -> np.ndarray:
    """Returns the ``(want, have)`` matrix of linear interpolation between centres of cells."""
    at = np.clip((np.arange(want) + 0.5) * have / want - 0.5, 0, have - 1)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, have - 1)
    found = np.zeros((want, have))
    rows = np.arange(want)
    np.add.at(found, (rows, low), 1 - (at - low))
    np.add.at(found, (rows, high), at - low)
    return found


@named
@dataclass(frozen=True, eq=False)
class Explanation:
    """Maps of the evidence that the branches of a network find in a clip.

    Attributes:
        clip: ``(time, height, width, channels)`` array, the clip, values 0 to 255.
        label: int, the class that is explained.
        predicted: int, the most probable class.
        chances: ``(classes,)`` array of float, the probability of each class.
        maps: tuple of ``BranchMap``, in the order of the layers.
        method: str, ``"grad-cam"`` or ``"hires-cam"``.

    Example:
    ```python
    found = explain_clip(network, clip)
    found.save("explained.npz")
    Explanation.load("explained.npz").of_layers(found.layers[:1])
    ```
    """

    clip: np.ndarray
    label: int
    predicted: int
    chances: np.ndarray
    maps: tuple[BranchMap, ...]
    method: str

    @property
    def layers(self) -> list[str]:
        """The names of the layers that have a map, in order."""
        return list(dict.fromkeys(one.layer for one in self.maps))

    def of_layers(self, names: list[str]) -> Explanation:
        """Returns the explanation with the maps of some layers only.

        Raises:
            ValueError: If there is no such layer; the message lists the existing ones.
        """
        unknown = [name for name in names if name not in self.layers]
        if unknown:
            raise ValueError(
                f"There is no map of layer {unknown[0]!r}. Expected some of {self.layers}."
            )
        maps = tuple(one for one in self.maps if one.layer in names)
        return Explanation(self.clip, self.label, self.predicted, self.chances, maps, self.method)

    def some_layers(self, most: int) -> Explanation:
        """Returns the explanation with at most ``most`` layers, evenly spread."""
        names = self.layers
        kept = np.linspace(0, len(names) - 1, min(most, len(names))).round().astype(int)
        return self.of_layers([names[k] for k in kept])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes an ``.npz`` file without pickles, atomically."""
        write_arrays(
            path,
            _FORMAT,
            clip=self.clip,
            numbers=np.array([self.label, self.predicted]),
            chances=self.chances,
            method=np.array(self.method),
            layers=np.array([one.layer for one in self.maps]),
            branches=np.array([one.branch for one in self.maps]),
            shares=np.array([one.share for one in self.maps]),
            shapes=np.array([one.values.shape for one in self.maps]).reshape(-1, 3),
            maps=np.concatenate([one.values.ravel() for one in self.maps] or [np.zeros(0)]),
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Explanation:
        """Reads a file that ``save`` wrote.

        Raises:
            ValueError: If the file has another format; the message names it.
            OSError: If it cannot be read.
        """
        found = read_arrays(path, _FORMAT, _NAMES)
        try:
            ends = np.cumsum([int(np.prod(shape)) for shape in found["shapes"]])
            if len(ends) and ends[-1] != len(found["maps"]):
                raise ValueError(f"{len(found['maps'])} values for maps of {ends[-1]}")
            parts = np.split(found["maps"], ends[:-1]) if len(ends) else []
            names = (found[key] for key in ("layers", "branches", "shapes", "shares"))
            maps = tuple(
                BranchMap(str(layer), str(branch), part.reshape(shape), float(share))
                for part, layer, branch, shape, share in zip(parts, *names, strict=True)
            )
            label, predicted = map(int, found["numbers"])
            chances, clip = found["chances"], found["clip"]
            if clip.ndim != 4 or not {label, predicted} <= set(range(len(chances))):
                raise ValueError(f"clip of shape {clip.shape}, classes {label} and {predicted}")
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{path}: holds no explanation of a clip ({error}). Expected what vdroppath "
                "explain wrote."
            ) from None
        return cls(clip, label, predicted, chances, maps, str(found["method"]))
