"""Curves and CKA maps of the layers page, computed once and kept by everything that decides them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import streamlit as st

from analysis.comparison.cka_layers import CkaMap, cka_of_encoders, cka_of_languages
from analysis.comparison.curves import Curve, Variant, encode_curve, find_variant, material_for, misfit, variants
from analysis.errors import InputError
from analysis.registry import registered
from analysis.scoring.measure import Material
from analysis.text.multitext import Multitext, Text
from pages._parts import data, encode, state

T = TypeVar("T")
Pair = tuple[str, str]


@dataclass(frozen=True)
class Options:
    """What decides a curve beside encoder, pair and measure.

    Attributes:
        decoder, level: of the link measures.
        limit: most sentence pairs.
        settings: of the decoder, as `key=value` separated by spaces.
    """

    decoder: str
    level: str
    limit: int
    settings: str = ""


@st.cache_resource(max_entries=32, show_spinner=False)
def materials(corpus_id: str, pair: Pair, languages: tuple[str, ...], limit: int) -> tuple[Material, ...]:
    """What a corpus has for measures of each kind: sentence pairs, rows in several languages, one language's text.

    Args:
        corpus_id: the corpus.
        pair: the languages of the pairs; the text is in the first of them.
        languages: of the rows in several languages; none of these where there are fewer than two.
        limit: most sentence pairs, rows and sentences: the same fixed random sample for every encoder.

    Raises:
        InputError: a language the corpus does not have, or no row with both of the pair.
    """
    bitext = encode.bitext(corpus_id, *pair, limit)
    found: list[Material] = [bitext]
    rows = data.corpus(corpus_id).rows
    whole = [row for row in rows if all(tag in row for tag in languages)]
    if whole and len(languages) > 1:
        kept = _sample(whole, limit)
        found.append(Multitext(bitext.name, {tag: tuple(row[tag] for row in kept) for tag in languages}))
    text = _sample([row[pair[0]] for row in rows if pair[0] in row], limit)
    return (*found, Text(bitext.name, pair[0], tuple(text)))


def _sample(rows: Sequence[T], limit: int) -> Sequence[T]:
    """At most so many rows in their order, the same ones every time."""
    if len(rows) <= limit:
        return rows
    chosen = np.random.default_rng(encode.SEED).choice(len(rows), limit, replace=False)
    return [rows[at] for at in np.sort(chosen)]


def of_pair(view: state.View, pair: Pair, options: Options) -> tuple[Material, ...]:
    """What the corpus has for one pair, with the sidebar's languages as rows in several languages."""
    return materials(view.corpus, pair, view.languages, options.limit)


def variants_of(found: Sequence[Material], options: Options) -> list[Variant]:
    """The measures that fit some data."""
    return variants(*found, decoder=options.decoder, level=options.level, options=options.settings)


def misfits(view: state.View, found: Sequence[Material]) -> dict[str, str]:
    """The registered measures that have no curve here, by title, each with the reason."""
    reasons = {spec.title: misfit(spec, found) for spec in registered("measures").values()}
    based = any(data.encoder(name).base for _, name in sides(view))
    for spec in registered("measures").values():
        if spec.needs_base and not based and not reasons[spec.title]:
            reasons[spec.title] = "it compares an aligned encoder with its base, and neither A nor B is aligned"
    return {title: reason for title, reason in reasons.items() if reason}


def sides(view: state.View) -> list[tuple[str, str]]:
    """A and B, or A alone where both are one encoder."""
    return [("A", view.a)] if view.a == view.b else [("A", view.a), ("B", view.b)]


@st.cache_data(max_entries=512, show_spinner=False)
def _curve(
    side: str, name: str, revision: str, corpus_id: str, pair: Pair, languages: tuple[str, ...], pool: str, key: str,
    options: Options,
) -> Curve:  # fmt: skip
    """One curve, without the tables behind its scores."""
    found = materials(corpus_id, pair, languages, options.limit)
    variant = find_variant(key, variants_of(found, options))
    material = material_for(variant.measure, found)
    assert material is not None
    place = st.empty()

    def told(done: int, total: int) -> None:
        place.progress(min(1.0, done / max(total, 1)), text=f"Encoding with {name}: {done:,} of {total:,} tokens")

    curve = encode_curve(side, name, variant, data.encoder(name), material, pool=pool, progress=told)
    place.empty()
    return replace(curve, results=tuple(replace(result, items={}) for result in curve.results))


def all_curves(
    view: state.View, wanted: Sequence[tuple[Pair, str]], options: Options, *, languages: tuple[str, ...] = ()
) -> tuple[list[Curve], list[str]]:
    """The curves of every pair and measure wanted, for A and B, under one progress line.

    Args:
        view: the sidebar's choices.
        wanted: pairs with keys of variants.
        options: what else decides a curve.
        languages: of rows in several languages.

    Returns:
        The curves, and a line for each one an encoder cannot have.
    """
    place = st.empty()
    shown = dict(zip("AB", encode.names(view.a, view.b), strict=True))
    jobs = [(side, name, pair, key) for pair, key in wanted for side, name in sides(view)]
    found: list[Curve] = []
    missing: list[str] = []
    for number, (side, name, pair, key) in enumerate(jobs):
        place.progress(number / len(jobs), text=f"{shown[side]}, {'-'.join(pair)}: curve {number + 1} of {len(jobs)}")
        revision = data.encoder(name).revision
        try:
            curve = _curve(side, name, revision, view.corpus, pair, languages, view.pool, key, options)
        except InputError as problem:
            missing.append(f"{side} has no curve of {key.partition('-')[0]}: {problem}")
            continue
        found.append(replace(curve, encoder=shown[side]))
    place.empty()
    return found, missing


def by_side(view: state.View, curves: Sequence[Curve]) -> list[tuple[Curve | None, Curve | None]]:
    """A's and B's curve of each measure and text, None where one has none; A's twice where both are one encoder."""
    groups: dict[tuple[str, tuple[str, ...]], dict[str, Curve]] = {}
    for curve in curves:
        groups.setdefault((curve.variant.key, curve.pair), {})[curve.side] = curve
    second = sides(view)[-1][0]
    return [(group.get("A"), group.get(second)) for group in groups.values()]


@st.cache_data(max_entries=128, show_spinner="Comparing the layers ...")
def language_map(name: str, revision: str, corpus_id: str, pair: Pair, pool: str, limit: int) -> CkaMap:
    """CKA between the two languages of a pair in one encoder; by sentences where no links are known."""
    bitext = encode.bitext(corpus_id, *pair, limit)
    unit = "sentence" if bitext.links is None else "word"
    source, target = (encode.encode(name, part, unit=unit, pool=pool) for part in (bitext.source, bitext.target))
    return cka_of_languages(source, target, bitext)


@st.cache_data(max_entries=128, show_spinner=False)
def encoder_map(a: str, b: str, revisions: str, corpus_id: str, tag: str, pool: str, limit: int) -> CkaMap:
    """CKA of the layers of two encoders on the words of one language."""
    sentences = data.corpus(corpus_id).sentences(tag)[:limit]
    return cka_of_encoders(encode.encode(a, sentences, pool=pool), encode.encode(b, sentences, pool=pool))


def remember(values: dict[str, tuple[object, object]]) -> None:
    """Put values into the URL that are not the usual ones."""
    for key, (value, usual) in values.items():
        state.set_page_value(key, "" if value == usual else value)
