"""Whole sentences swapped for their translations while a task is learned (the fine-tuning of PPA)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np

from analysis.alignment.method import Fidelity, Uses
from analysis.errors import InputError
from analysis.settings import Setting
from analysis.text.corpus import Bitext, Relation, Sentence
from analysis.transfer.item import Item, Kind
from analysis.transfer.regime import Regime, Strategy, Work
from analysis.transfer.settings import TransferSettings
from analysis.transfer.task import Task

Translations = dict[str, dict[str, list[Sentence]]]


@dataclass(frozen=True)
class PpaCodeswitchSettings(TransferSettings):
    """Settings of the swap."""

    share: Annotated[
        float, Setting("probability that an item with a translation is swapped when it is read", ge=0, le=1)
    ] = 0.5
    member: Annotated[
        str,
        Setting("which text of a pair is swapped: one of the two at random, the first, the second, or both (into one "
                "language)", choices=("one", "first", "second", "both"), source="one: Pan et al. 2021, reconstructed"),
    ] = "one"  # fmt: skip


class PpaCodeswitch(Strategy):
    """Swap a whole text for its translation, anew each time an item is read.

    In plain words: of a premise and a hypothesis one stays in the language of the labels and the other is read in
    another language. What the one says about the other is the same, so the encoder has to compare them across
    languages. A text that stands alone is read in either language under one label.

        each reading of an item: with probability share draw the member, one of the languages it has a translation
                                 in, and one of these translations, all uniformly; else the item is read as it is
        L = the task's loss of the new item

    Needs parallel text that has the very sentences of the training items (translate-train), such as
    `--data set:xnli:en,de,es:dev-a` for `nli` or `--data set:sib200:en,de:train` for `topics`; texts are found by
    their wording, white space aside. Items without a translation stay. Because translations of the training text are
    used, what this gives is not a transfer from labels of one language alone: compare it with translate-train, not
    with zero-shot regimes. Only training is changed.

    Tasks of one label or one score of a text or pair; labels of words and answers in a text have no place in a
    translation.

    Source: Pan, Hang, Qi, Shah, Potdar and Yu 2021, Multilingual BERT post-pretraining alignment (NAACL): sentence-level
    code-switching with English while a task is fine-tuned; which member is swapped and how often is reconstructed, not
    read. There translated items have a text swapped for its English counterpart; here labelled items of the source
    language have one swapped for its translation, which gives the same mixed pairs, and pairs wholly in another
    language only with `member=both`.
    Relatives: `cosda` replaces single words and needs dictionaries only; method `ppa` is the alignment before it.
    """

    settings: PpaCodeswitchSettings

    def __init__(self, settings: PpaCodeswitchSettings) -> None:
        super().__init__(settings)
        self.known: Translations = {}

    def check(self, task: Task, encoder: Any) -> None:
        """Refuse a choice of the member where there is no pair.

        Raises:
            InputError: it is set for a task of single texts.
        """
        if task.kind is Kind.CLASS and self.settings.member != "one":
            raise InputError(
                f"member={self.settings.member!r} is for pairs and task {task.name!r} has one text; leave member=one"
            )

    def prepare(self, work: Work) -> None:
        """Look up the translations of all items and tell how many have one.

        Raises:
            InputError: no sentence pairs, or none that translate a training item.
        """
        self.known = translations(work.extras.bitexts, work.source)
        counts: dict[str, int] = {}
        some = 0
        for item in work.train.items:
            tags = {tag for places in self._places(item) for tag in self._shared(item, places)}
            some += bool(tags)
            for tag in tags:
                counts[tag] = counts.get(tag, 0) + 1
        if not some:
            named = ", ".join(dict.fromkeys(one.name for one in work.extras.bitexts)) or "no --data"
            sides = "both texts" if self.settings.member == "both" else "a text"
            raise InputError(
                f"{named}: no pair translates {sides} of a training item of {work.train.name}; give --data whose "
                f"{work.source} side has these very sentences, such as set:sib200:en,de:train for set:sib200:en:train"
            )
        named = ", ".join(f"{tag} {count:,}" for tag, count in sorted(counts.items()))
        work.job.say(
            f"{some:,} of {len(work.train):,} items have a translation, in {len(counts)} language"
            f"{'s' * (len(counts) != 1)}: {named}; each is swapped with probability {self.settings.share:g}"
        )

    def items(self, items: Sequence[Item], rng: np.random.Generator) -> Sequence[Item]:
        """The items with texts swapped."""
        return [self._swapped(item, rng) if rng.random() < self.settings.share else item for item in items]

    def _swapped(self, item: Item, rng: np.random.Generator) -> Item:
        """An item with one text or both in another language; as it is where it has no translation."""
        choices = self._places(item)
        if not choices:
            return item
        places = choices[rng.integers(len(choices))]
        tags = self._shared(item, places)
        tag = tags[rng.integers(len(tags))]
        for place in places:
            listed = self.known[_key(item.sentences[place])][tag]
            new = listed[rng.integers(len(listed))]
            item = replace(item, other=new) if place else replace(item, sentence=new)
        return item

    def _places(self, item: Item) -> list[tuple[int, ...]]:
        """The texts, by number, that may be swapped together: those with a translation in one language."""
        member = self.settings.member
        both: tuple[int, ...] = tuple(range(len(item.sentences)))
        found = [both] if member == "both" else [(place,) for place in both]
        if member in ("first", "second"):
            found = [(("first", "second").index(member),)]
        return [places for places in found if self._shared(item, places)]

    def _shared(self, item: Item, places: Sequence[int]) -> list[str]:
        """The languages in which all these texts have a translation."""
        own = [self.known.get(_key(item.sentences[place]), {}) for place in places]
        return sorted(set.intersection(*(set(one) for one in own)))


def translations(bitexts: Iterable[Bitext], source: str) -> Translations:
    """For each wording of the source language its different translations, by language."""
    found: dict[str, dict[str, dict[str, Sentence]]] = {}
    for bitext in bitexts:
        if bitext.relation is not Relation.TRANSLATION or len(set(bitext.languages)) < 2:
            continue
        for one in (bitext, bitext.flipped()):
            if one.languages[0] != source:
                continue
            for text, other in zip(one.source, one.target, strict=True):
                if other.text.strip():
                    found.setdefault(_key(text), {}).setdefault(one.languages[1], {}).setdefault(_key(other), other)
    return {text: {tag: list(listed.values()) for tag, listed in tags.items()} for text, tags in found.items()}


def _key(sentence: Sentence) -> str:
    """A text with single spaces."""
    return " ".join(sentence.text.split())


SPEC = Regime(
    name="ppa_codeswitch",
    title="Code-switching of sentences (PPA)",
    summary="Fine-tunes on items with a text swapped for its translation; it uses translations of the training text.",
    citation="Pan et al. 2021, NAACL",
    fidelity=Fidelity.RECONSTRUCTED,
    strategy=PpaCodeswitch,
    settings=PpaCodeswitchSettings,
    uses=frozenset({Uses.DATA}),
    needs=frozenset({Uses.DATA}),
    kinds=frozenset({Kind.CLASS, Kind.PAIR, Kind.SCORE}),
)
