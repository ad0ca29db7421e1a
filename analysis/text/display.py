"""Text that can be sent to a browser: lone surrogates are no text, and UTF-8 has no bytes for them."""

import re
from dataclasses import replace

from analysis.text.corpus import Corpus

_SURROGATE = re.compile("[\ud800-\udfff]")


def displayable(text: str) -> str:
    """The text with each lone surrogate replaced by one U+FFFD, so that offsets stay as they are."""
    return _SURROGATE.sub("\ufffd", text)


def displayable_corpus(corpus: Corpus) -> Corpus:
    """The corpus with its sentences, title and row names fit for a page; the same object where nothing is odd.

    Encoders read a lone surrogate as U+FFFD too, so vectors are the same.
    """
    texts = [corpus.title, *corpus.row_ids, *(sentence.text for row in corpus.rows for sentence in row.values())]
    if not any(_SURROGATE.search(text) for text in texts):
        return corpus
    rows = tuple(
        {tag: replace(sentence, text=displayable(sentence.text)) for tag, sentence in row.items()}
        for row in corpus.rows
    )
    return replace(corpus, title=displayable(corpus.title), rows=rows, row_ids=tuple(map(displayable, corpus.row_ids)))
