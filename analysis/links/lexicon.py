"""Dictionaries made from word links over a corpus, and the links where the corpus brings none."""

from collections.abc import Sequence

from analysis.encoders.encoder import Progress
from analysis.errors import InputError
from analysis.links.aligner import Aligner
from analysis.text.corpus import Bitext
from analysis.text.dictionary import Dictionary
from analysis.text.linked import linked_entries
from analysis.text.pharaoh import Links

CHUNK = 256  # pairs whose vectors are in memory at once


def lexicon_from_links(
    bitexts: Sequence[Bitext], links: Sequence[Sequence[Links] | None] | None = None, *, min_count: int = 1,
    min_share: float = 0.0,
) -> list[Dictionary]:  # fmt: skip
    """Count which word types are linked with each other, and keep the pairs that belong together.

    Args:
        bitexts: sentence pairs; those of one language pair, whichever way round, are counted together.
        links: for each bitext one `Links` a pair, or None for the bitext's own; None where all have their own.
        min_count: pairs linked less often are left out.
        min_share: 0 keeps the pairs that are each other's most frequent partner, ties included; above 0 every pair is
            kept that has at least this share of the links of both its words.

    Returns:
        A dictionary for each language pair, most often linked first; words in their commonest spelling.

    Raises:
        InputError: a bitext without links, or a language pair without an entry that passes.

    Source: one-to-one links as in Cao et al. 2020, section 2; the mutual best as in Wu and Dredze 2020, section 3, of
    types instead of tokens.
    """
    given = links if links is not None else [None] * len(bitexts)
    parts: dict[tuple[str, str], list[tuple[Bitext, Sequence[Links]]]] = {}
    for bitext, one in zip(bitexts, given, strict=True):
        known = bitext.links if one is None else one
        if known is None:
            raise InputError(f"{bitext.name} has no word links; name an encoder to make them, or give --links FILE")
        pair = bitext.languages
        if pair not in parts and pair[::-1] in parts:
            bitext, known, pair = bitext.flipped(), [links.flipped() for links in known], pair[::-1]
        parts.setdefault(pair, []).append((bitext, known))
    return [_dictionary(pair, those, min_count, min_share) for pair, those in parts.items()]


def _dictionary(
    pair: tuple[str, str], parts: Sequence[tuple[Bitext, Sequence[Links]]], min_count: int, min_share: float
) -> Dictionary:
    """The dictionary of one language pair.

    Raises:
        InputError: no pair of words passes.
    """
    names = ", ".join(dict.fromkeys(bitext.name for bitext, _ in parts))
    entries = linked_entries(parts, min_count=min_count, min_share=min_share)
    if not entries:
        raise InputError(
            f"no two words of {names} ({'-'.join(pair)}) are linked {min_count} times or more; give more text, or lower "
            f"--min-count or --min-share"
        )
    return Dictionary(pair, entries, f"links:{names}", f"word links of {names}")


def make_links(
    bitext: Bitext, aligner: Aligner, *, cache: bool = True, progress: Progress | None = None
) -> Sequence[Links]:
    """The bitext's own links, or those an encoder makes where it has none.

    Args:
        bitext: sentence pairs.
        aligner: the encoder with its layer and decoder.
        cache: whether to use the vector cache.
        progress: called with pairs done and to do.
    """
    if bitext.links is not None:
        return bitext.links
    pairs = list(zip(bitext.source, bitext.target, strict=True))
    found: list[Links] = []
    for start in range(0, len(pairs), CHUNK):
        found += aligner.align(pairs[start : start + CHUNK], cache=cache)
        if progress:
            progress(len(found), len(pairs))
    return found
