"""Which words translate each other according to word links: counted over a corpus."""

from collections import Counter
from collections.abc import Iterable, Sequence

from analysis.text.corpus import Bitext
from analysis.text.pharaoh import Links
from analysis.text.wordlist import Entry


def type_of(word: str, casefold: bool = True) -> str:
    """The type a word form belongs to.

    Args:
        word: as it stands in a text or a dictionary.
        casefold: whether forms that differ only in case are one type.
    """
    return word.casefold() if casefold else word


def most_linked(counts: Counter[Entry]) -> list[Entry]:
    """The pairs of types that are each other's most frequent partner; ties are all kept.

    Args:
        counts: how often each pair of types is linked.

    Returns:
        Pairs in the order of the counts.
    """
    most: tuple[dict[str, int], dict[str, int]] = ({}, {})
    for pair, count in counts.items():
        for side, form in zip(most, pair, strict=True):
            side[form] = max(side.get(form, 0), count)
    return [(a, b) for (a, b), count in counts.items() if count == most[0][a] == most[1][b]]


def linked_entries(
    parts: Iterable[tuple[Bitext, Sequence[Links]]], *, min_count: int = 1, min_share: float = 0.0
) -> tuple[Entry, ...]:
    """The entries of a dictionary made from word links, by one-to-one links (Cao et al. 2020, section 2).

    Forms that differ only in case are counted together and shown in their commonest spelling; words without a
    letter are left out.

    Args:
        parts: bitexts of one language pair, each with one `Links` a pair.
        min_count: pairs linked less often are left out.
        min_share: 0 keeps the pairs that are each other's most frequent partner; above 0 every pair is kept that has
            at least this share of the links of both its words, so that a word may have several translations.

    Returns:
        The most often linked first.
    """
    counts: Counter[Entry] = Counter()
    spellings: tuple[dict[str, Counter[str]], dict[str, Counter[str]]] = ({}, {})
    for bitext, links in parts:
        for source, target, one in zip(bitext.source, bitext.target, links, strict=True):
            left, right = source.words, target.words
            for i, j in sorted(one.one_to_one()):
                if not (_has_letter(left[i]) and _has_letter(right[j])):
                    continue
                pair = type_of(left[i]), type_of(right[j])
                counts[pair] += 1
                for side, form, word in zip(spellings, pair, (left[i], right[j]), strict=True):
                    side.setdefault(form, Counter())[word] += 1
    kept = set(_sharing(counts, min_share) if min_share > 0 else most_linked(counts))
    shown = [{form: words.most_common(1)[0][0] for form, words in side.items()} for side in spellings]
    return tuple(
        (shown[0][a], shown[1][b])
        for (a, b), count in counts.most_common()
        if count >= min_count and (a, b) in kept
    )  # fmt: skip


def _sharing(counts: Counter[Entry], share: float) -> list[Entry]:
    """The pairs with at least a share of the links of both their words."""
    totals: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for pair, count in counts.items():
        for side, form in zip(totals, pair, strict=True):
            side[form] += count
    return [(a, b) for (a, b), count in counts.items() if count >= share * max(totals[0][a], totals[1][b])]


def _has_letter(word: str) -> bool:
    """Whether a word is more than punctuation and digits."""
    return any(char.isalpha() for char in word)
