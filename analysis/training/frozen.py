"""What the encoder that anchors hold on to says of the training sentences, computed once and kept beside the run."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analysis.training.encode import Progress, encode
from analysis.training.examples import Side
from analysis.training.trainee import Trainee


@dataclass(frozen=True)
class Frozen:
    """Vectors of one side of all used examples in the encoder held on to, memory-mapped where there is a run folder.

    Attributes:
        words: for each layer (words, dim) float32.
        sentences: for each layer (used examples, dim) float32 means over tokens.
        start: (examples + 1,) where each example's words begin; equal to the next for an example that is not used.
        place: (examples,) row of each used example in `sentences`.
    """

    words: dict[int, np.ndarray]
    sentences: dict[int, np.ndarray]
    start: np.ndarray
    place: np.ndarray

    def batch_words(self, layer: int, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """(words, dim) vectors of the words of some examples, example by example."""
        return np.concatenate([self.words[layer][self.start[row] : self.start[row + 1]] for row in rows])

    def batch_sentences(self, layer: int, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """(examples, dim) sentence vectors of some examples."""
        return np.asarray(self.sentences[layer][self.place[np.asarray(rows)]])


def freeze(
    trainee: Trainee, sides: Sequence[Side], layers: Sequence[int], used: np.ndarray, *, folder: Path | None = None,
    progress: Progress | None = None,
) -> Frozen:  # fmt: skip
    """Encode one side of the examples with the encoder held on to, or read what an earlier start of the run has written.

    Args:
        trainee: holds the encoder that anchors hold on to.
        sides: one side of all examples.
        layers: the layers the objective asks for.
        used: indices of the examples that some step reads, ascending.
        folder: the run's folder, None to keep all in memory.
        progress: called with tokens done and to do.
    """
    counts, place = np.zeros(len(sides), np.int64), np.full(len(sides), -1)
    counts[used], place[used] = [sides[row].words for row in used], np.arange(len(used))
    start = np.concatenate([[0], np.cumsum(counts)])
    stored = _stored(folder, layers, int(start[-1]), len(used)) if folder else None
    if stored is None:
        found = encode(trainee, [sides[row] for row in used], layers, model=trainee.held, progress=progress)
        words = {layer: np.concatenate(parts) for layer, parts in found.words.items()}
        stored = words, found.sentences
        if folder:
            for layer in layers:
                _write(_path(folder, "words", layer), words[layer])
                _write(_path(folder, "sentences", layer), found.sentences[layer])
            stored = _stored(folder, layers, int(start[-1]), len(used)) or stored
    return Frozen(*stored, start, place)


def _path(folder: Path, kind: str, layer: int) -> Path:
    """Where vectors of one kind and layer lie."""
    return folder / f"frozen-{kind}-{layer}.npy"


def _write(path: Path, values: np.ndarray) -> None:
    """An array under its name once it is whole."""
    draft = path.with_suffix(".draft")
    with draft.open("wb") as file:
        np.save(file, values, allow_pickle=False)
    draft.replace(path)


def _stored(
    folder: Path, layers: Sequence[int], words: int, examples: int
) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray]] | None:
    """The arrays of an earlier start, or None where one is missing or of other examples."""
    found: list[dict[int, np.ndarray]] = []
    for kind, count in (("words", words), ("sentences", examples)):
        paths = {layer: _path(folder, kind, layer) for layer in layers}
        if not all(path.exists() for path in paths.values()):
            return None
        found.append({layer: np.load(path, mmap_mode="r", allow_pickle=False) for layer, path in paths.items()})
        if any(len(one) != count for one in found[-1].values()):
            return None
    return found[0], found[1]
