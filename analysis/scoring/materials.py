"""From what a user names as data to what a measure can be computed on: pairs, judged pairs, many languages, one text."""

from collections.abc import Sequence
from pathlib import Path

from analysis.errors import InputError
from analysis.scoring.measure import RELATIONS, Material, Measure, Need, fits
from analysis.text.judged import load_judged
from analysis.text.load import load_bitexts
from analysis.text.multitext import Multitext
from analysis.text.multiway import load_multitext, load_texts
from analysis.text.problems import Problems


def load_materials(
    measure: Measure, data: str, *, langs: tuple[str, str] | None = None, links: str | Path | None = None,
    one_based: bool = False, data_dir: str | Path | None = None, problems: Problems | None = None,
    languages: Sequence[str] | None = None,
) -> list[Material]:  # fmt: skip
    """What one `--data` holds for a measure.

    Args:
        measure: its `needs` decide how the data are read: `set:xquad:en-de:test` is questions with paragraphs for
            one measure and parallel questions for another.
        data: `corpus:NAME`, `set:NAME:LANGS:SPLIT` or a file.
        langs: the pair wanted, where the data have several.
        links: a Pharaoh file with a line a pair.
        one_based: whether links count words from 1.
        data_dir: the folder of the public sets.
        problems: takes a note of bad rows.
        languages: of a corpus, the languages wanted where no pair is named.

    Returns:
        At least one item, in the order of the data: bitexts, one `Multitext`, or a `Text` for each language.

    Raises:
        InputError: no such data, or nothing in them that fits the measure.
    """
    need = measure.needs
    wanted = langs or languages
    found: list[Material]
    if need is Need.MANY:
        found = [load_multitext(data, languages=wanted, data_dir=data_dir, problems=problems)]
    elif need is Need.TEXT:
        found = list(load_texts(data, languages=wanted, data_dir=data_dir, problems=problems))
    elif need in (Need.PAIRS, Need.LINKS):
        found = list(load_bitexts(
            data, langs=langs, links=links, one_based=one_based, data_dir=data_dir, problems=problems,
            languages=languages,
        ))  # fmt: skip
    else:
        found = list(load_judged(data, RELATIONS[need], langs=langs, data_dir=data_dir, problems=problems))
    reasons = [fits(measure, material) for material in found]
    if all(reasons):
        raise InputError(f"{measure.name} does not fit {data}: {reasons[0].removeprefix(found[0].name).strip()}")
    return [material for material, reason in zip(found, reasons, strict=True) if not reason]


def languages_of(material: Material) -> tuple[str, ...]:
    """The languages of a material: two of a bitext, all of a multi-way text, one of a text."""
    if isinstance(material, Multitext):
        return material.languages
    return getattr(material, "languages", None) or (material.language,)  # type: ignore[union-attr]


def label(material: Material) -> str:
    """The material's name with its languages, as tables show it."""
    tags = languages_of(material)
    return f"{material.name} {'-'.join(tags) if len(tags) <= 2 else f'{len(tags)} languages'}"
