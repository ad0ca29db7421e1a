"""What the order of sentences and of words teaches: which sentence comes next, and whether two words are swapped."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.training.examples import Side
from analysis.training.masking import content


@dataclass(frozen=True)
class Followed:
    """Sentences each with another one behind it.

    Attributes:
        first: indices of sentences.
        second: as many of what stands behind them.
        follows: (pairs,) 1 where it is the sentence that comes next in the text, 0 where it is another one.
    """

    first: np.ndarray
    second: np.ndarray
    follows: np.ndarray


class SentenceOrder:
    """Draws next sentences and others of the same language.

    Args:
        languages: of each sentence; those of one language stand in the order of their text.
    """

    def __init__(self, languages: Sequence[str]) -> None:
        tags = np.array(languages)
        self._rows = {tag: np.flatnonzero(tags == tag) for tag in dict.fromkeys(languages)}
        self._languages = languages

    @property
    def usable(self) -> bool:
        """Whether some language has a sentence, a next one and another one."""
        return any(len(rows) > 2 for rows in self._rows.values())

    def draw(self, rows: Sequence[int] | np.ndarray, rng: np.random.Generator) -> Followed:
        """A next sentence for about half of some sentences, another one of the same language for the rest.

        Args:
            rows: indices of sentences; a language's last one has no next one, and sentences of languages with fewer
                than three are left out.
            rng: draws.

        Source: Devlin et al. 2019, BERT, section 3.1, task 2.
        """
        first, second, follows = [], [], []
        for row in map(int, rows):
            mine = self._rows[self._languages[row]]
            if len(mine) < 3:
                continue
            at, next_one = int(np.searchsorted(mine, row)), rng.random() < 0.5
            last = at == len(mine) - 1
            if next_one and not last:
                other = at + 1
            else:
                # Any but the sentence itself and the one after it.
                other = int(rng.integers(len(mine) - (1 if last else 2)))
                other += 0 if other < at else 2
            first.append(row)
            second.append(int(mine[other]))
            follows.append(int(next_one and not last))
        return Followed(*(np.array(one, np.int64) for one in (first, second, follows)))


def shifted(sides: Sequence[Side], rng: np.random.Generator) -> tuple[list[np.ndarray], np.ndarray]:
    """Sentences of which about half have two neighbouring subwords swapped.

    Args:
        sides: the sentences; one without two different neighbours stays as it is.
        rng: draws.

    Returns:
        Their input ids, and (sentences,) 1 where two are swapped.

    Source: bigram shift, Conneau et al. 2018, What you can cram into a single vector, there with whole words.
    """
    ids, labels = [], np.zeros(len(sides), np.int64)
    for number, side in enumerate(sides):
        one, columns, swap = side.ids.copy(), content(side)[:-1], rng.random() < 0.5
        columns = columns[one[columns] != one[columns + 1]]
        if swap and len(columns):
            at = int(rng.choice(columns))
            one[[at, at + 1]] = one[[at + 1, at]]
            labels[number] = 1
        ids.append(one)
    return ids, labels
