"""Comparisons made by hand for figures and pages: encoders a and b, a few measures, languages, layers, controls."""

import numpy as np

from analysis.comparison.request import Asked, Control, Request
from analysis.comparison.scores import Entry, Scores, Skipped
from analysis.records import Comparison, Result

UNITS = {"word_retrieval": "percent", "cka": "[-1, 1]", "aer": "percent", "norms": "ratio"}
WAYS = {"word_retrieval": True, "cka": True, "aer": False, "norms": None}
TITLES = {
    "word_retrieval": "Contextual word retrieval",
    "cka": "Linear CKA",
    "aer": "Alignment error rate",
    "norms": "Norms",
}


def result(measure, score, *, items=None, width=2.0):
    """A result with an interval; None for no score."""
    unit = UNITS[measure]
    half = width if unit == "percent" else width / 100
    low, high = (None, None) if score is None else (score - half, score + half)
    replicates = np.empty(0) if score is None else score + half * np.random.default_rng(0).normal(size=50) / 2
    return Result(
        measure, score, low, high, 40, unit, WAYS[measure], replicates, 20, items=items or {},
        provenance={"data_sha256": "x", "seed": 0}, note="" if score is not None else "nothing to score",
    )  # fmt: skip


def entry(encoder, measure, score, *, languages=("en", "es"), data="corpus:tour", layer=3, slot=None, control="",
          against=None, items=None, mean=False, best=None):  # fmt: skip
    """One score; `against` is A's score on the same cell."""
    half = 1.0 if UNITS[measure] == "percent" else 0.01
    change = None if against is None or score is None else score - against
    sure = None if change is None else abs(change) > half
    compared = None if change is None else Comparison(change, change - half, change + half, 0.001 if sure else 0.6)
    label = f"{data} {len(languages) - 1} pairs" if mean else f"{data} {'-'.join(languages)}"
    return Entry(
        encoder, control, measure, "", measure, TITLES[measure], data, label, languages, layer, slot, UNITS[measure],
        WAYS[measure], result(measure, score, items=items), compared, None if compared is None else compared.p_value,
        sure, None if control else (1 if best in (None, True) else 2), bool(best) if best is not None else False, None, mean,
    )  # fmt: skip


def comparison(encoders=("a", "b"), measures=("word_retrieval", "cka", "aer"), *, tags=("es", "ru", "zh"), layers=None,
               controls=("shuffled",), gain=5.0, skipped=()):  # fmt: skip
    """A whole comparison in which every further encoder is a bit better; percent measures, CKA, error rates."""
    entries = []
    slots = [None] if layers is None else list(range(layers))
    for m, measure in enumerate(measures):
        scale = 1.0 if UNITS[measure] == "percent" else 0.01
        sign = -1 if WAYS[measure] is False else 1
        for t, tag in enumerate(tags):
            for slot in slots:
                first = scale * (60 - 7 * t - 3 * m + (0 if slot is None else -2 * abs(slot - 2)))
                for n, name in enumerate(encoders):
                    score = first + sign * scale * gain * n
                    entries.append(entry(
                        name, measure, score, languages=("en", tag), slot=slot, layer=3 if slot is None else slot,
                        against=first if n else None, best=n == len(encoders) - 1,
                    ))  # fmt: skip
                entries += [
                    entry(encoders[0], measure, scale * (2.0 if c == "shuffled" else 95.0), languages=("en", tag),
                          slot=slot, layer=3 if slot is None else slot, control=c)
                    for c in controls
                ]  # fmt: skip
    request = Request(
        tuple(encoders), tuple(map(Asked, measures)), ("corpus:tour",), controls=tuple(map(Control, controls)),
        layers="default" if layers is None else "all",
    )  # fmt: skip
    means = _means(entries) if len(tags) > 1 else []
    return Scores(request, tuple(entries), tuple(means), tuple(Skipped(*one) for one in skipped))


def _means(entries):
    """Means over languages."""
    groups = {}
    for one in entries:
        groups.setdefault((one.encoder, one.control, one.key, one.slot), []).append(one)
    found = []
    for (encoder, control, key, slot), group in groups.items():
        mean = lambda part: sum(part) / len(part)
        score = mean([one.result.score for one in group])
        against = None if group[0].difference is None else score - mean([one.difference.difference for one in group])
        found.append(entry(
            encoder, key, score, languages=("en", *(one.languages[1] for one in group)), slot=slot,
            layer=group[0].layer, control=control, against=against, mean=True, best=group[0].best,
        ))  # fmt: skip
    return found
