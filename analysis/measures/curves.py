"""A measure over the layers of an encoder as one curve: which ones there are, their best layer, what they say."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from analysis.encoders.vectors import Unit, Vectors
from analysis.errors import unknown
from analysis.measures.measure import Measure, fits, layer_curve
from analysis.records import Result, compare
from analysis.registry import registered
from analysis.settings import fields
from analysis.text.corpus import Bitext

SCORES = {"cosine": "cosine", "csls": "CSLS"}
LOW = 10  # percent below which no title says that languages are kept together
USUAL = ("word_retrieval-cosine", "word_retrieval-csls", "sentence_retrieval-cosine", "link_f1")


@dataclass(frozen=True)
class Variant:
    """A measure with the settings that make one curve.

    Attributes:
        key: name in links and files ("word_retrieval-csls").
        title: name on a page ("Contextual word retrieval, CSLS").
        measure: the measure.
        settings: its settings.
    """

    key: str
    title: str
    measure: Measure
    settings: Any


@dataclass(frozen=True)
class Curve:
    """One measure at every layer of one encoder for one language pair.

    Attributes:
        side: `A` or `B`.
        encoder: its name.
        pair: the two languages.
        variant: what was measured.
        layers: the layers, ascending.
        results: one a layer.
    """

    side: str
    encoder: str
    pair: tuple[str, str]
    variant: Variant
    layers: tuple[int, ...]
    results: tuple[Result, ...]

    @property
    def best(self) -> int | None:
        """Place of the best layer, the lowest of those that tie; None where no layer has a score or none is better."""
        if self.variant.measure.higher_is_better is None:
            return None
        sign = 1 if self.variant.measure.higher_is_better else -1
        scored = [(n, sign * result.score) for n, result in enumerate(self.results) if result.score is not None]
        return max(scored, key=lambda item: (item[1], -item[0]))[0] if scored else None

    @property
    def note(self) -> str:
        """What the reader must know of any of its results, each note once."""
        return "; ".join(dict.fromkeys(result.note for result in self.results if result.note))


def variants(bitext: Bitext, *, decoder: str = "argmax", level: str = "word", options: str = "") -> list[Variant]:
    """Every registered measure that fits the data; one that scores by cosine or CSLS comes once for each.

    Args:
        bitext: the sentence pairs.
        decoder: how link measures read links off similarities.
        level: whether link measures compare words or subwords.
        options: settings of the decoder, as `key=value` separated by spaces.
    """
    wanted = {"decoder": decoder, "level": level, "options": options}
    found = []
    for measure in registered("measures").values():
        if fits(measure, bitext):
            continue
        known = {field.name: field for field in fields(measure.settings)}
        chosen = {name: value for name, value in wanted.items() if name in known}
        settings = replace(measure.settings(), **chosen)
        scores = known["score"].setting.choices if "score" in known else ()
        if not scores:
            found.append(Variant(measure.name, measure.title, measure, settings))
        for score in scores:
            title = f"{measure.title}, {SCORES.get(score, score)}"
            found.append(Variant(f"{measure.name}-{score}", title, measure, replace(settings, score=score)))
    return found


def find_variant(key: str, offered: Sequence[Variant]) -> Variant:
    """The variant with that key.

    Raises:
        InputError: not among those offered.
    """
    named = {variant.key: variant for variant in offered}
    if key not in named:
        raise unknown("measure", key, named)
    return named[key]


def unit_of(variant: Variant, bitext: Bitext) -> Unit:
    """The unit whose vectors a variant looks at on this data."""
    return variant.measure.unit_for(bitext, variant.settings)


def make_curve(
    side: str, encoder: str, variant: Variant, source: Vectors, target: Vectors, bitext: Bitext, *, seed: int = 0
) -> Curve:
    """The curve of one encoder on one language pair.

    Args:
        side: `A` or `B`.
        encoder: its name, for legends.
        variant: what to measure.
        source: vectors of `bitext.source` at some layers, of the variant's unit.
        target: vectors of `bitext.target` at the same layers.
        bitext: the sentence pairs.
        seed: seed of the bootstrap; one seed for both encoders makes them comparable as pairs.

    Raises:
        InputError: missing needs, or bad settings.
    """
    results = layer_curve(variant.measure, source, target, bitext, variant.settings, seed=seed)
    return Curve(side, encoder, bitext.languages, variant, source.layers, tuple(results))


def tell_curves(a: Curve, b: Curve) -> str:
    """The finding of two curves of one measure and language pair in one line, for a title.

    "Pulls apart" is said only where the paired bootstrap of the best layer against the last excludes chance,
    corrected for the best being picked among all layers (Bonferroni); a difference of B from A only where the
    interval of theirs excludes zero.
    """
    pair = "-".join(a.pair)
    if a.best is None or b.best is None:
        return f"{a.variant.title}: no score for {pair}"
    if a.results[-1].low is None or b.results[-1].low is None:
        ends = f"{a.encoder} {_value(a, -1)}, {b.encoder} {_value(b, -1)}"
        return f"{a.variant.title} of {pair}: too few sentence pairs to tell anything ({ends} at the last layer)"
    if a is b or (a.encoder, a.results) == (b.encoder, b.results):
        return _tell_one(a, pair)
    told_a, told_b = _tell_one(a, pair), _tell_one(b, "it")
    if " keeps " in told_a:
        told_b = told_b.replace(" keeps it together to the last layer", " does so too")
    return f"{told_a}; {told_b}{_tell_gain(a, b)}"


def _tell_one(curve: Curve, pair: str) -> str:
    """What one curve does from its best layer to its last."""
    best, last = curve.best or 0, len(curve.layers) - 1
    top, end = _value(curve, best), _value(curve, last)
    if curve.variant.measure.higher_is_better and curve.results[best].unit == "percent" and _score(curve, best) < LOW:
        return f"{curve.encoder} lines {pair} up at no layer (at best {top})"
    if not pulls_apart(curve):
        return f"{curve.encoder} keeps {pair} together to the last layer ({end})"
    return f"{curve.encoder} pulls {pair} apart after layer {curve.layers[best]} ({top}, at the last layer {end})"


def pulls_apart(curve: Curve) -> bool:
    """Whether the last layer is worse than the best beyond chance, the best being picked among all layers."""
    if curve.best is None or curve.best == len(curve.results) - 1:
        return False
    best, last = curve.results[curve.best], curve.results[-1]
    if best.low is None or last.low is None:
        return False
    # Bonferroni; fewer replicates cannot give a smaller p than one of them on the other side.
    limit = max(0.05 / len(curve.layers), 2 / (len(last.replicates) + 1))
    return compare(best, last).p_value <= limit


def _tell_gain(a: Curve, b: Curve) -> str:
    """B's change against A at the last layer where it is beyond chance, else that it is not."""
    one, two = a.results[-1], b.results[-1]
    if one.score is None or two.score is None or one.low is None or two.low is None:
        return ""
    change = compare(one, two)
    if not change.significant:
        return ", no clear difference at the last layer"
    return f", {_signed(change.difference, one.unit)} at the last layer"


def _score(curve: Curve, at: int) -> float:
    """A score, 0 where there is none."""
    return curve.results[at].score or 0.0


def _value(curve: Curve, at: int) -> str:
    """A score as it is read in a title."""
    score = curve.results[at].score
    if score is None:
        return "no score"
    return f"{score:.0f} %" if curve.results[at].unit == "percent" else f"{score:.2f}"


def _signed(difference: float, unit: str) -> str:
    """A change with its sign and unit."""
    return f"{difference:+.0f} points" if unit == "percent" else f"{difference:+.2f}"


def compare_at(a: Curve, b: Curve, layer_a: int, layer_b: int) -> dict[str, Any]:
    """One record: both scores at two layers, B's change and its paired 95 % interval.

    Args:
        a: the curve of A.
        b: the curve of B, of the same measure and language pair.
        layer_a: a layer of A.
        layer_b: a layer of B.
    """
    one, two = a.results[a.layers.index(layer_a)], b.results[b.layers.index(layer_b)]
    paired = None not in (one.low, two.low) and one.score is not None and two.score is not None
    change = compare(one, two) if paired else None
    return {
        "measure": a.variant.title,
        "best layer A": None if a.best is None else a.layers[a.best],
        f"A, layer {layer_a}": one.score,
        "best layer B": None if b.best is None else b.layers[b.best],
        f"B, layer {layer_b}": two.score,
        "B against A": change.difference if change else None,
        "from": change.low if change else None,
        "to": change.high if change else None,
        "beyond chance": ("yes" if change.significant else "no") if change else "unknown",
        "n": one.n,
    }


def curve_table(curves: Iterable[Curve]) -> list[dict[str, Any]]:
    """One record a curve and layer: what a figure draws and what its CSV holds."""
    rows = []
    for curve in curves:
        for n, (layer, result) in enumerate(zip(curve.layers, curve.results, strict=True)):
            rows.append(
                {
                    "side": curve.side,
                    "encoder": curve.encoder,
                    "source": curve.pair[0],
                    "target": curve.pair[1],
                    "measure": curve.variant.title,
                    "layer": layer,
                    "depth": layer / max(curve.layers[-1], 1),
                    "score": result.score,
                    "low": result.low,
                    "high": result.high,
                    "n": result.n,
                    "unit": result.unit,
                    "best": n == curve.best,
                    "note": result.note,
                }
            )
    return rows
