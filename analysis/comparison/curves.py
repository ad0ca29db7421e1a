"""A measure over the layers of an encoder as one curve: which ones there are, their best layer, their tables."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from analysis.encoders.encoder import Encoder
from analysis.encoders.vectors import Pool, Unit, Vectors
from analysis.errors import InputError, unknown
from analysis.records import Comparison, Result, compare
from analysis.registry import registered
from analysis.scoring.evaluate import evaluate_layers
from analysis.scoring.materials import languages_of
from analysis.scoring.measure import Material, Measure, Need, fits, layer_curve
from analysis.settings import fields
from analysis.text.corpus import Bitext
from analysis.text.multitext import Multitext, Text

SCORES = {"cosine": "cosine", "csls": "CSLS"}
USUAL = ("word_retrieval-cosine", "word_retrieval-csls", "sentence_retrieval-cosine", "link_f1")
KINDS = {Need.MANY: Multitext, Need.TEXT: Text}
NO_LAYERS = "it asks the masked-LM head, which has one layer only"


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
    """One measure at every layer of one encoder on one text.

    Attributes:
        side: `A` or `B`.
        encoder: its name.
        pair: the languages of the text: two of sentence pairs, any number of a multi-way text, one of a text.
        variant: what was measured.
        layers: the layers, ascending.
        results: one a layer.
    """

    side: str
    encoder: str
    pair: tuple[str, ...]
    variant: Variant
    layers: tuple[int, ...]
    results: tuple[Result, ...]

    @property
    def about(self) -> str:
        """The languages as a title names them: `en-ru`, `en`, `6 languages`."""
        return "-".join(self.pair) if len(self.pair) < 3 else f"{len(self.pair)} languages"

    @property
    def scored(self) -> bool:
        """Whether any layer has a score."""
        return any(result.score is not None for result in self.results)

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


def variants(*materials: Material, decoder: str = "argmax", level: str = "word", options: str = "") -> list[Variant]:
    """Every registered measure that fits the data; one that scores by cosine or CSLS comes once for each.

    Args:
        materials: what there is to measure on, of one text: sentence pairs, the rows of several languages, one language.
        decoder: how link measures read links off similarities.
        level: whether link measures compare words or subwords.
        options: settings of the decoder, as `key=value` separated by spaces.
    """
    wanted = {"decoder": decoder, "level": level, "options": options}
    found = []
    for measure in registered("measures").values():
        if misfit(measure, materials):
            continue
        known = {field.name: field for field in fields(measure.settings)}
        chosen = {name: value for name, value in wanted.items() if name in known}
        settings = replace(measure.settings(), **chosen)
        scores = known["score"].setting.choices if "score" in known else ()
        if not scores:
            found.append(Variant(measure.name, measure.title, measure, settings))
        for score in scores:
            title = f"{measure.title}, {SCORES.get(score, score.replace('_', ' '))}"
            found.append(Variant(f"{measure.name}-{score}", title, measure, replace(settings, score=score)))
    return found


def misfit(measure: Measure, materials: Sequence[Material]) -> str:
    """Why a measure has no curve on these data, or "" if it has one.

    Args:
        measure: the measure.
        materials: as for `variants`.
    """
    if measure.needs_head:
        return NO_LAYERS
    material = material_for(measure, materials)
    if material is None:
        return f"it needs {measure.needs}"
    return fits(measure, material).removeprefix(material.name).strip()


def material_for(measure: Measure, materials: Sequence[Material]) -> Material | None:
    """The kind of data a measure looks at among those there are, or None."""
    kind = KINDS.get(measure.needs, Bitext)
    return next((material for material in materials if isinstance(material, kind)), None)


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


def encode_curve(
    side: str, name: str, variant: Variant, encoder: Encoder, material: Material, *, pool: Pool | str = Pool.MEAN,
    seed: int = 0, progress: Callable[[int, int], None] | None = None,
) -> Curve:  # fmt: skip
    """The curve of an encoder on any kind of data, which are encoded once for all layers.

    Args:
        side: `A` or `B`.
        name: what legends call the encoder.
        variant: what to measure.
        encoder: the encoder.
        material: what the measure looks at.
        pool: how a unit's tokens become one vector.
        seed: as for `make_curve`.
        progress: called with the number of tokens done and to do.

    Raises:
        InputError: data or an encoder that lack what the measure needs (a base, for measures of forgetting).
    """
    results = evaluate_layers(
        variant.measure, encoder, material, settings=variant.settings, seed=seed, pool=pool, progress=progress
    )
    layers = tuple(range(encoder.depth + 1))
    return Curve(side, name, languages_of(material), variant, layers, tuple(results))


def pulls_apart(curve: Curve) -> bool:
    """Whether the last layer is worse than the best beyond chance, the best being picked among all layers."""
    if curve.best is None or curve.best == len(curve.results) - 1:
        return False
    last = curve.results[-1]
    change = paired(curve.results[curve.best], last)
    # Bonferroni; fewer replicates cannot give a smaller p than one of them on the other side.
    limit = max(0.05 / len(curve.layers), 2 / (len(last.replicates) + 1))
    return change is not None and change.p_value <= limit


def paired(one: Result, two: Result) -> Comparison | None:
    """The paired test of two results, None where one of them has no score, no interval or other sentences."""
    if None in (one.score, one.low, two.score, two.low):
        return None
    try:
        return compare(one, two)
    except InputError:
        return None


def compare_at(a: Curve | None, b: Curve | None, layer_a: int, layer_b: int) -> dict[str, Any]:
    """One record: both scores at two layers, B's change and its paired 95 % interval.

    Args:
        a: the curve of A, None where A has none.
        b: the curve of B, of the same measure and text, None where B has none.
        layer_a: a layer of A.
        layer_b: a layer of B.
    """
    curve = a or b
    assert curve is not None
    one = None if a is None else a.results[a.layers.index(layer_a)]
    two = None if b is None else b.results[b.layers.index(layer_b)]
    change = None if one is None or two is None else paired(one, two)
    return {
        "measure": curve.variant.title,
        "best layer A": None if a is None or a.best is None else a.layers[a.best],
        f"A, layer {layer_a}": None if one is None else one.score,
        "best layer B": None if b is None or b.best is None else b.layers[b.best],
        f"B, layer {layer_b}": None if two is None else two.score,
        "B against A": change.difference if change else None,
        "from": change.low if change else None,
        "to": change.high if change else None,
        "beyond chance": ("yes" if change.significant else "no") if change else "unknown",
        "n": (one or two).n,  # type: ignore[union-attr]
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
                    "target": curve.pair[1] if len(curve.pair) == 2 else "",
                    "languages": curve.about,
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
