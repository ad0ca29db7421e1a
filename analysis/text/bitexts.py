"""Sentence pairs of a file in the three formats of the command line, with its links."""

from collections.abc import Sequence
from pathlib import Path

from analysis.errors import InputError, unknown
from analysis.text.corpus import Bitext, Sentence
from analysis.text.languages import pairs_of
from analysis.text.lines import Source, read_lines
from analysis.text.pairs import Pair, name_pairs, pair_texts
from analysis.text.pharaoh import Links, parse_links
from analysis.text.problems import Problems, excerpt
from analysis.text.rows import read_header, segment_row
from analysis.text.sniff import LINKS, sniff_lines

_FORMATS = "`source words ||| target words`, a TSV with a header of language codes, or source<TAB>target<TAB>links"
# A numbered row of a file: its line, its pair (None where it is bad) and its own links as text.
Numbered = tuple[int, Pair | None, str | None]


def file_bitexts(
    source: Source, pair: tuple[str, str] | None, links: str | Path | None, one_based: bool, problems: Problems
) -> list[Bitext]:
    """The pairs of a file in one of the three formats of the command line."""
    lines = list(read_lines(source, problems=problems))
    kind = sniff_lines([line for line in lines if line is not None])
    rows: dict[tuple[str, str], list[Numbered]]
    if kind == "tsv":
        rows = _table_pairs(lines, pair, source.name, problems)
    elif kind in ("fastalign", "aligned_tsv"):
        rows = _headerless_pairs(lines, kind, pair, source.name, problems)
    else:
        first = next((line for line in lines if line), "")
        raise InputError(f"{source.name}: {excerpt(first)} begins none of the formats; valid: {_FORMATS}")
    if links is not None and len(rows) > 1:
        raise InputError(
            f"{source.name} has {len(rows)} language pairs, --links belong to one; choose it with --langs A-B"
        )
    number = len(next(iter(rows.values())))
    given = None if links is None else read_links(links, number, source.name, problems)
    found = [make_bitext(source.name, tags, numbered, given, one_based, problems) for tags, numbered in rows.items()]
    usable = [bitext for bitext in found if len(bitext)]
    if not usable:
        raise InputError(f"{source.name} has no usable row; see the warnings; valid: {_FORMATS}")
    return usable


def _table_pairs(
    lines: list[str | None], pair: tuple[str, str] | None, name: str, problems: Problems
) -> dict[tuple[str, str], list[Numbered]]:
    """The rows of a TSV with a header, for each pair of its languages."""
    header = read_header((lines[0] or "").split("\t"), None)
    tags = list(header.columns) if header else []
    if header is None or len(tags) < 2:
        raise InputError(
            f"{name}: the header {excerpt(lines[0] or '')} names fewer than two languages; valid: {_FORMATS}"
        )
    for tag in pair or ():
        if tag not in tags:
            raise unknown(f"language of {name}", tag, tags)
    wanted = [pair] if pair else pairs_of(tags)
    needed = tuple({tag for both in wanted for tag in both})
    rows: dict[tuple[str, str], list[Numbered]] = {both: [] for both in wanted}
    for number, line in enumerate(lines[1:], start=2):
        cells = (line or "").split("\t")
        sentences: dict[str, Sentence] = {}
        if line is not None and line.strip():
            if len(cells) != header.width:
                problems.add(
                    name, number, f"{len(cells)} columns where the header has {header.width}; the row is left out"
                )
            else:
                sentences = segment_row({tag: cells[at] for tag, at in header.columns.items()}, needed)
                if len(sentences) < len(needed):
                    lacking = ", ".join(sorted(set(needed) - set(sentences)))
                    problems.add(name, number, f"no text in {lacking}; its pairs are left out")
        for a, b in wanted:
            both = (sentences[a], sentences[b]) if a in sentences and b in sentences else None
            rows[a, b].append((number, both, None))
    return rows


def _headerless_pairs(
    lines: list[str | None], kind: str, pair: tuple[str, str] | None, name: str, problems: Problems
) -> dict[tuple[str, str], list[Numbered]]:
    """The rows of a file of pre-tokenised pairs, with their own links where they have a third column."""
    texts, own = [], []
    for number, line in enumerate(lines, start=1):
        cells = (line or "").split("\t")
        both = None
        if line is not None and kind == "fastalign":
            both = pair_texts(line, number, name, problems)
        elif line is not None and len(cells) == 3 and (not cells[2].strip() or LINKS.fullmatch(cells[2].strip())):
            both = (cells[0].strip(), cells[1].strip())
        elif line is not None:
            message = f"{excerpt(line)} is not source<TAB>target<TAB>links; the row is left out"
            problems.add(name, number, message)
        if both is not None and not all(both):
            problems.add(name, number, "one side is empty; the pair is left out")
            both = None
        texts.append(both)
        own.append(cells[2] if kind == "aligned_tsv" and both else None)
    tags, pairs = name_pairs(texts, pair)
    return {tags: [(number, both, links) for number, (both, links) in enumerate(zip(pairs, own, strict=True), start=1)]}


def read_links(path: str | Path, pairs: int, data: str, problems: Problems) -> tuple[str, list[str | None]]:
    """The name and the lines of a Pharaoh file, which must be as many as the pairs.

    Raises:
        InputError: they are not.
    """
    source = Source.of(path)
    lines = list(read_lines(source, problems=problems))
    if len(lines) != pairs:
        raise InputError(
            f"{source.name} has {len(lines)} lines of links, {data} has {pairs} pairs; give one line a pair"
        )
    return source.name, lines


def make_bitext(
    name: str,
    tags: tuple[str, str],
    numbered: Sequence[Numbered],
    given: tuple[str, list[str | None]] | None,
    one_based: bool,
    problems: Problems,
) -> Bitext:
    """The good rows; where there are links, a row whose links are bad is left out."""
    kept: list[tuple[int, Pair, Links | None]] = []
    linked = given is not None or any(links is not None for _, _, links in numbered)
    for at, (number, pair, own) in enumerate(numbered):
        if pair is None:
            continue
        if not linked:
            kept.append((number, pair, None))
            continue
        where, line, text = (given[0], at + 1, given[1][at]) if given else (name, number, own)
        try:
            kept.append((number, pair, checked_links(text, pair, one_based)))
        except InputError as error:
            problems.add(where, line, f"{error}; the pair is left out", kind="links")
    return Bitext(
        name,
        tags,
        tuple(pair[0] for _, pair, _ in kept),
        tuple(pair[1] for _, pair, _ in kept),
        tuple(links for _, _, links in kept if links is not None) if linked else None,
        "gold" if linked else "",
        tuple(str(number) for number, _, _ in kept),
    )


def checked_links(text: str | None, pair: Pair, one_based: bool) -> Links:
    """The links of a row.

    Args:
        text: the links as they stand in the file, None where there are none to read.
        pair: the two sentences of the row.
        one_based: whether the file counts words from 1.

    Raises:
        InputError: they cannot be read, or point past the words.
    """
    if text is None:
        raise InputError("the row has no links that can be read")
    links = parse_links(text, one_based=one_based)
    _inside(links, pair)
    return links


def _inside(links: Links, pair: Pair) -> None:
    """Raise unless every link points at words of the pair.

    Raises:
        InputError: naming how many words there are.
    """
    sizes = len(pair[0].spans), len(pair[1].spans)
    if not links.inside(*sizes):
        raise InputError(f"a link points past the {sizes[0]} source or {sizes[1]} target words")


def without_bad_links(bitext: Bitext, problems: Problems) -> Bitext:
    """The pairs whose links point at words they have; the others are noted and left out.

    Args:
        bitext: any sentence pairs; without links all are kept.
        problems: takes a note of each pair that is left out, by its number.
    """
    if bitext.links is None:
        return bitext
    kept = []
    for at, (source, target, links) in enumerate(zip(bitext.source, bitext.target, bitext.links, strict=True)):
        try:
            _inside(links, (source, target))
            kept.append(at)
        except InputError as error:
            problems.add(bitext.name, at + 1, f"{error}; the pair is left out", kind="links")
    return bitext if len(kept) == len(bitext) else bitext.take(kept)
