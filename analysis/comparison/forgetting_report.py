"""What an aligned encoder forgot against its base: every score of both, side by side, with paired differences."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from analysis.comparison.topic_probe import ProbeScores, fit_probe, score_probe
from analysis.encoders.encoder import Encoder, Progress
from analysis.encoders.vectors import Unit, Vectors
from analysis.errors import InputError
from analysis.measures import sentence_retrieval
from analysis.records import Comparison, Result, compare
from analysis.scoring.evaluate import average
from analysis.scoring.forgetting import drift, neighbours_kept
from analysis.scoring.measure import pair_space
from analysis.text.corpus import Sentence, digest
from analysis.text.labelled import Labelled

MAX_WORDS = 10_000


@dataclass(frozen=True)
class Row:
    """One score of the report.

    Attributes:
        name: key in JSON.
        title: name in a table.
        aligned: the aligned encoder's score, or for drift and neighbours that of aligned against base.
        base: the base's score; None where the score is already one of both.
        difference: aligned minus base on the same sentences; None without a base score or an interval.
    """

    name: str
    title: str
    aligned: Result
    base: Result | None = None
    difference: Comparison | None = None

    def as_dict(self) -> dict[str, Any]:
        """The JSON object of the row."""
        shown = {"name": self.name, "title": self.title, "base": self.base.as_dict() if self.base else None}
        return {**shown, "aligned": self.aligned.as_dict(), "difference": _change(self.difference)}


@dataclass(frozen=True)
class Report:
    """What an aligned encoder forgot.

    Attributes:
        encoder, base: names of the two.
        layers: the layer of the aligned encoder and that of the base.
        rows: the scores.
        languages: accuracy of the topic probe in each language.
    """

    encoder: str
    base: str
    layers: tuple[int, int]
    rows: tuple[Row, ...]
    languages: tuple[Row, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The JSON object of the command line."""
        head = {"encoder": self.encoder, "base": self.base, "layer": self.layers[0], "base_layer": self.layers[1]}
        return {**head, **{key: [row.as_dict() for row in getattr(self, key)] for key in ("rows", "languages")}}


def report_forgetting(
    aligned: Encoder, base: Encoder, *, text: Sequence[Sentence] = (), train: Labelled | None = None,
    test: Labelled | None = None, layer: int | None = None, seed: int = 0, cache: bool = True,
    progress: Progress | None = None,
) -> Report:  # fmt: skip
    """Measure an aligned encoder against its base.

    Args:
        aligned: the encoder that may have forgotten.
        base: what it was made from.
        text: sentences in one language for drift and neighbours; more than 10,000 words are sampled, whole
            sentences at a time, since the share of neighbours depends on how many units there are.
        train: English training sentences of the probe.
        test: sentences of the same topics in English and other languages; also those of sentence retrieval.
        layer: hidden layer of both; None means the last of each.
        seed: seed of the bootstrap and of the sample.
        cache: whether to use the vector cache.
        progress: called with the number of tokens done and to do of each piece of text.

    Raises:
        InputError: nothing to measure, a layer that one of the two does not have, a probe that cannot be trained,
            or test sentences without English or any other language.
    """
    if not text and test is None:
        raise InputError("nothing to measure; give text, or labelled sentences to train and test a probe on")
    pair = (aligned, base)
    layers = [one.check_layers([one.depth if layer is None else layer])[0] for one in pair]

    def encode(which: int, sentences: Sequence[Sentence], unit: Unit = Unit.SENTENCE) -> Vectors:
        """Vectors of the aligned encoder (0) or the base (1)."""
        return pair[which].vectors(sentences, unit=unit, layers=[layers[which]], cache=cache, progress=progress)

    rows, languages = [], []
    if text:
        rows += _moved(encode, text, seed)
    if test is not None:
        if train is None:
            raise InputError(f"{test.name} needs the training split of the same set; give train")
        sides = [{tag: encode(which, side) for tag, side in test.sentences.items()} for which in (0, 1)]
        scores = [_probe(encode(which, _english(train)), train, sides[which], test, seed) for which in (0, 1)]
        languages = [_row("probe", f"topic probe, {tag}", *(one.languages[tag] for one in scores)) for tag in sides[0]]
        note = _unmoved(sides)
        rows += [*_probed(scores, test, note), _retrieved(sides, test, note, seed)]
    return Report(aligned.name, base.name, (layers[0], layers[1]), tuple(rows), tuple(languages))


def _moved(encode: Any, text: Sequence[Sentence], seed: int) -> list[Row]:
    """Drift of words, and neighbours kept among words and among sentences."""
    chosen = _sample(text, seed)
    language = "/".join(sorted({sentence.language for sentence in chosen}))
    after, before = (encode(which, chosen, Unit.WORD) for which in (0, 1))
    origin = {"encoder": after.encoder, "base": before.encoder, "layer": after.layers[0], "data_sha256": digest(chosen)}
    words = [before.values[0], after.values[0]]
    options: dict[str, Any] = {"sentence": after.units.sentence, "seed": seed, "provenance": origin}
    if words[0].shape[1] == words[1].shape[1]:
        moved = drift(*words, **options)
    else:
        why = f"the encoders are {words[0].shape[1]} and {words[1].shape[1]} wide, which no angle compares"
        moved = Result("drift", None, None, None, 0, "[0, 2]", False, provenance=origin, note=why)
    if len(chosen) < len(text):
        moved = replace(
            moved, note=f"a sample of {len(chosen):,} of {len(text):,} sentences; {moved.note}".rstrip("; ")
        )
    sentences = [encode(which, chosen).values[0] for which in (1, 0)]
    kept = partial(neighbours_kept, seed=seed, provenance=origin)
    return [
        Row("drift_words", f"drift of {language} words, 1 - cosine", moved),
        Row("neighbours_kept_words", f"neighbours kept, {language} words, %", neighbours_kept(*words, **options)),
        Row("neighbours_kept_sentences", f"neighbours kept, {language} sentences, %", kept(*sentences)),
    ]


def _sample(text: Sequence[Sentence], seed: int) -> tuple[Sentence, ...]:
    """All sentences, or as many in random order as have at most `MAX_WORDS` words, at least one; kept in order."""
    order = np.random.default_rng(seed).permutation(len(text))
    running = np.cumsum([len(text[n].spans) for n in order])
    fitting = max(1, int(np.searchsorted(running, MAX_WORDS, side="right")))
    return tuple(text[n] for n in sorted(order[:fitting]))


def _english(train: Labelled) -> tuple[Sentence, ...]:
    """The English training sentences.

    Raises:
        InputError: there are none.
    """
    if "en" not in train.sentences:
        raise InputError(f"{train.name} has no English; the probe is trained in English, name en among its languages")
    return train.sentences["en"]


def _probe(vectors: Vectors, train: Labelled, sides: dict[str, Vectors], test: Labelled, seed: int) -> ProbeScores:
    """Train one encoder's probe and score it in every language."""
    origin = {"encoder": vectors.encoder, "revision": vectors.revision, "layer": vectors.layers[0], "data": test.name,
              "data_sha256": test.digest, "trained": train.name}  # fmt: skip
    probe = fit_probe(vectors.values[0], train.labels)
    found = {tag: side.values[0] for tag, side in sides.items()}
    return score_probe(probe, found, test.labels, seed=seed, provenance=origin)


def _probed(scores: Sequence[ProbeScores], test: Labelled, note: str) -> list[Row]:
    """The probe in English and in the mean of the other languages.

    Raises:
        InputError: the test sentences lack one of the two.
    """
    after, before = scores
    if "en" not in after.languages or after.others is None or before.others is None:
        raise InputError(f"{test.name} needs English and at least one other language, for example LANGS en,ar,de")
    count = len(test.languages) - 1
    title = f"topic probe, mean of {count} other languages, %" if count > 1 else f"topic probe, {test.languages[-1]}, %"
    return [
        _row("probe_english", "topic probe, en, %", after.languages["en"], before.languages["en"]),
        _row("probe_others", title, replace(after.others, note=note), before.others),
    ]


def _retrieved(sides: Sequence[dict[str, Vectors]], test: Labelled, note: str, seed: int) -> Row:
    """Sentence retrieval over all ordered pairs of languages."""
    bitexts = test.pairs()
    wholes = []
    for side in sides:
        results = []
        for bitext in bitexts:
            source, target = (side[tag] for tag in bitext.languages)
            space = pair_space(source, target, layer=source.layers[0], bitext=bitext)
            results.append(replace(sentence_retrieval.compute(space, seed=seed), items={}))
        whole = average(results)
        origin = {**whole.provenance, "data": test.name, "data_sha256": test.digest}
        # Languages share their rows and results their resamples, so the mean of replicates resamples rows jointly.
        wholes.append(replace(whole, n=2 * whole.n, clusters=len(test), provenance=origin))
    after = replace(wholes[0], note="; ".join(filter(None, (note, wholes[0].note))))
    return _row("sentence_retrieval", f"sentence retrieval, {2 * len(bitexts)} ordered pairs, %", after, wholes[1])


def _unmoved(sides: Sequence[dict[str, Vectors]]) -> str:
    """Which languages the alignment leaves as in the base while it moves others: maps that they lack pull them apart."""
    same = [tag for tag, side in sides[0].items() if np.array_equal(side.values, sides[1][tag].values)]
    others = [tag for tag in same if tag != "en"]
    return f"not aligned, as in the base: {', '.join(others)}" if others and len(same) < len(sides[0]) else ""


def _row(name: str, title: str, aligned: Result, base: Result) -> Row:
    """Both scores with their paired difference, where both have an interval."""
    known = aligned.low is not None and base.low is not None
    return Row(name, title, aligned, base, compare(base, aligned) if known else None)


def _change(difference: Comparison | None) -> dict[str, float] | None:
    """A paired difference as JSON."""
    if difference is None:
        return None
    shown = ("low", "high", "p_value")
    return {"score": difference.difference, **{name: getattr(difference, name) for name in shown}}
