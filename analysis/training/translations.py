"""Which subwords of a text translate which of its words, by a dictionary, where both are one subword."""

import numpy as np

from analysis.errors import InputError
from analysis.training.examples import Side
from analysis.training.lexicon import covered_by
from analysis.training.objective import Material

Translations = dict[str, dict[int, np.ndarray]]


def single_words(side: Side) -> dict[int, int]:
    """The columns whose subword is a whole word, with the word's type.

    Args:
        side: a sentence whose words are made up of all their subwords (`pool=mean`).
    """
    counts = np.bincount(side.word, minlength=side.words)
    alone = counts[side.word] == 1
    return {
        int(column): int(side.keys[word]) for column, word in zip(side.column[alone], side.word[alone], strict=True)
    }


def translations(material: Material, pieces: np.ndarray) -> Translations:
    """For each language and word type the subwords that translate it, as places among the scored ones.

    A word counts where the text has it as one subword, in whichever spelling, and so does its translation.

    Args:
        material: dictionaries, and sentences of all languages.
        pieces: (V,) ascending ids of the scored subwords.

    Returns:
        Places among `pieces`, ascending; nothing for a word without a translation.

    Raises:
        InputError: a dictionary covers no word of the text, or there is no entry of one subword beside one.
    """
    examples, scored = material.examples, set(pieces.tolist())
    spelled: dict[str, dict[int, set[int]]] = {}
    for tag, side in zip(examples.language, examples.source, strict=True):
        mine = spelled.setdefault(tag, {})
        for column, key in single_words(side).items():
            if int(side.ids[column]) in scored:
                mine.setdefault(key, set()).add(int(side.ids[column]))
    found: dict[str, dict[int, set[int]]] = {}
    for pair in covered_by(material):
        for here, there in ((0, 1), (1, 0)):
            own, theirs = (spelled.get(pair.languages[n], {}).get(pair.keys[n]) for n in (here, there))
            if own and theirs:
                found.setdefault(pair.languages[here], {}).setdefault(pair.keys[here], set()).update(theirs)
    if not found and material.job is not None:
        names = ", ".join(one.name or "given" for one in material.dictionaries)
        raise InputError(
            f"no entry of {names} has a word and a translation that are one subword each in the text; give more text, "
            f"or another --dictionary"
        )
    return {
        tag: {key: np.searchsorted(pieces, sorted(ids)) for key, ids in words.items()} for tag, words in found.items()
    }
