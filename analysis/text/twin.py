"""A twin of a language: the same sentences in other letters, and in another word order if wanted.

It is a second language whose translations, word links and dictionary are known without error, for measuring what a
method does to a small encoder.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from analysis.errors import InputError
from analysis.text.corpus import Sentence
from analysis.text.languages import normalise_tag
from analysis.text.pharaoh import Links
from analysis.text.segment import split

ORDERS = ("same", "inverted", "permuted")
# Characters that hardly any text uses, of the classes that word breaking (UAX #29) and tokenizers go by.
_LETTERS = [chr(code) for code in [*range(0x1401, 0x166D), *range(0x166F, 0x1680), *range(0x18B0, 0x18F6)]]
_DIGITS = [chr(code) for code in range(0x17E0, 0x17EA)]
_MARKS = [chr(code) for code in range(0x2E00, 0x2E5E) if unicodedata.category(chr(code))[0] == "P"]
_SYMBOLS = [chr(code) for code in range(0x2300, 0x23FF)]
# What joins letters or digits to one word has an image that does so, too.
_JOINING = {"'": "\u2019", ".": "\u2024", ",": "\ufe50", ";": "\ufe54", ":": "\ufe55", "_": "\u203f"}
_STRAIGHT = str.maketrans({"\u2018": "'", "\u2019": "'", "\u203f": "_"})


@dataclass(frozen=True)
class Twin:
    """How a language's twin is made.

    Attributes:
        language: tag of the language.
        alphabet: the image of every character that has one; white space stays.
        order: of the twin's words: `same`, `inverted`, or `permuted` anew in every sentence.
        seed: of the permutations.
    """

    language: str
    alphabet: Mapping[str, str] = field(repr=False)
    order: str = "same"
    seed: int = 0

    @property
    def tag(self) -> str:
        """The twin's own tag, for private use: `en` becomes `en-Cans-x-twin`."""
        return normalise_tag(f"{self.language.split('-')[0]}-Cans-x-twin")

    def spell(self, text: str) -> str:
        """A text in the twin's letters, its words where they were; what has no image stays."""
        return text.translate({ord(char): image for char, image in self.alphabet.items()})

    def pair(self, text: str, number: int) -> tuple[Sentence, Sentence, Links] | None:
        """A sentence, its twin and their word links, or None where both are not cut into the same words.

        Args:
            text: `plain` text of the language.
            number: of the sentence, which decides its permutation.
        """
        source = split(text, self.language)
        words = [self.spell(word) for word in source.words]
        order = self._order(len(words), number)
        written = self.spell(text) if self.order == "same" else " ".join(words[n] for n in order)
        target = split(written, self.tag)
        if not words or target.words != tuple(words[n] for n in order):
            return None
        return source, target, Links(frozenset((int(n), place) for place, n in enumerate(order)))

    def _order(self, count: int, number: int) -> list[int]:
        """Which word of the sentence stands at each place of its twin."""
        if self.order == "permuted":
            return np.random.default_rng([self.seed, number, 23]).permutation(count).tolist()
        return list(range(count))[:: -1 if self.order == "inverted" else 1]


def make_twin(texts: Iterable[str], language: str, *, order: str = "same", seed: int = 0) -> Twin:
    """Give every character of a language's text an image of its class: letters, digits, punctuation, symbols.

    Args:
        texts: `plain` texts; characters that none of them has get no image.
        language: their tag.
        order: of the twin's words.
        seed: of the permutations.

    Raises:
        InputError: more letters than there are images (a script of syllables or ideographs), or an unknown order.

    Source: Deshpande, Talukdar and Narasimhan 2022, When is BERT multilingual?, section 3: transliteration, inversion
    and permutation. There every token has an image of its own; here every character has.
    """
    if order not in ORDERS:
        raise InputError(f"unknown word order {order!r}; valid: {', '.join(ORDERS)}")
    counts = Counter(char for text in texts for char in text if not char.isspace())
    alphabet: dict[str, str] = {}
    for kind, pool in (
        ("letters", _LETTERS),
        ("digits", _DIGITS),
        ("punctuation marks", _MARKS),
        ("symbols", _SYMBOLS),
    ):
        mine = sorted(char for char in counts if _class(char) == kind)
        if len(mine) > len(pool) or set(mine) & set(pool):
            raise InputError(
                f"the text has {len(mine)} {kind}, a twin has {len(pool)} of its own to give; use a language with an "
                f"alphabet, or text without stray characters"
            )
        alphabet |= zip(mine, pool, strict=False)
    return Twin(normalise_tag(language), alphabet | {a: b for a, b in _JOINING.items() if a in counts}, order, seed)


def plain(text: str) -> str:
    """A text as twins are made of it: NFKC, lower case, straight apostrophes, single spaces, no invisible character."""
    folded = unicodedata.normalize("NFKC", text).translate(_STRAIGHT).lower()
    kept = (char if char.isspace() or unicodedata.category(char)[0] != "C" else "" for char in folded)
    return " ".join("".join(kept).split())


def aligned_lines(pairs: Iterable[tuple[Sentence, Sentence, Links]]) -> Iterator[str]:
    """Lines of `source words<TAB>target words<TAB>links`, which `--data` and `--dev` read with `--langs`."""
    for source, target, links in pairs:
        sides = "\t".join(" ".join(side.words) for side in (source, target))
        yield f"{sides}\t{' '.join(f'{i}-{j}' for i, j in sorted(links.sure))}\n"


def _class(char: str) -> str:
    """Which images a character may have."""
    if char in _JOINING:
        return "joining"
    category = unicodedata.category(char)
    if char.isascii() and category[0] in "PS":
        return "punctuation marks"  # as BERT's tokenizer has it
    if char.isascii() and category == "Nd":
        return "digits"
    return {"P": "punctuation marks", "S": "symbols"}.get(category[0], "letters")
