"""Word-alignment links and the Pharaoh format that every aligner reads and writes."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from analysis.errors import InputError

Link = tuple[int, int]
_LINK = re.compile(r"(\d{1,9})([-p])(\d{1,9})")


@dataclass(frozen=True, slots=True)
class Links:
    """Word-alignment links of one sentence pair.

    Attributes:
        sure: pairs of 0-based (source word, target word) positions.
        possible: links that are not wrong but not required either; always includes `sure`.
        scores: similarity of a link where a decoder made it, keyed by the pair.
    """

    sure: frozenset[Link] = frozenset()
    possible: frozenset[Link] = frozenset()
    scores: dict[Link, float] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        """Sure links are possible links too (Och and Ney 2003, section 6.1)."""
        if not self.sure <= self.possible:
            object.__setattr__(self, "possible", self.sure | self.possible)

    def __len__(self) -> int:
        """Number of sure links."""
        return len(self.sure)

    def one_to_one(self) -> frozenset[Link]:
        """The sure links whose two words occur in no other possible link (Cao et al. 2020, section 2)."""
        left: dict[int, int] = {}
        right: dict[int, int] = {}
        for i, j in self.possible:
            left[i] = left.get(i, 0) + 1
            right[j] = right.get(j, 0) + 1
        return frozenset((i, j) for i, j in self.sure if left[i] == right[j] == 1)

    def flipped(self) -> "Links":
        """The same links with source and target exchanged."""
        turn = lambda links: frozenset((j, i) for i, j in links)  # noqa: E731
        return Links(turn(self.sure), turn(self.possible), {(j, i): s for (i, j), s in self.scores.items()})

    def inside(self, source_words: int, target_words: int) -> bool:
        """Whether every link points at words that exist."""
        return all(i < source_words and j < target_words for i, j in self.possible)


def parse_links(line: str, *, one_based: bool = False) -> Links:
    """Read one line of Pharaoh links: `i-j` is sure, `ipj` possible.

    Args:
        line: links separated by white space; an empty line is an empty set.
        one_based: whether the file counts words from 1.

    Raises:
        InputError: a token is not a link, or a 1-based file holds a 0.
    """
    sure: set[Link] = set()
    possible: set[Link] = set()
    for token in line.split():
        match = _LINK.fullmatch(token)
        if not match:
            raise InputError(f"{token[:40]!r} is not a link; valid: i-j (sure) or ipj (possible), counted from 0")
        i, j = int(match[1]) - one_based, int(match[3]) - one_based
        if i < 0 or j < 0:
            raise InputError(f"{token!r} points before the first word; leave out --one-based for a 0-based file")
        (sure if match[2] == "-" else possible).add((i, j))
    return Links(frozenset(sure), frozenset(sure | possible))


def format_links(links: Links | Iterable[Link]) -> str:
    """One line of 0-based Pharaoh links, sorted, sure ones as `i-j` and the other possible ones as `ipj`."""
    if not isinstance(links, Links):
        return " ".join(f"{i}-{j}" for i, j in sorted(links))
    return " ".join(f"{i}{'-' if (i, j) in links.sure else 'p'}{j}" for i, j in sorted(links.possible))
