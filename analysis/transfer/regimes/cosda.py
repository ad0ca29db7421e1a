"""Words replaced at random by dictionary translations while a task is learned (CoSDA-ML)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from analysis.alignment.method import Fidelity, Uses
from analysis.errors import InputError, unknown
from analysis.settings import Setting
from analysis.text.dictionary import Dictionary
from analysis.text.languages import normalise_tag
from analysis.text.linked import type_of
from analysis.transfer.item import Item, Kind
from analysis.transfer.regime import Regime, Strategy, Work
from analysis.transfer.settings import TransferSettings
from analysis.transfer.switching import Listed, merged, switch_item, words_of


@dataclass(frozen=True)
class CosdaSettings(TransferSettings):
    """Settings of the replacement."""

    ratio: Annotated[
        float,
        Setting("share of the items whose words may be replaced", ge=0, le=1, source="code of Qin et al. 2020: 1"),
    ] = 1.0
    cross: Annotated[
        float,
        Setting("probability that a word of such an item is looked up", ge=0, le=1,
                source="code of Qin et al. 2020: 0.4 documents, 0.6 and 0.8 sentiment, 0.9 slots and dialogue states"),
    ] = 0.9  # fmt: skip
    languages: Annotated[
        str, Setting("languages to replace with: all of the dictionaries, or tags with commas between them")
    ] = "all"


class Cosda(Strategy):
    """Replace words by translations out of dictionaries, anew each time an item is read.

    In plain words: the encoder reads sentences whose words come from many languages at once, in the word order of the
    source language and with its labels. To learn the task it has to treat a word and its translations alike.

        each reading of an item: eligible with probability ratio
        each word of it:         with probability cross draw a language uniformly; if its dictionary has the word,
                                 draw one of its translations uniformly; else the word stays, without a second draw
        L = the task's loss of the new text

    So the share of words that are replaced is ratio * cross * coverage; it is measured and told at the start.
    Both texts of a pair are replaced in; of a question only itself, for the answer's place must hold. Labels of words
    and trees stay with the places of the words; a translation of several words counts as one, and a label is read at
    its subwords as those of any word. Words are looked up without regard to case and are as the dictionary spells
    them. Only training is changed, never what is scored.

    Needs dictionaries with the language of the labels on either side; those of one language are read as one.

    Source: Qin, Ni, Zhang and Che 2020, CoSDA-ML, the sampling as coded (`cross`, `cross_str` and `cross_list` of
    model/*/all.py). There a text of a pair is eligible by itself, here the item is; document and sentiment code
    lower-cases the text, here case is kept; words are what stands between spaces, here the words of the corpus.
    The default of `cross` is that of their one task on single sentences with labels of words. Their learning rates
    (1e-5 to 5e-5 for all weights), epochs and batches are not the defaults: LoRA trains here.
    Relatives: `ppa_codeswitch` swaps whole sentences and needs translations of the training text; `robust` with
    `variant=synonyms` replaces by words of the same language.
    """

    settings: CosdaSettings

    def __init__(self, settings: CosdaSettings) -> None:
        super().__init__(settings)
        self.tables: list[Listed] = []
        self.kind = Kind.CLASS

    def prepare(self, work: Work) -> None:
        """Turn the dictionaries and tell how many words they will replace.

        Raises:
            InputError: no dictionary, one without the language of the labels, or one that has no word of the text.
        """
        self.kind = work.task.kind
        if not work.extras.dictionaries:
            raise InputError("regime cosda needs --dictionary; give for example set:bli_xling:en-de:train")
        tables = by_language(work.extras.dictionaries, work.source)
        chosen = self._chosen(list(tables))
        words = [type_of(word) for word in words_of(work.train.items, self.kind)]
        for tag in chosen:
            for one in tables[tag]:
                if not one.translations().keys() & set(words):
                    raise InputError(
                        f"{one.name} has none of the {len(set(words)):,} different words of {work.train.name}; give a "
                        f"dictionary {work.source}-{tag} of its words, such as a MUSE list"
                    )
        self.tables = [merged(tables[tag]) for tag in chosen]
        shares = [covered(words, table) for table in self.tables]
        rate = self.settings.ratio * self.settings.cross * float(np.mean([share for share, _ in shares]))
        same = self.settings.ratio * self.settings.cross * float(np.mean([share for _, share in shares]))
        named = ", ".join(f"{tag} {100 * share:.0f}%" for tag, (share, _) in zip(chosen, shares, strict=True))
        work.job.say(
            f"the dictionaries have of {len(words):,} words: {named}; {100 * rate:.1f}% of all words will be replaced "
            f"(ratio {self.settings.ratio:g} x cross {self.settings.cross:g} x coverage), {100 * same:.1f}% by an equal one"
        )

    def _chosen(self, there: list[str]) -> list[str]:
        """The languages to replace with.

        Raises:
            InputError: one that no dictionary has.
        """
        if self.settings.languages == "all":
            return there
        tags = [normalise_tag(tag) for tag in self.settings.languages.replace(",", " ").split()]
        for tag in tags:
            if tag not in there:
                raise unknown("language of the dictionaries", tag, there)
        if not tags:
            raise InputError(f"languages={self.settings.languages!r} names none; valid: all, {', '.join(there)}")
        return list(dict.fromkeys(tags))

    def items(self, items: Sequence[Item], rng: np.random.Generator) -> Sequence[Item]:
        """The items with words replaced."""

        def draw(word: str) -> str | None:
            """A translation, or None."""
            if rng.random() >= self.settings.cross:
                return None
            listed = self.tables[rng.integers(len(self.tables))].get(type_of(word))
            return listed[rng.integers(len(listed))] if listed else None

        return [switch_item(item, draw, self.kind) if rng.random() < self.settings.ratio else item for item in items]


def by_language(dictionaries: Iterable[Dictionary], source: str) -> dict[str, list[Dictionary]]:
    """The dictionaries from the source language, by the other language.

    Raises:
        InputError: one lacks the source language or has no other.
    """
    found: dict[str, list[Dictionary]] = {}
    for one in dictionaries:
        pair = "-".join(one.languages)
        if source not in one.languages:
            raise InputError(
                f"{one.name} is {pair} and lacks {source!r}, the language of the training data; give a dictionary "
                f"with it, such as {source}-{one.languages[1]}"
            )
        turned = one.flipped() if one.languages[1] == source else one
        if turned.languages[1] == source:
            raise InputError(
                f"{one.name} is {pair} and has no other language than {source!r}; give a dictionary of two languages, "
                "or use regime robust with --set variant=synonyms"
            )
        found.setdefault(turned.languages[1], []).append(turned)
    return found


def covered(words: Sequence[str], table: Listed) -> tuple[float, float]:
    """Share of the words that a table has, and share expected to be replaced by an equal word."""
    found = [(word, table[word]) for word in words if word in table]
    same = sum(sum(type_of(one) == word for one in listed) / len(listed) for word, listed in found)
    return len(found) / max(1, len(words)), same / max(1, len(words))


SPEC = Regime(
    name="cosda",
    title="Code-switching by dictionaries (CoSDA-ML)",
    summary="Fine-tunes on text whose words are replaced at random by their translations in many languages.",
    citation="Qin et al. 2020, IJCAI",
    fidelity=Fidelity.CODE_CHECKED,
    strategy=Cosda,
    settings=CosdaSettings,
    uses=frozenset({Uses.DICTIONARY}),
    needs=frozenset({Uses.DICTIONARY}),
)
