"""What a run reads by name: sentence pairs, text without translations, dictionaries, and where they come from."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from analysis.alignment.run import Source
from analysis.errors import InputError
from analysis.registry import registered
from analysis.text.corpus import Bitext, Sentence
from analysis.text.dictionary import Dictionary, load_dictionary
from analysis.text.languages import normalise_tag, parse_langs
from analysis.text.load import corpus_bitexts, load_bitexts
from analysis.text.multiway import load_texts
from analysis.text.pairs import read_sentences
from analysis.text.problems import Problem, Problems
from analysis.text.uploads import load_upload


def training_problems(say: Callable[[str], None]) -> Problems:
    """Collects bad rows: each is a warning, but wrong word links end the reading, for they would be learned.

    Args:
        say: told each warning.
    """

    def told(problem: Problem) -> None:
        """Say or refuse one bad row."""
        if problem.kind == "links":
            what = problem.message.rpartition(";")[0]
            raise InputError(f"{problem.source}:{problem.line}: {what}; correct the links or take the row out")
        say(str(problem))

    return Problems(echo=told)


def read_pairs(
    data: Sequence[str], langs: str | None, links: Sequence[str], data_dir: str | None, problems: Problems,
    tags: Sequence[str] | None = None,
) -> list[Bitext]:  # fmt: skip
    """All sentence pairs of some data, the n-th with the n-th links file; of a corpus only languages in `tags`.

    Where there are other data too, a corpus need not have all of these languages.

    Raises:
        InputError: data that cannot be read.
    """
    pair = parse_langs(langs) if langs else None
    found: list[Bitext] = []
    for number, one in enumerate(data):
        if one.startswith("upload:"):
            found += corpus_bitexts(load_upload(one.removeprefix("upload:"))[0], pair)
            continue
        found += load_bitexts(
            one, langs=pair, links=links[number] if number < len(links) else None, data_dir=data_dir, problems=problems,
            languages=_those_of(one, tags) if len(data) > 1 else tags,
        )  # fmt: skip
    return found


def _those_of(data: str, tags: Sequence[str] | None) -> Sequence[str] | None:
    """Of some languages those that a corpus has, if they make a pair; else all, so that the refusal names them."""
    spec = registered("corpora").get(data.removeprefix("corpus:").partition(":")[0])
    if tags is None or spec is None:
        return tags
    there = [tag for tag in tags if tag in spec.languages]
    return there if len(there) > 1 else tags


def wanted_tags(settings: Any) -> list[str] | None:
    """The languages that a method's settings name with the anchor, None for all."""
    named = str(getattr(settings, "languages", "all"))
    if named == "all":
        return None
    tags = [getattr(settings, "anchor", "en"), *named.replace(" ", ",").split(",")]
    return list(dict.fromkeys(normalise_tag(tag) for tag in tags if tag))


def spoken(bitexts: Sequence[Bitext]) -> list[str]:
    """All languages of some pairs, in order of first appearance."""
    return list(dict.fromkeys(tag for bitext in bitexts for tag in bitext.languages))


def read_monolingual(
    names: Sequence[str], langs: str | None, data_dir: str | None, problems: Problems,
    tags: Sequence[str] | None = None,
) -> dict[str, tuple[Sentence, ...]]:  # fmt: skip
    """Sentences by language: of files, one a line, or of any data, whose sides are then taken one by one.

    Args:
        names: files, `FILE:LANG` where the language is not to be detected a line, or names that `--data` may have.
        langs: `A-B` of data that do not say.
        data_dir: folder of the public sets.
        problems: told each bad row.
        tags: of a corpus only these languages, None for all.

    Raises:
        InputError: no usable row.
    """
    found: dict[str, list[Sentence]] = {}
    known = [one for one in names if one.startswith(("set:", "corpus:", "upload:"))]
    files = [one for one in names if one not in known]
    sides: dict[str, dict[str, Sentence]] = {}
    if tags and len(set(tags)) == 1:  # no pair of languages is asked for
        for one in [name for name in known if name.startswith("corpus:")]:
            (text,) = load_texts(one, languages=tags[:1], problems=problems)
            sides.setdefault(text.language, {}).update({sentence.text: sentence for sentence in text.sentences})
            known.remove(one)
    for bitext in read_pairs(known, langs, (), data_dir, problems, tags):
        for tag, side in zip(bitext.languages, (bitext.source, bitext.target), strict=True):
            sides.setdefault(tag, {}).update({one.text: one for one in side})
    found |= {tag: list(mine.values()) for tag, mine in sides.items()}
    for file in files:
        path, language = file_language(file)
        for sentence in read_sentences(path, language=language, pretokenized=False, problems=problems):
            if sentence is not None:
                found.setdefault(sentence.language, []).append(sentence)
    if files and not found:
        raise InputError(f"{', '.join(files)}: no usable row; give UTF-8 text with one sentence a line")
    return {language: tuple(sentences) for language, sentences in found.items()}


def file_language(name: str) -> tuple[str, str | None]:
    """`FILE:LANG` as both, any other name as a file whose language nobody says."""
    path, colon, tag = name.rpartition(":")
    if not colon or not path or Path(name).exists():
        return name, None
    try:
        return path, normalise_tag(tag)
    except InputError as error:
        if Path(path).exists():
            raise InputError(f"{name}: {error}") from error
        return name, None


def read_dictionaries(
    names: Sequence[str], langs: str | None, data_dir: str | None, problems: Problems
) -> tuple[Dictionary, ...]:
    """Word translations by name; see `analysis.text.dictionary.load_dictionary`.

    Raises:
        InputError: no usable line.
    """
    return tuple(load_dictionary(one, langs=langs, data_dir=data_dir, problems=problems) for one in names)


def source_of(data: str) -> Source:
    """Origin and licence of registered text; a public set or a file is named only."""
    known = registered("corpora").get(data.removeprefix("corpus:").partition(":")[0])
    if known and data.startswith("corpus:"):
        return Source(data, known.source, known.licence)
    if data.startswith("set:"):
        name = data.split(":")[1]
        return Source(data, *SETS.get(name, (f"public set {name}", "")))
    return Source(Path(data).name, "given as a file")


# Where the public sets that text may be trained on come from, and their licences, as their folders state them.
SETS = {
    "tatoeba": ("sentences of Tatoeba (tatoeba.org), selected by Artetxe and Schwenk 2019 (LASER)", "CC-BY-2.0-FR"),
    "sib200": ("SIB-200, sentences of FLORES", "CC-BY-SA-4.0"),
    "xnli": ("XNLI", "CC-BY-NC-4.0"),
    "lafand_en_sw": ("LAFAND-MT", "CC-BY-NC-4.0"),
    "wordalign_xlwa": ("XL-WA", "CC-BY-NC-SA-4.0"),
    "xquad": ("XQuAD", "CC-BY-SA-4.0"),
    "stsb_multi": ("STS benchmark, machine-translated", "CC-BY-SA-4.0"),
}
