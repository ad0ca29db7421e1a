"""Everything a run learns from, and how it becomes examples: sentence pairs, or text without translations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.encoders.model import Model
from analysis.errors import InputError
from analysis.text.corpus import Bitext, Sentence
from analysis.text.linked import type_of
from analysis.training.examples import Examples, Side, count_pairs, prepare, room_of, select, sides_of
from analysis.training.settings import TrainSettings

if TYPE_CHECKING:
    from analysis.text.dictionary import Dictionary


@dataclass(frozen=True)
class TrainingData:
    """What a run learns from.

    Attributes:
        bitexts: sentence pairs, the anchor on the target side.
        languages: the languages to train on.
        dev: development pairs, which are looked at and never learned from.
        monolingual: sentences without translation, by language.
        dictionaries: word translations.
        anchor: the language that the others are aligned with.
    """

    bitexts: Sequence[Bitext] = ()
    languages: Sequence[str] = ()
    dev: Sequence[Bitext] = ()
    monolingual: Mapping[str, tuple[Sentence, ...]] = field(default_factory=dict)
    dictionaries: "tuple[Dictionary, ...]" = ()
    anchor: str = "en"

    def text(self) -> dict[str, tuple[Sentence, ...]]:
        """All sentences of the languages and the anchor by language, translated or not, each once, in order."""
        found: dict[str, dict[str, Sentence]] = {}
        sides = [(tag, side) for tag, side in self.monolingual.items()]
        for bitext in self.bitexts:
            sides += zip(bitext.languages, (bitext.source, bitext.target), strict=True)
        for tag, sentences in sides:
            if tag in self.languages or tag == self.anchor:
                mine = found.setdefault(tag, {})
                for sentence in sentences:
                    mine.setdefault(sentence.text, sentence)
        return {tag: tuple(mine.values()) for tag, mine in found.items()}

    def digests(self) -> list[str]:
        """What tells this data from any other."""
        from analysis.records import fingerprint

        text = {tag: [one.text for one in side] for tag, side in self.monolingual.items()}
        return [*(one.digest for one in self.bitexts), *(one.digest for one in self.dictionaries), fingerprint(text)]


@dataclass(frozen=True)
class Prepared:
    """Data as a run reads it.

    Attributes:
        examples: pairs, or sentences that stand on both sides.
        bitexts: the pairs that the examples are, one by one; () for text.
        counts: pairs or sentences of each language, before pairs are joined.
        left_out: examples that are longer than the encoder's window.
    """

    examples: Examples
    bitexts: list[Bitext]
    counts: dict[str, int]
    left_out: int


def make_examples(model: Model, data: TrainingData, settings: TrainSettings, seed: int, *, text: bool) -> Prepared:
    """Draw and tokenise what a run reads.

    Args:
        model: its tokenizer and its window.
        data: pairs and text.
        settings: `max_words`, `max_pairs`, `placebo`, `join`, `pool`, `specials`.
        seed: of the draw.
        text: whether sentences of any language are wanted instead of pairs.

    Raises:
        InputError: nothing is left.
    """
    if text:
        return _text_examples(model, data.text(), settings, seed)
    chosen = select(data.bitexts, data.languages, settings, seed, room=room_of(model))
    wanted = sum(len(bitext) for bitext in chosen)
    examples, chosen = prepare(model, chosen, settings)
    return Prepared(examples, chosen, count_pairs(data.bitexts, data.languages, settings), wanted - len(examples))


def shuffled_dictionaries(dictionaries: "Sequence[Dictionary]", seed: int) -> "tuple[Dictionary, ...]":
    """The placebo of a dictionary: every word beside the translation of another one.

    Raises:
        InputError: a dictionary whose words cannot all get a wrong translation.
    """
    return tuple(_shuffled(one, np.random.default_rng([seed, number, 5])) for number, one in enumerate(dictionaries))


def _shuffled(one: "Dictionary", rng: np.random.Generator) -> "Dictionary":
    """A dictionary with its translations in another order; those that are right by chance change places again."""
    words, right = ([type_of(entry[side]) for entry in one.entries] for side in (0, 1))
    true = set(zip(words, right, strict=True))
    turn = rng.permutation(len(words))
    place = np.empty_like(turn)
    place[turn] = np.roll(turn, 1)
    for n in range(len(words)):
        if (words[n], right[place[n]]) not in true:
            continue
        for m in rng.permutation(len(words)):
            if (words[n], right[place[m]]) not in true and (words[m], right[place[n]]) not in true:
                place[[n, m]] = place[[m, n]]
                break
        else:
            raise InputError(
                f"dictionary {one.name or 'given'} is too small for a placebo: the word {words[n]!r} gets no wrong "
                f"translation; give a larger one"
            )
    return replace(
        one, entries=tuple((word, one.entries[m][1]) for (word, _), m in zip(one.entries, place, strict=True))
    )


def _text_examples(
    model: Model, text: Mapping[str, Sequence[Sentence]], settings: TrainSettings, seed: int
) -> Prepared:
    """Sentences in their order, those of one language together, each on both sides."""
    language: list[str] = []
    sides: list[Side] = []
    rows: list[str] = []
    left_out = 0
    for number, (tag, sentences) in enumerate(text.items()):
        usable = [n for n, one in enumerate(sentences) if 0 < len(one.spans) <= settings.max_words]
        if settings.max_pairs and len(usable) > settings.max_pairs:
            rng = np.random.default_rng([seed, number])
            usable = sorted(rng.choice(usable, settings.max_pairs, replace=False).tolist())
        made = sides_of(model, [sentences[n] for n in usable], settings.pool, specials=settings.specials)
        fits = [n for n, side in enumerate(made) if 0 < len(side.ids) <= model.limit]
        left_out += len(usable) - len(fits)
        language += [tag] * len(fits)
        sides += [made[n] for n in fits]
        rows += [f"{tag} sentence {usable[n] + 1}" for n in fits]
    if not rows:
        raise InputError(
            f"no sentence to train on: every one is empty or longer than max_words={settings.max_words}; give text by "
            f"--monolingual FILE"
        )
    empty = np.empty((0, 2), np.int64)
    both: Any = tuple(sides)
    examples = Examples(tuple(language), both, both, (empty,) * len(rows), tuple(rows))
    return Prepared(examples, [], {tag: language.count(tag) for tag in dict.fromkeys(language)}, left_out)
