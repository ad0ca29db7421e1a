"""The New Testament in Greek and English with word links made by hand, from the package `bible-alignments`."""

from collections.abc import Iterable

from analysis.text.corpora._spec import CorpusSpec
from analysis.text.corpora._verses import ENGLISH, Original, load_verses
from analysis.text.corpus import Corpus
from analysis.text.splits import SPLITS, parse_split
from analysis.text.ui import pick_tags


def load(*, languages: Iterable[str] | None = None, split: str | None = None) -> Corpus:
    """The corpus: one row a verse, fetched on first use (9 MB); see `analysis.text.corpora._verses.read`.

    Args:
        languages: the languages wanted, None for both; links need both.
        split: `train` or `dev`, None for both; a chapter is on one side as a whole.

    Raises:
        InputError: a language or split the corpus does not have.
        IsoglossError: the package cannot be fetched.
    """
    return load_verses(SPEC, ORIGINAL, pick_tags(SPEC, languages), parse_split(split, SPEC.name))


ORIGINAL = Original(
    tag="grc",
    version="0.4.2",
    sha256="84f6b15e706657777824aac811567cb5cb2b38ad2b94497209f5f3c3f67b0984",
    text="data/sources/SBLGNT.tsv",
    english="data/eng/targets/BSB/nt_BSB.tsv",
    links="data/eng/alignments/BSB/SBLGNT-BSB-manual.json",
)
SPEC = CorpusSpec(
    "bible",
    "Greek New Testament",
    "A verse in Koine Greek and English, words linked by hand; fetched on first use (9 MB).",
    "CC-BY-4.0 (Greek text, links), public domain (English text)",
    "PyPI package bible-alignments 0.4.2; SBL Greek New Testament, Berean Standard Bible, links by BiblioNexus",
    "sentence",
    7932,
    (ENGLISH, ORIGINAL.tag),
    load,
    SPLITS,
)
