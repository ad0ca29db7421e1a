"""Vectors of sentences that are no whole corpus: a sample of its rows, or a sentence somebody typed."""

from collections.abc import Iterable, Sequence

import streamlit as st

from analysis.encoders.mapped import MappedEncoder
from analysis.encoders.select import select_layers
from analysis.encoders.vectors import Pool, Unit, Vectors
from analysis.text.corpus import Bitext, Sentence
from pages._parts import data

SEED = 0


def encode(
    name: str, sentences: Sequence[Sentence], *, unit: Unit | str = "word", pool: Pool | str = "mean",
    layers: Iterable[int] | None = None,
) -> Vectors:  # fmt: skip
    """Vectors of any sentences through the disk cache, under a progress line while they are computed.

    Args:
        name: of the encoder.
        sentences: with their words.
        unit: word, subword or sentence.
        pool: mean, first or last.
        layers: the layers wanted, None for all.
    """
    model = data.encoder(name)
    base = model.base_encoder if isinstance(model, MappedEncoder) else model
    place = st.empty()

    def told(done: int, total: int) -> None:
        place.progress(min(1.0, done / max(total, 1)), text=f"Encoding with {name}: {done:,} of {total:,} tokens")

    found = select_layers(base.vectors(sentences, unit=unit, pool=pool, progress=told), model.check_layers(layers))
    place.empty()
    return model.map_vectors(found) if isinstance(model, MappedEncoder) else found


def names(a: str, b: str) -> tuple[str, str]:
    """How A and B are called in titles and legends: a folder by its last part, unless both have the same."""
    short = tuple(name.rstrip("/").rpartition("/")[2] if name.startswith(("/", ".", "~")) else name for name in (a, b))
    return (a, b) if a != b and short[0] == short[1] else (short[0], short[1])


@st.cache_data(max_entries=32, show_spinner=False)
def bitext(corpus_id: str, source: str, target: str, limit: int) -> Bitext:
    """The sentence pairs of a corpus, or a random sample of them in their order, the same for every encoder.

    Args:
        corpus_id: the corpus.
        source: one of its languages.
        target: another.
        limit: most pairs.

    Raises:
        InputError: a language the corpus does not have, or no row with both.
    """
    import numpy as np

    found = data.corpus(corpus_id).pair(source, target)
    if len(found) <= limit:
        return found
    return found.take(np.sort(np.random.default_rng(SEED).choice(len(found), limit, replace=False)).tolist())
