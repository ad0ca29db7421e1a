"""Curves and CKA maps of the layers page, computed once and kept by everything that decides them."""

from dataclasses import dataclass, replace

import streamlit as st

from analysis.measures.cka_layers import CkaMap, cka_of_encoders, cka_of_languages
from analysis.measures.curves import Curve, Variant, find_variant, make_curve, unit_of, variants
from pages._parts import chrome, data, encode, state

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


def variants_of(view: state.View, pair: Pair, options: Options) -> list[Variant]:
    """The measures that fit the corpus, none where the languages share no row."""
    with chrome.guard():
        bitext = encode.bitext(view.corpus, *pair, options.limit)
        return variants(bitext, decoder=options.decoder, level=options.level, options=options.settings)
    return []


def offers(view: state.View, pair: Pair, options: Options, key: str) -> bool:
    """Whether a measure fits the rows of a pair."""
    return key in {variant.key for variant in variants_of(view, pair, options)}


def sides(view: state.View) -> list[tuple[str, str]]:
    """A and B, or A alone where both are one encoder."""
    return [("A", view.a)] if view.a == view.b else [("A", view.a), ("B", view.b)]


@st.cache_data(max_entries=512, show_spinner=False)
def _curve(
    side: str, name: str, revision: str, corpus_id: str, pair: Pair, pool: str, key: str, options: Options
) -> Curve:  # fmt: skip
    """One curve, without the tables behind its scores."""
    bitext = encode.bitext(corpus_id, *pair, options.limit)
    variant = find_variant(
        key, variants(bitext, decoder=options.decoder, level=options.level, options=options.settings)
    )
    unit = unit_of(variant, bitext)
    source, target = (encode.encode(name, part, unit=unit, pool=pool) for part in (bitext.source, bitext.target))
    curve = make_curve(side, name, variant, source, target, bitext)
    return replace(curve, results=tuple(replace(result, items={}) for result in curve.results))


def all_curves(view: state.View, wanted: list[tuple[Pair, str]], options: Options) -> list[Curve]:
    """The curves of every pair and measure wanted, for A and B, under one progress line."""
    place = st.empty()
    shown = dict(zip("AB", encode.names(view.a, view.b), strict=True))
    jobs = [(side, name, pair, key) for pair, key in wanted for side, name in sides(view)]
    found = []
    for number, (side, name, pair, key) in enumerate(jobs):
        place.progress(number / len(jobs), text=f"{shown[side]}, {'-'.join(pair)}: curve {number + 1} of {len(jobs)}")
        revision = data.encoder(name).revision
        curve = _curve(side, name, revision, view.corpus, pair, view.pool, key, options)
        found.append(replace(curve, encoder=shown[side]))
    place.empty()
    return found


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
