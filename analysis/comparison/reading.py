"""From the data of a request to materials: each file or set is read once, one bad language does not cost the others."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

import numpy as np

from analysis.comparison.request import Request
from analysis.errors import InputError, IsoglossError, unknown
from analysis.scoring.materials import languages_of, load_materials
from analysis.scoring.measure import Material, Measure, Need, fits
from analysis.text.corpus import Bitext
from analysis.text.languages import normalise_tag, parse_langs
from analysis.text.load import corpus_bitexts
from analysis.text.multitext import Multitext, Text
from analysis.text.problems import Problem, Problems
from analysis.text.uploads import load_upload

UPLOAD = "upload:"


@dataclass(frozen=True)
class Read:
    """What one data holds for one need.

    Attributes:
        materials: what there is.
        notes: for each of them what was sampled, or "".
        reasons: what could not be read, one line each.
        misfits: why other materials do not fit the measure.
    """

    materials: tuple[Material, ...] = ()
    notes: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    misfits: tuple[str, ...] = ()


@dataclass
class Library:
    """Reads the data of a request, each once for each way of reading.

    Attributes:
        request: says which data, languages and links, and how many rows at most.
        problems: takes a note of bad rows, each once.
    """

    request: Request
    problems: Problems = field(default_factory=Problems)
    _shelf: dict[tuple[int, Need], Read] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)

    def read(self, measure: Measure, number: int) -> Read:
        """What the n-th data hold for a measure; what does not fit it has a reason instead.

        Args:
            measure: decides how the data are read.
            number: of the data in the request.
        """
        # Parallel text with and without links is read the same way.
        need = Need.PAIRS if measure.needs is Need.LINKS else measure.needs
        if (number, need) not in self._shelf:
            self._shelf[number, need] = self._read(replace(measure, needs=need), number)
        found = self._shelf[number, need]
        misfits = [fits(measure, one) for one in found.materials]
        usable = [n for n, reason in enumerate(misfits) if not reason]
        return Read(
            tuple(found.materials[n] for n in usable), tuple(found.notes[n] for n in usable), found.reasons,
            tuple(dict.fromkeys(filter(None, misfits))),
        )  # fmt: skip

    def _read(self, measure: Measure, number: int) -> Read:
        """All materials of a need, sampled; languages one by one where they cannot be had together."""
        tags = None if self.request.languages is None else [normalise_tag(tag) for tag in self.request.languages]
        reasons: tuple[str, ...] = ()
        try:
            found = self._load(measure, number, tags)
            there = {tag for one in found for tag in languages_of(one)}
            whose = f"language of {self.request.data[number]}"
            reasons = tuple(str(unknown(whose, tag, there)) for tag in tags or () if tag not in there)
        except IsoglossError as error:
            if tags is None or len(tags) < 2:
                return Read(reasons=(str(error),))
            found, reasons = self._one_by_one(measure, number, tags)
        limit, seed = self.request.max_rows, self.request.seed
        drawn = tuple(sample(one, limit, seed) for one in found)
        notes = tuple(
            f"a sample of {len(one):,} of {len(whole):,} rows, seed {seed}" if len(one) < len(whole) else ""
            for one, whole in zip(drawn, found, strict=True)
        )
        return Read(drawn, notes, reasons)

    def _one_by_one(self, measure: Measure, number: int, tags: list[str]) -> tuple[list[Material], tuple[str, ...]]:
        """What can be had in those languages that can be had."""
        anchor = "en" if "en" in tags else tags[0]
        found: list[Material] = []
        reasons: list[str] = []
        good = [anchor]
        for tag in tags:
            alone = measure.needs is Need.TEXT
            if tag == anchor and not alone:
                continue
            try:
                found += self._load(measure, number, [tag] if alone else [anchor, tag])
                good.append(tag)
            except IsoglossError as error:
                reasons.append(str(error))
        if measure.needs is Need.MANY and len(good) > 1:
            found = self._load(measure, number, good)
        return found, tuple(dict.fromkeys(reasons))

    def _load(self, measure: Measure, number: int, tags: list[str] | None) -> list[Material]:
        """The materials of some languages.

        Raises:
            InputError: no such data, or a language they do not have.
        """
        request, data = self.request, self.request.data[number]
        pair = parse_langs(request.langs) if request.langs else None
        if data.startswith(UPLOAD):
            found = _upload(measure, data, pair or tags)
        else:
            found = load_materials(
                measure, data, langs=pair, links=request.links[number] if number < len(request.links) else None,
                one_based=request.one_based, data_dir=request.data_dir, problems=Problems(echo=self._tell),
                languages=tags,
            )  # fmt: skip
        kept = [one for one in found if tags is None or pair is not None or set(languages_of(one)) <= set(tags)]
        if not kept:
            raise InputError(f"{data} has nothing in {', '.join(tags or ())}; choose other languages")
        return kept

    def _tell(self, problem: Problem) -> None:
        """Pass a bad row on, once."""
        if str(problem) not in self._told:
            self._told.add(str(problem))
            self.problems.add(problem.source, problem.line, problem.message, problem.kind)


def _upload(measure: Measure, data: str, tags: Sequence[str] | None) -> list[Material]:
    """The materials in an uploaded file.

    Raises:
        InputError: no such upload, languages it does not have, or judged pairs, which only sets have.
    """
    corpus = load_upload(data.removeprefix(UPLOAD))[0]
    wanted = tuple(tags or corpus.languages)
    for tag in wanted:
        corpus.require(tag)
    if measure.needs is Need.TEXT:
        return [Text(data, tag, corpus.sentences(tag)) for tag in wanted]
    if measure.needs is Need.MANY:
        whole = [row for row in corpus.rows if all(tag in row for tag in wanted)]
        return [Multitext(data, {tag: tuple(row[tag] for row in whole) for tag in wanted})]
    if measure.needs is not Need.PAIRS:
        raise InputError(f"{data} holds no {measure.needs}")
    pairs = corpus_bitexts(corpus, (wanted[0], wanted[1]) if len(wanted) == 2 else None)
    return [replace(pair, name=data) for pair in pairs]


def sample(material: Material, limit: int | None, seed: int) -> Material:
    """At most so many rows, drawn at random and kept in order; materials of one length lose the same rows.

    Args:
        material: returned as it is where it has no more rows.
        limit: rows to keep; None for all.
        seed: of the draw.
    """
    if limit is None or len(material) <= limit:
        return material
    kept = np.sort(np.random.default_rng(seed).choice(len(material), limit, replace=False)).tolist()
    if isinstance(material, Bitext):
        return material.take(kept)
    if isinstance(material, Multitext):
        return replace(
            material, sentences={tag: tuple(side[n] for n in kept) for tag, side in material.sentences.items()}
        )
    return replace(material, sentences=tuple(material.sentences[n] for n in kept))


def marks_of(material: Material) -> str:
    """Hash of what people noted on words (part of speech, sense, concept), which a digest of the text leaves out."""
    if isinstance(material, Bitext):
        sides = [material.source, material.target]
    else:
        sides = list(material.sentences.values()) if isinstance(material, Multitext) else [material.sentences]
    marks = [(one.tags, one.senses, one.concepts) for side in sides for one in side]
    return sha256(repr(marks).encode("utf-8", "replace")).hexdigest() if any(map(any, marks)) else ""
