"""From what a user names to text: `corpus:NAME`, `set:NAME:LANGS:SPLIT` or a file."""

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from analysis.errors import InputError, unknown
from analysis.registry import find, registered
from analysis.text.bitexts import file_bitexts, make_bitext, read_links, without_bad_links
from analysis.text.corpus import Bitext, Corpus
from analysis.text.languages import pairs_of
from analysis.text.lines import Source
from analysis.text.pairs import as_pair, pair_languages, read_pairs, read_sentences
from analysis.text.problems import Problems
from analysis.text.rows import Reader, Row, build_corpus, wanted_tags
from analysis.text.sets import load_set
from analysis.text.sniff import sniff

__all__ = [
    "corpus_bitexts",
    "load_bitexts",
    "load_corpus",
    "pair_languages",
    "read_corpus",
    "read_pairs",
    "read_sentences",
]


def load_corpus(
    name: str | Path, *, languages: Iterable[str] | None = None, problems: Problems | None = None
) -> Corpus:
    """A registered corpus by name, or a file by its path.

    Args:
        name: `tour`, `corpus:tour`, `ui_chromium:train` (a split), or a path; a file's format is guessed.
        languages: the languages wanted (of a file without headers: its sides, in order); None for all.
        problems: takes a note of bad rows.

    Raises:
        InputError: no such corpus or file, no usable row, or a language the corpus does not have.
    """
    plain = str(name).removeprefix("corpus:")
    tags = wanted_tags(languages)
    known, _, split = plain.partition(":")
    if known in registered("corpora"):
        return _registered(known, split, tags)
    if not Path(plain).exists() and not any(mark in plain for mark in "./\\"):
        raise unknown("corpus", plain, registered("corpora"))
    return read_corpus([Source.of(plain)], languages=tags, problems=problems, identifier=plain)


def _registered(name: str, split: str, languages: tuple[str, ...] | None) -> Corpus:
    """A registered corpus, or a split of it."""
    spec = find("corpora", name)
    if spec.splits:
        return spec.load(languages=languages, split=split or None)
    if split:
        raise unknown(f"split of corpus {name}", split, spec.splits)
    return _only(spec.load(), languages)


def read_corpus(
    sources: Sequence[Source],
    *,
    reader: str | None = None,
    languages: tuple[str, ...] | None = None,
    problems: Problems | None = None,
    identifier: str = "",
    max_rows: int | None = None,
) -> Corpus:
    """The corpus in one file, or in the several files of the Moses format.

    Args:
        sources: the files.
        reader: name of the format, None to guess it.
        languages: as for `load_corpus`.
        problems: takes a note of bad rows.
        identifier: id of the corpus, the name of the first source by default.
        max_rows: rows after these are left out, which is noted.

    Raises:
        InputError: unreadable, not of that format, or no usable row.
    """
    problems = Problems() if problems is None else problems
    title = sources[0].name
    guessed = "moses" if len(sources) > 1 else sniff(title, sources[0].head())
    spec: Reader = find("readers", reader or guessed)
    rows: Iterable[Row] = spec.read(sources, languages=languages, problems=problems)
    if max_rows is not None:
        rows = _capped(rows, max_rows, title, problems)
    return build_corpus(identifier or title, Path(title).name, rows, source=title)


def _capped(rows: Iterable[Row], limit: int, name: str, problems: Problems) -> list[Row]:
    """The first rows; one that is left out is noted."""
    kept = list(islice(rows, limit + 1))
    if len(kept) > limit:
        problems.add(name, kept[-1].line, f"only the first {limit:,} rows are read; the rest is left out")
    return kept[:limit]


def _only(corpus: Corpus, languages: tuple[str, ...] | None) -> Corpus:
    """The corpus with these languages only."""
    if languages is None:
        return corpus
    for tag in languages:
        corpus.require(tag)
    rows = tuple({tag: row[tag] for tag in languages if tag in row} for row in corpus.rows)
    kept = [n for n, row in enumerate(rows) if row]
    pick = lambda items: tuple(items[n] for n in kept) if items else ()  # noqa: E731
    links = {pair: pick(links) for pair, links in corpus.links.items() if set(pair) <= set(languages)}
    return Corpus(
        corpus.id, corpus.title, pick(rows), pick(corpus.row_ids), pick(corpus.categories), links,
        corpus.links_origin, corpus.source, corpus.licence, corpus.unit,
    )  # fmt: skip


def load_bitexts(
    data: str,
    *,
    langs: str | tuple[str, str] | None = None,
    links: str | Path | None = None,
    one_based: bool = False,
    data_dir: str | Path | None = None,
    problems: Problems | None = None,
    languages: Sequence[str] | None = None,
) -> list[Bitext]:
    """The sentence pairs behind one `--data`.

    Args:
        data: `corpus:NAME`, `set:NAME:LANGS:SPLIT` or a file: `source words ||| target words` (pre-tokenised),
            a TSV with a header of language codes (segmented), or source words, target words and links.
        langs: the pair wanted, `A-B`; without it every pair of English (else of the first language) with another,
            and in a file without a header the languages are identified.
        links: a Pharaoh file with a line for each pair of the file; replaces the file's own links.
        one_based: whether links count words from 1.
        data_dir: the folder of the public sets, `ISOGLOSS_DATA` by default.
        problems: takes a note of bad rows.
        languages: of a corpus, the languages wanted where no pair is named.

    Returns:
        At least one bitext, none of them empty.

    Raises:
        InputError: no such data, no usable row, or links that do not count the pairs.
    """
    problems = Problems() if problems is None else problems
    pair = None if langs is None else as_pair(langs)
    if data.startswith("set:"):
        bitexts = load_set(data, data_dir=data_dir, problems=problems)
        bitexts = bitexts if pair is None else [_select(bitexts, pair, data)]
    elif data.startswith("corpus:"):
        named = corpus_bitexts(load_corpus(data, languages=pair or languages, problems=problems), pair)
        bitexts = [without_bad_links(bitext, problems) for bitext in named]
    else:
        return file_bitexts(Source.of(data), pair, links, one_based, problems)
    if links is not None:
        bitexts = [_linked(bitexts, data, links, one_based, problems)]
    usable = [bitext for bitext in bitexts if len(bitext)]
    if not usable:
        raise InputError(f"{data} has no usable pair; see the warnings")
    return usable


def _linked(bitexts: list[Bitext], data: str, links: str | Path, one_based: bool, problems: Problems) -> Bitext:
    """The one bitext with the links of a file.

    Raises:
        InputError: several bitexts, or links that do not count the pairs.
    """
    if len(bitexts) > 1:
        raise InputError(f"{data} is {len(bitexts)} language pairs, --links belong to one; choose it with --langs A-B")
    sole = bitexts[0]
    numbered = [(n, (a, b), None) for n, (a, b) in enumerate(zip(sole.source, sole.target, strict=True), start=1)]
    given = read_links(links, len(sole), data, problems)
    return make_bitext(sole.name, sole.languages, numbered, given, one_based, problems)


def _select(bitexts: list[Bitext], pair: tuple[str, str], data: str) -> Bitext:
    """The bitext of one pair, turned round if need be."""
    for bitext in bitexts:
        if bitext.languages == pair:
            return bitext
        if bitext.languages == pair[::-1]:
            return bitext.flipped()
    raise unknown(f"language pair of {data}", "-".join(pair), ["-".join(bitext.languages) for bitext in bitexts])


def corpus_bitexts(corpus: Corpus, pair: tuple[str, str] | None) -> list[Bitext]:
    """One pair of a corpus, or English with each other language."""
    if pair is not None:
        return [corpus.pair(*pair)]
    if len(corpus.languages) < 2:
        raise InputError(
            f"corpus {corpus.id} has only {', '.join(corpus.languages)}; sentence pairs need two languages"
        )
    found = [(a, b) for a, b in pairs_of(corpus.languages) if any(a in row and b in row for row in corpus.rows)]
    if not found:
        raise InputError(
            f"corpus {corpus.id} has no row in {corpus.languages[0]} and another language; use --langs A-B"
        )
    return [corpus.pair(a, b) for a, b in found]
