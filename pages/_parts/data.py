"""What pages need from the library, through caches keyed by names, never by arrays.

Vectors of all layers of one language are computed once and lie in the disk cache; a page then maps only the
layers it asks for into memory. The progress line stands where the page is when it asks.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import streamlit as st

from analysis.encoders.encoder import Encoder
from analysis.encoders.mapped import MappedEncoder
from analysis.encoders.names import resolve
from analysis.encoders.select import select_layers, select_sentences
from analysis.encoders.vectors import Pool, Unit, Vectors
from analysis.records import Result
from analysis.text.corpus import Bitext, Corpus, Sentence
from analysis.text.languages import language as language_of

MAX_ROWS = {"sentence": 1000, "phrase": 2000}


@dataclass(frozen=True)
class Pair:
    """Sentence pairs with the vectors of both sides, in the order of the pairs."""

    bitext: Bitext
    source: Vectors
    target: Vectors


def encoder(name: str) -> Encoder:
    """The encoder with this name, loaded anew when its folder has changed.

    Raises:
        InputError: a name that cannot exist.
        IsoglossError: the hub is out of reach.
    """
    folder = resolve(name).folder
    files = () if folder is None else sorted(folder.glob("*.*"))
    return _encoder(name, tuple((path.name, path.stat().st_mtime_ns) for path in files))


@st.cache_resource(max_entries=4, show_spinner="Loading the encoder; a download may take minutes ...")
def _encoder(name: str, stamp: tuple[tuple[str, int], ...]) -> Encoder:
    """The encoder; the stamp of its files is part of the key."""
    from analysis.encoders.load import load_encoder

    return load_encoder(name)


@st.cache_resource(max_entries=8, show_spinner="Reading the corpus ...")
def whole_corpus(corpus_id: str) -> Corpus:
    """All rows of a corpus, lone surrogates replaced: what the data page browses.

    Args:
        corpus_id: a registered name, `text-ID` or `upload-ID`.

    Raises:
        InputError: no such corpus, or no usable row in it.
    """
    kind, _, upload = corpus_id.partition("-")
    if kind in ("text", "upload") and upload:
        from analysis.text.display import displayable_corpus
        from analysis.text.uploads import load_upload

        return displayable_corpus(load_upload(upload)[0])
    from analysis.registry import find

    return find("corpora", corpus_id).load()


@st.cache_resource(max_entries=8, show_spinner=False)
def corpus(corpus_id: str) -> Corpus:
    """The rows that pages compute on: all of them, or a fixed random sample of a large corpus.

    Raises:
        InputError: no such corpus, or no usable row in it.
    """
    from analysis.text.sample import sample_rows

    whole = whole_corpus(corpus_id)
    return sample_rows(whole, MAX_ROWS[whole.unit])


def sample_note(corpus_id: str) -> str:
    """What a figure says where it shows a sample of a large corpus, else ""."""
    whole, shown = len(whole_corpus(corpus_id)), len(corpus(corpus_id))
    return "" if whole == shown else f"A random sample of {shown:,} of {whole:,} rows."


def vectors(
    name: str, corpus_id: str, language: str, unit: Unit | str = "word", pool: Pool | str = "mean",
    *, layers: Iterable[int] | None = None,
) -> Vectors:  # fmt: skip
    """Vectors of one language of a corpus, in the order of `corpus(corpus_id).sentences(language)`.

    Args:
        name: of the encoder.
        corpus_id: the corpus.
        language: one of its languages.
        unit: word, subword or sentence.
        pool: mean, first or last.
        layers: the layers wanted, None for all. Ask for as few as the page shows: all layers of a mapped
            encoder are a copy in memory.
    """
    model = encoder(name)
    wanted = model.check_layers(layers)
    sentences = corpus(corpus_id).sentences(language)
    with _progress(f"{language_of(language).name}, {name}") as told:
        _stored(model, sentences, unit, pool, told)
    return _vectors(name, model.revision, corpus_id, language, str(unit), str(pool), wanted)


@st.cache_resource(max_entries=64, show_spinner=False)
def _vectors(
    name: str, revision: str, corpus_id: str, language: str, unit: str, pool: str, layers: tuple[int, ...]
) -> Vectors:
    """Some layers of the stored vectors, mapped where the encoder is a mapped one."""
    return layers_of(encoder(name), corpus(corpus_id).sentences(language), layers, unit=unit, pool=pool)


def layers_of(
    model: Encoder, sentences: Sequence[Sentence], layers: Sequence[int], *, unit: Unit | str, pool: Pool | str
) -> Vectors:
    """Some layers of any sentences, by way of the stored vectors of all layers of the base."""
    found = select_layers(_stored(model, sentences, unit, pool, None), layers)
    return model.map_vectors(found) if isinstance(model, MappedEncoder) else found


def _stored(
    model: Encoder,
    sentences: Sequence[Sentence],
    unit: Unit | str,
    pool: Pool | str,
    told: Callable[[int, int], None] | None,
) -> Vectors:
    """All layers of the base encoder from the disk cache, computed if they are not there."""
    base = model.base_encoder if isinstance(model, MappedEncoder) else model
    return base.vectors(sentences, unit=unit, pool=pool, progress=told)


def prepare(
    names: Iterable[str], corpus_id: str, languages: Sequence[str], *, unit: str = "word", pool: str = "mean"
) -> None:
    """Encode what is not in the disk cache yet, under one progress line; a page calls it before its figure."""
    languages = [tag for tag in languages if tag in corpus(corpus_id).languages]
    for name in dict.fromkeys(names):
        for number, tag in enumerate(languages, start=1):
            model = encoder(name)
            label = f"{language_of(tag).name} ({number} of {len(languages)}), {name}"
            with _progress(label) as told:
                _stored(model, corpus(corpus_id).sentences(tag), unit, pool, told)


@contextmanager
def _progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """A progress line that appears with the first batch and goes when the block ends."""
    place = st.empty()

    def told(done: int, total: int) -> None:
        place.progress(min(1.0, done / max(total, 1)), text=f"Encoding {label}: {done:,} of {total:,} tokens")

    try:
        with st.spinner(f"Encoding {label} ..."):
            yield told
    finally:
        place.empty()


def pair(
    name: str, corpus_id: str, source: str, target: str, *, unit: Unit | str = "word", pool: Pool | str = "mean",
    layers: Iterable[int] | None = None,
) -> Pair:  # fmt: skip
    """The rows that have both languages, with the vectors of both sides at some layers (None for all).

    Raises:
        InputError: a language the corpus does not have, or no row with both.
    """
    rows = corpus(corpus_id)
    sides = []
    for tag, other in ((source, target), (target, source)):
        found = vectors(name, corpus_id, tag, unit, pool, layers=layers)
        with_tag = [row for row in rows.rows if tag in row]
        both = [n for n, row in enumerate(with_tag) if other in row]
        sides.append(found if len(both) == len(with_tag) else select_sentences(found, both))
    return Pair(rows.pair(source, target), *sides)


def score(
    measure: str,
    name: str,
    corpus_id: str,
    source: str,
    target: str,
    *,
    layer: int,
    pool: str = "mean",
    settings: Any = (),
) -> Result:
    """One measure of one encoder on one language pair of a corpus at one layer.

    Raises:
        InputError: unknown measure or setting, or data that lack what it needs.
    """
    with _progress(f"{source} and {target}, {name}"):
        return _score(measure, name, encoder(name).revision, corpus_id, source, target, layer, pool, tuple(settings))


@st.cache_data(max_entries=512, show_spinner=False)
def _score(
    measure: str, name: str, revision: str, corpus_id: str, source: str, target: str, layer: int, pool: str,
    settings: tuple[str, ...],
) -> Result:  # fmt: skip
    """The result, kept by everything that decides it."""
    from analysis.registry import find
    from analysis.scoring.evaluate import choose_settings
    from analysis.scoring.measure import pair_space

    spec = find("measures", measure)
    options = choose_settings(spec, encoder(name), settings)
    unit = spec.unit_for(corpus(corpus_id).pair(source, target), options)
    found = pair(name, corpus_id, source, target, unit=unit, pool=pool, layers=[layer])
    return spec.compute(pair_space(found.source, found.target, layer=layer, bitext=found.bitext), options)
