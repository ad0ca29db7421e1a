"""Word pairs out of a dictionary: each word type is the mean of its contextual vectors over text of its language."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis import store
from analysis.alignment.method import AlignmentData, Say
from analysis.alignment.pairs import PairSettings, WordPairs, collect, parse_layers, wanted_languages
from analysis.encoders.encoder import Encoder
from analysis.errors import InputError, unknown
from analysis.jobs.job import Job
from analysis.neighbours.rows import has_direction
from analysis.records import fingerprint
from analysis.text.corpus import Sentence, digest
from analysis.text.dictionary import Dictionary
from analysis.text.languages import normalise_tag
from analysis.text.linked import type_of

CHUNK = 256  # sentences whose vectors are in memory at once
Entry = tuple[str, str]


@dataclass(frozen=True)
class TypeMeans:
    """Word types of one language with the mean of the vectors of their occurrences.

    Attributes:
        rows: the row of each type.
        vectors: (layers, types, dim) float32.
        counts: (types,) occurrences with a vector.
    """

    rows: Mapping[str, int]
    vectors: np.ndarray
    counts: np.ndarray


def word_pairs(
    encoder: Encoder, data: AlignmentData, settings: PairSettings, *, seed: int, say: Say, job: Job | None = None
) -> Iterator[tuple[str, WordPairs | None]]:
    """The word pairs of one language after the other: types paired by a dictionary, else linked words.

    Args:
        encoder: gives the vectors.
        data: with dictionaries, all text counts as monolingual text; without, sentence pairs are needed.
        settings: filters and the number of pairs.
        seed: decides which pairs are drawn where there are more than `max_pairs`.
        say: told which languages are left out.
        job: told how far the encoding is.

    Raises:
        InputError: a dictionary without text or without a word of it, or monolingual text without a dictionary.
    """
    if data.dictionaries:
        yield from _typed(encoder, data, settings, seed, say, job)
        return
    if data.monolingual:
        raise InputError("--monolingual is of use here only with a dictionary; add --dictionary FILE or leave it out")
    for tag in wanted_languages(data, settings.languages):
        yield tag, collect(encoder, data.bitexts, tag, settings, seed=seed)


def texts_by_language(data: AlignmentData) -> dict[str, list[Sentence]]:
    """All sentences of each language, of pairs and monolingual ones, repeated ones once."""
    found: dict[str, dict[Sentence, None]] = {}
    for bitext in data.bitexts:
        for language, side in zip(bitext.languages, (bitext.source, bitext.target), strict=True):
            found.setdefault(language, {}).update(dict.fromkeys(side))
    for language, sentences in data.monolingual.items():
        found.setdefault(language, {}).update(dict.fromkeys(sentences))
    return {language: list(sentences) for language, sentences in found.items()}


def type_means(
    encoder: Encoder, sentences: Sequence[Sentence], wanted: Iterable[str], layers: Sequence[int], *,
    job: Job | None = None,
) -> TypeMeans:  # fmt: skip
    """Average the contextual vectors of some word types over text, a few sentences at a time.

    Args:
        encoder: gives the vectors.
        sentences: in one language; those without a wanted word are not encoded.
        wanted: the types, as `type_of` writes them.
        layers: the layers wanted, ascending.
        job: told how many sentences are done.

    Returns:
        The types that occur with a vector; the sums are kept in the cache, the vectors of the words are not.

    Source: Kulshreshtha et al. 2020 (dictionary condition); Schuster et al. 2019, section 3 (anchors).
    """
    rows = {form: n for n, form in enumerate(sorted(set(wanted)))}
    used = [one for one in sentences if any(type_of(word) in rows for word in one.words)]
    key = {
        "kind": "type sums", "encoder": encoder.name, "revision": encoder.revision, "layers": list(layers),
        "text": digest(used), "types": fingerprint({"types": list(rows)}),
    }  # fmt: skip
    stored = store.get(key)
    if stored is None:
        stored = _sum_up(encoder, used, rows, layers, job)
        store.put(key, stored)
    counts = np.asarray(stored["counts"])
    there = np.flatnonzero(counts)
    names = list(rows)
    vectors = stored["sums"][:, there] / counts[there, None].astype(np.float32)
    return TypeMeans({names[n]: row for row, n in enumerate(there)}, vectors, counts[there])


def _typed(
    encoder: Encoder, data: AlignmentData, settings: PairSettings, seed: int, say: Say, job: Job | None
) -> Iterator[tuple[str, WordPairs | None]]:
    """The word pairs of each language that has a dictionary; the anchor's types are averaged once for all."""
    layers = parse_layers(encoder, settings.layers)
    texts = texts_by_language(data)
    lexicons = _lexicons(data, texts, settings)
    for tag in data.languages:
        if tag not in lexicons and settings.languages == "all":
            say(f"{tag}: no dictionary, no map")
    theirs = type_means(
        encoder, texts.get(data.anchor, []), {b for pairs in lexicons.values() for _, b in pairs}, layers, job=job
    )
    for language, entries in lexicons.items():
        own = type_means(encoder, texts[language], {a for a, _ in entries}, layers, job=job)
        pairs = np.array(
            [(own.rows[a], theirs.rows[b]) for a, b in entries if a in own.rows and b in theirs.rows], np.int64
        ).reshape(-1, 2)  # fmt: skip
        enough = (own.counts[pairs[:, 0]] >= settings.min_count) & (theirs.counts[pairs[:, 1]] >= settings.min_count)
        pairs = pairs[enough]
        if len(pairs) > settings.max_pairs:
            pairs = pairs[np.sort(np.random.default_rng(seed).choice(len(pairs), settings.max_pairs, replace=False))]
        if len(pairs) < 2:
            raise InputError(
                f"the dictionary has {len(pairs)} word pair of {language} whose words both occur in the text, too few "
                f"for a map; give more text, or a larger dictionary"
            )
        yield language, WordPairs(language, own.vectors[:, pairs[:, 0]], theirs.vectors[:, pairs[:, 1]])


def _lexicons(
    data: AlignmentData, texts: Mapping[str, Sequence[Sentence]], settings: PairSettings
) -> dict[str, list[Entry]]:
    """For each language the pairs of types (its own, the anchor's) that a dictionary has and the text as well.

    Raises:
        InputError: no text, a language without a dictionary, or a dictionary that covers no word.
    """
    given = [one.oriented(data.anchor) for one in data.dictionaries]
    languages = _chosen(given, settings.languages)
    if not any(texts.values()):
        raise InputError(
            f"a dictionary has words and no vectors; give text in {' and '.join([*languages, data.anchor])}, one "
            f"sentence a line: --monolingual FILE"
        )
    counts = {
        tag: Counter(type_of(word) for sentence in texts.get(tag, ()) for word in sentence.words)
        for tag in (*languages, data.anchor)
    }
    found: dict[str, dict[Entry, None]] = {}
    for one in given:
        tag = one.languages[0]
        if tag in languages:
            pairs = _covered(one, counts[tag], counts[data.anchor], settings)
            found.setdefault(tag, {}).update(dict.fromkeys(pairs))
            if not pairs:
                raise _uncovered(one, texts, settings.min_count)
    return {tag: list(pairs) for tag, pairs in found.items()}


def _chosen(given: Sequence[Dictionary], text: str) -> tuple[str, ...]:
    """The languages of a `languages` setting among those of the dictionaries.

    Raises:
        InputError: a language without a dictionary.
    """
    there = tuple(dict.fromkeys(one.languages[0] for one in given))
    if text == "all":
        return there
    wanted = tuple(normalise_tag(tag) for tag in text.replace(" ", ",").split(",") if tag)
    for tag in wanted:
        if tag not in there:
            raise unknown("language of the dictionaries", tag, there)
    return wanted


def _covered(one: Dictionary, own: Counter[str], theirs: Counter[str], settings: PairSettings) -> list[Entry]:
    """The entries whose words both occur often enough, as pairs of types."""
    pairs = dict.fromkeys((type_of(a), type_of(b)) for a, b in one.entries)
    return [
        (a, b) for a, b in pairs
        if min(own[a], theirs[b]) >= settings.min_count and not (settings.drop_identical and a == b)
    ]  # fmt: skip


def _uncovered(one: Dictionary, texts: Mapping[str, Sequence[Sentence]], min_count: int) -> InputError:
    """Why a dictionary is of no use for this text."""
    pair, there = one.languages, [tag for tag, sentences in texts.items() if sentences]
    times = f" {min_count} times or more" if min_count > 1 else ""
    if missing := [tag for tag in pair if tag not in there]:
        return InputError(
            f"dictionary {one.name} is {'-'.join(pair)}, and there is no text in {' and '.join(missing)} but in "
            f"{', '.join(there)}; add --monolingual FILE:{missing[0]}"
        )
    return InputError(
        f"dictionary {one.name} ({len(one):,} entries, {'-'.join(pair)}) covers no word pair of the text{times}, which "
        f"is in {', '.join(there)}; give text in {pair[0]} and {pair[1]} with --monolingual FILE, or another dictionary"
    )


def _sum_up(
    encoder: Encoder, sentences: Sequence[Sentence], rows: Mapping[str, int], layers: Sequence[int], job: Job | None
) -> dict[str, np.ndarray]:
    """Sums (layers, types, dim) and counts (types,) of the vectors of each type's occurrences."""
    sums = np.zeros((len(layers), len(rows), encoder.dim), np.float32)
    counts = np.zeros(len(rows), np.int64)
    for start in range(0, len(sentences), CHUNK):
        vectors = encoder.words(sentences[start : start + CHUNK], layers=layers, cache=False)
        kind = np.array([rows.get(type_of(word), -1) for word in vectors.units.text], np.int64)
        at = np.flatnonzero((kind >= 0) & has_direction(vectors.values[-1]))
        at = at[np.argsort(kind[at], kind="stable")]
        types, first, times = np.unique(kind[at], return_index=True, return_counts=True)
        if len(at):
            parts = np.add.reduceat(vectors.values[:, at], first, axis=1, dtype=np.float64)
            sums[:, types] += parts.astype(np.float32)
            counts[types] += times
        if job:
            job.progress(min(start + CHUNK, len(sentences)), len(sentences), "averaging word types over the text")
    return {"sums": sums, "counts": counts}
