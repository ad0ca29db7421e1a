"""Other words in place of a sentence's own; every word keeps its place and with it its label."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from analysis.text.corpus import Sentence
from analysis.text.dictionary import Dictionary
from analysis.transfer.item import Item, Kind

Draw = Callable[[str], str | None]
Listed = dict[str, tuple[str, ...]]


def switch_words(sentence: Sentence, draw: Draw) -> Sentence:
    """A sentence with other words; what stands between them stays.

    A word of several parts ("guten Tag") is one word. Where a new word would run into its neighbour (Chinese replaced
    by English), one space is put between them. Words that share characters with a neighbour stay as they are.

    Args:
        sentence: with its words' spans.
        draw: takes a word as it stands and gives the one to be read instead, or None to leave it; called once a word.

    Returns:
        As many words in the same order; concepts, senses and tags are kept.
    """
    spans = sentence.spans
    parts: list[str] = []
    moved: list[tuple[int, int]] = []
    at = length = 0  # how much of the old text is written, and how long the new one is
    switched = False  # whether the word before is a new one
    for place, (start, end) in enumerate(spans):
        if start < at:  # a part of the word before; it lies as it lay
            shift = length - at
            moved.append((start + shift, end + shift))
            parts.append(sentence.text[at:end])
            length += len(parts[-1])
            at = max(at, end)
            continue
        shared = place + 1 < len(spans) and spans[place + 1][0] < end
        new = None if shared or start == end else draw(sentence.text[start:end])
        word = sentence.text[start:end] if new is None else new
        between = sentence.text[at:start]
        if not between and (switched or new is not None) and _touch(parts, word):
            between = " "
        parts += [between, word]
        length += len(between) + len(word)
        moved.append((length - len(word), length))
        at, switched = end, new is not None
    rest = sentence.text[at:]
    if switched and _touch(parts, rest):
        rest = " " + rest
    return replace(sentence, text="".join([*parts, rest]), spans=tuple(moved))


def _touch(parts: Sequence[str], word: str) -> bool:
    """Whether a letter or digit would follow upon another without anything between."""
    before = next((part for part in reversed(parts) if part), "")
    return bool(before and word) and before[-1].isalnum() and word[0].isalnum()


def switched_texts(item: Item, kind: Kind) -> tuple[Sentence, ...]:
    """The texts of an item whose words may change: of a question only itself, for the answer's place must hold."""
    return (item.sentence,) if kind is Kind.SPAN else item.sentences


def switch_item(item: Item, draw: Draw, kind: Kind) -> Item:
    """An item with other words in all texts that may change; its label stays."""
    sentence = switch_words(item.sentence, draw)
    if item.other is None or kind is Kind.SPAN:
        return replace(item, sentence=sentence)
    return replace(item, sentence=sentence, other=switch_words(item.other, draw))


def words_of(items: Iterable[Item], kind: Kind) -> list[str]:
    """Every word of the texts that may change, as often as it stands there."""
    return [word for item in items for text in switched_texts(item, kind) for word in text.words]


def merged(parts: Iterable[Dictionary]) -> Listed:
    """What several dictionaries of one direction list for each word, each once; see `Dictionary.translations`."""
    found: dict[str, dict[str, None]] = {}
    for part in parts:
        for word, listed in part.translations().items():
            found.setdefault(word, {}).update(dict.fromkeys(listed))
    return {word: tuple(listed) for word, listed in found.items()}
