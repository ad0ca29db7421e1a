"""The Hebrew Bible in Hebrew and English with word links made by hand, from the package `bible-alignments`."""

from collections.abc import Iterable

from analysis.text.corpora._spec import CorpusSpec
from analysis.text.corpora._verses import ENGLISH, Original, load_verses
from analysis.text.corpus import Corpus
from analysis.text.splits import SPLITS, parse_split
from analysis.text.ui import pick_tags


def load(*, languages: Iterable[str] | None = None, split: str | None = None) -> Corpus:
    """The corpus: one row a verse, fetched on first use (19 MB); see `analysis.text.corpora._verses.read`.

    Args:
        languages: the languages wanted, None for both; links need both.
        split: `train` or `dev`, None for both; a chapter is on one side as a whole.

    Raises:
        InputError: a language or split the corpus does not have.
        IsoglossError: the package cannot be fetched.
    """
    return load_verses(SPEC, ORIGINAL, pick_tags(SPEC, languages), parse_split(split, SPEC.name))


# The vowel points, which everyday Hebrew leaves out, and accents, should there be any; the text has no punctuation.
_POINTS = frozenset(map(chr, (*range(0x591, 0x5BE), 0x5BF, 0x5C1, 0x5C2, 0x5C4, 0x5C5, 0x5C7)))
ORIGINAL = Original(
    tag="hbo",
    version="0.4.1",  # the last release that holds the Hebrew text
    sha256="c9a3f543d1446a83b2ff5252d4bfcdb52ac9010af174173c7b13d944eb76f5c8",
    text="data/sources/WLCM.tsv",
    english="data/eng/targets/BSB/ot_BSB.tsv",
    links="data/eng/alignments/BSB/WLCM-BSB-manual.json",
    parts=True,
    dropped=_POINTS,
)
SPEC = CorpusSpec(
    "tanakh",
    "Hebrew Bible",
    "A verse in Biblical Hebrew (without points) and English, words linked by hand; fetched on first use (19 MB).",
    "CC-BY-4.0 (links), free to copy (Hebrew text), public domain (English text)",
    "PyPI package bible-alignments 0.4.1; Westminster Leningrad Codex, Berean Standard Bible, links by Clear Bible",
    "sentence",
    23205,
    (ENGLISH, ORIGINAL.tag),
    load,
    SPLITS,
)
