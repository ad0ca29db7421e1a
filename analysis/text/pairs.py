"""Files that keep their places: one sentence, or one pre-tokenised pair, for each line as read."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from analysis.errors import InputError
from analysis.text.corpus import Sentence
from analysis.text.identify import identify_columns, identify_lines, language_of
from analysis.text.languages import normalise_tag, parse_langs
from analysis.text.lines import Source, read_lines
from analysis.text.problems import Problems, excerpt
from analysis.text.rows import split_parts
from analysis.text.segment import split, split_pretokenised

Pair = tuple[Sentence, Sentence]
Texts = tuple[str, str]


def read_sentences(
    path: str | Path | bytes | Source,
    *,
    language: str | None = None,
    pretokenized: bool = False,
    problems: Problems | None = None,
) -> list[Sentence | None]:
    """One sentence for each line of a file; `|||` means nothing here.

    Args:
        path: UTF-8 text, `-` for standard input.
        language: tag of all lines; None to identify each.
        pretokenized: whether words are separated by white space already.
        problems: takes a note of undecodable lines.

    Returns:
        As many items as the file has lines; None for a blank or undecodable line. Texts are as read, so that
        offsets count the code points of the line.

    Raises:
        InputError: unreadable, no line with text, or `language` is no tag.
    """
    source = Source.of(path)
    lines = list(read_lines(source, problems=Problems() if problems is None else problems))
    filled = [line for line in lines if line is not None and line.strip()]
    if not filled:
        raise InputError(f"{source.name} has no line with text; give one sentence a line")
    if language is not None:
        tags = [normalise_tag(language)] * len(filled)
    else:
        tags = [guess.tag for guess in identify_lines(filled)]
    cut = split_pretokenised if pretokenized else split
    made = iter([cut(text, tag) for text, tag in zip(filled, tags, strict=True)])
    return [next(made) if line is not None and line.strip() else None for line in lines]


def read_pairs(
    path: str | Path | bytes | Source,
    *,
    langs: str | tuple[str, str] | None = None,
    problems: Problems | None = None,
) -> list[Pair | None]:
    """One pair for each line `source words ||| target words`, pre-tokenised.

    Args:
        path: UTF-8 text, `-` for standard input.
        langs: the two tags, or `A-B`; None to identify them.
        problems: takes a note of bad rows.

    Returns:
        As many items as the file has lines; None for a bad row, an empty sentence for an empty side.

    Raises:
        InputError: unreadable, or no usable row.
    """
    source = Source.of(path)
    problems = Problems() if problems is None else problems
    lines = list(read_lines(source, problems=problems))
    texts = [
        None if line is None else pair_texts(line, number, source.name, problems)
        for number, line in enumerate(lines, 1)
    ]
    if not any(texts):
        raise InputError(f"{source.name} has no usable row; give one `source words ||| target words` a line")
    return name_pairs(texts, langs)[1]


def pair_texts(line: str, number: int, name: str, problems: Problems) -> Texts | None:
    """The two sides of a line, or None after noting that it has not exactly two."""
    parts = split_parts(line)
    if len(parts) != 2:
        problems.add(name, number, f"{excerpt(line)} is not `source words ||| target words`; the row is left out")
        return None
    return parts[0], parts[1]


def name_pairs(
    texts: Sequence[Texts | None], langs: str | tuple[str, str] | None
) -> tuple[tuple[str, str], list[Pair | None]]:
    """Give pre-tokenised pairs their languages.

    Where none are given, the majority of the lines decides each side's tag, and a line that is clearly in the
    other side's language is tagged so.

    Returns:
        The two tags of the file and its pairs.
    """
    good = [pair for pair in texts if pair is not None]
    if langs is not None:
        usual = as_pair(langs)
        candidates: tuple[str, ...] = ()
    else:
        source, target = identify_columns([[left for left, _ in good], [right for _, right in good]])
        usual = (source, target)
        candidates = usual
    pairs: list[Pair | None] = []
    for pair in texts:
        if pair is None:
            pairs.append(None)
            continue
        left, right = (
            split_pretokenised(text, language_of(text, tag, candidates)) for text, tag in zip(pair, usual, strict=True)
        )
        pairs.append((left, right))
    return usual, pairs


def pair_languages(pairs: Sequence[Pair | None]) -> tuple[str, str]:
    """The tag most sentences of each side have: what a command writes out as its choice."""
    found = []
    for side in (0, 1):
        counts = Counter(pair[side].language for pair in pairs if pair is not None)
        found.append(counts.most_common(1)[0][0] if counts else "und")
    return found[0], found[1]


def as_pair(langs: str | tuple[str, str]) -> tuple[str, str]:
    """Two tags, given as `A-B` or as a tuple.

    Raises:
        InputError: not two language tags.
    """
    if isinstance(langs, str):
        return parse_langs(langs)
    return normalise_tag(langs[0]), normalise_tag(langs[1])
