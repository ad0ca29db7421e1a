"""Looks at a run from outside: retrieval on development data, and what of the anchor's language is forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.encoders.encoder import Encoder
from analysis.encoders.model import Model
from analysis.scoring.evaluate import evaluate
from analysis.scoring.forgetting import drift_of, kept_share
from analysis.text.corpus import Bitext, Sentence
from analysis.training.encode import encode
from analysis.training.examples import Side, sides_of
from analysis.training.trainee import Trainee

MOST_PAIRS = 600  # of all development sets in one look
WORDS = 2000  # words of the anchor's language whose neighbours are watched


class LiveEncoder(Encoder):
    """The network that trains, as an encoder: every call gives the vectors of this moment, so cache nothing."""

    def __init__(self, encoder: Encoder, trainee: Trainee) -> None:
        super().__init__(
            f"{encoder.name} (training)", revision="live", depth=encoder.depth, dim=encoder.dim,
            folder=encoder._folder, link_defaults=encoder.link_defaults, prefix=encoder.prefix,
        )  # fmt: skip
        self._trainee = trainee

    @property
    def model(self) -> Model:
        """The network that trains."""
        return self._trainee.live


@dataclass(frozen=True)
class DevScores:
    """One look at the development data: the measure, a score per language pair in percent, and their mean."""

    measure: str
    scores: dict[str, float]

    @property
    def mean(self) -> float | None:
        """Unweighted mean over language pairs, None where nothing could be scored."""
        return float(np.mean(list(self.scores.values()))) if self.scores else None


class Monitor:
    """What a run looks at every so many steps.

    Args:
        encoder: the base.
        trainee: the network that trains.
        dev: development pairs; the first `dev_pairs` of each are used.
        anchor: whose forgetting is watched.
        fallback: sentences in the anchor's language for a run without development data.
        layer: the layer that is looked at.
        dev_pairs: sentence pairs per development set.
    """

    def __init__(
        self, encoder: Encoder, trainee: Trainee, dev: Sequence[Bitext], *, anchor: str,
        fallback: Sequence[Sentence], layer: int, dev_pairs: int,
    ) -> None:  # fmt: skip
        self.trainee, self.layer = trainee, layer
        self.live = LiveEncoder(encoder, trainee)
        size = min(dev_pairs, max(10, MOST_PAIRS // max(1, len(dev))))
        self.dev = [bitext.take(range(min(size, len(bitext)))) for bitext in dev if len(bitext)]
        self.sides = _watched(trainee, self.dev, anchor, fallback)
        found = encode(trainee, self.sides, [layer])
        self.base = _flat(found.words[layer]), found.sentences[layer]

    def development(self) -> DevScores:
        """The development scores of this moment: word retrieval where there are links, else sentence retrieval."""
        linked = any(bitext.links is not None for bitext in self.dev)
        measure = "word_retrieval" if linked else "sentence_retrieval"
        scores: dict[str, float] = {}
        with self.trainee.evaluating():
            for bitext in self.dev:
                if linked and bitext.links is None:
                    continue
                result = evaluate(measure, self.live, bitext, layer=self.layer, cache=False)
                if result.score is not None:
                    scores[_label(bitext, scores)] = float(result.score)
        return DevScores(measure, scores)

    def forgetting(self) -> dict[str, float | None]:
        """Drift and kept neighbours of the anchor's words and sentences, None where there are too few."""
        found = encode(self.trainee, self.sides, [self.layer], model=self.trainee.live)
        words, sentences = _flat(found.words[self.layer]), found.sentences[self.layer]
        return {
            "drift": _mean(drift_of(self.base[0], words)),
            "kept_words": _mean(kept_share(self.base[0], words)),
            "kept_sentences": _mean(kept_share(self.base[1], sentences)),
        }


def _watched(trainee: Trainee, dev: Sequence[Bitext], anchor: str, fallback: Sequence[Sentence]) -> list[Side]:
    """Sentences of the anchor's language, each once, up to a number of words."""
    found: dict[str, Sentence] = {}
    for bitext in dev:
        for tag, side in zip(bitext.languages, (bitext.source, bitext.target), strict=True):
            if tag == anchor:
                found |= {sentence.text: sentence for sentence in side}
    sentences = list(found.values() or fallback)
    sides = [side for side in sides_of(trainee.base, sentences, "mean") if 0 < len(side.ids) <= trainee.base.limit]
    enough = int(np.searchsorted(np.cumsum([side.words for side in sides]), WORDS)) + 1
    return sides[:enough]


def _flat(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Arrays one below the other."""
    return np.concatenate(parts) if len(parts) else np.empty((0, 1), np.float32)


def _mean(values: np.ndarray) -> float | None:
    """The mean over what is a number, None where nothing is."""
    kept = values[np.isfinite(values)]
    return float(kept.mean()) if len(kept) else None


def _label(bitext: Bitext, taken: dict[str, float]) -> str:
    """The language that is not English, or the pair; with the data's name where two sets have the same."""
    others = [tag for tag in bitext.languages if tag != "en"]
    label = others[0] if len(others) == 1 else "-".join(bitext.languages)
    return label if label not in taken else f"{label} ({bitext.name})"
