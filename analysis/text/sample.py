"""A corpus cut down to so many rows, a sentence to so many words, for pages that have to answer at once."""

from dataclasses import replace

import numpy as np

from analysis.text.corpus import Corpus, Sentence


def sample_rows(corpus: Corpus, limit: int, *, seed: int = 0) -> Corpus:
    """At most `limit` rows, whole rows only, drawn at random and kept in order.

    Args:
        corpus: the corpus; returned as it is where it has no more rows.
        limit: number of rows to keep.
        seed: seed of the draw.
    """
    if len(corpus) <= limit:
        return corpus
    kept = np.sort(np.random.default_rng(seed).choice(len(corpus), limit, replace=False)).tolist()
    return take_rows(corpus, kept)


def take_rows(corpus: Corpus, kept: list[int]) -> Corpus:
    """The rows at these indices, in that order, with their categories and links."""
    links = {pair: tuple(lists[n] for n in kept) for pair, lists in corpus.links.items()}
    return replace(
        corpus,
        rows=tuple(corpus.rows[n] for n in kept),
        row_ids=tuple(corpus.row_ids[n] for n in kept),
        categories=tuple(corpus.categories[n] for n in kept) if corpus.categories else (),
        links=links,
    )


def first_words(sentence: Sentence, most: int) -> Sentence:
    """The sentence up to its `most`-th word, as it is where it has no more."""
    if len(sentence.spans) <= most:
        return sentence
    end = sentence.spans[most - 1][1] if most else 0
    return Sentence(
        sentence.text[:end], sentence.language, sentence.spans[:most], sentence.concepts[:most], sentence.senses[:most]
    )
