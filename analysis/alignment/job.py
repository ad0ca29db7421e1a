"""Aligning as a job: what is to be done as plain data, and the work function that does it in its own process."""

import json
import shutil
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from analysis.alignment.method import Uses, check_needs
from analysis.alignment.run import Source, align, claim_encoder_folder
from analysis.encoders.load import load_encoder
from analysis.encoders.names import resolve
from analysis.errors import InputError
from analysis.jobs.job import Job
from analysis.registry import find, registered
from analysis.settings import parse_settings
from analysis.store import write_text
from analysis.text.corpus import Bitext, Sentence
from analysis.text.dictionary import Dictionary, load_dictionary
from analysis.text.languages import normalise_tag, parse_langs
from analysis.text.load import corpus_bitexts, load_bitexts
from analysis.text.pairs import read_sentences
from analysis.text.problems import Problem, Problems
from analysis.text.uploads import load_upload
from analysis.training.links import CHOSEN

ENTRY = "analysis.alignment.job:run"
KIND = "align"
FINISHED = "finished.json"  # the encoder is written, only tidying up is left


def make_spec(
    method: str, encoder: str, *, data: Sequence[str], out: str | Path, langs: str | None = None,
    links: Sequence[str | Path] = (), dictionary: Sequence[str | Path] = (), monolingual: Sequence[str | Path] = (),
    dev: Sequence[str] = (), seed: int = 0, settings: Sequence[str] = (), data_dir: str | Path | None = None,
    command: str = "",
) -> dict[str, Any]:  # fmt: skip
    """What is to be aligned, as plain data, after the checks that cost nothing.

    Args:
        method: registered name.
        encoder: name of the base.
        data: `corpus:NAME`, `set:NAME:LANGS:SPLIT`, `upload:ID` or a file, for each part of the training pairs.
        out: folder of the new encoder.
        langs: `A-B`, the languages of files that do not say.
        links: Pharaoh files; the n-th belongs to the n-th data.
        dictionary: files of word translations, `set:bli_xling:A-B:train`, or `links:DATA`.
        monolingual: files of one sentence a line, or any name that `data` may have.
        dev: development pairs, as `data`.
        seed: of everything random.
        settings: `key=value` settings of the method.
        data_dir: folder of the public sets.
        command: for the model card.

    Raises:
        InputError: an unknown method, setting or encoder, data the method does not use, or a folder that is taken.
    """
    spec = find("methods", method)
    given = {Uses.DATA: data, Uses.LINKS: links, Uses.DICTIONARY: dictionary, Uses.MONOLINGUAL: monolingual,
             Uses.DEV: dev}  # fmt: skip
    check_needs(spec, given)
    chosen = parse_settings(spec.settings, settings)
    if getattr(chosen, "link_decoder", CHOSEN) != CHOSEN:
        find("decoders", chosen.link_decoder)
    if len(links) > len(data):
        raise InputError(f"{len(links)} --links for {len(data)} --data; the n-th --links belongs to the n-th --data")
    if langs:
        parse_langs(langs)
    resolve(encoder)
    files = lambda paths: [str(Path(path).expanduser().absolute()) for path in paths]  # noqa: E731
    return {
        "method": method, "encoder": _absolute(encoder), "data": [_data_name(one) for one in data], "langs": langs,
        "links": files(links), "dictionary": [_data_name(str(one)) for one in dictionary],
        "monolingual": [_data_name(str(one)) for one in monolingual],
        "dev": [_data_name(one) for one in dev], "out": str(Path(out).expanduser().absolute()), "seed": seed,
        "settings": list(settings), "data_dir": str(Path(data_dir).absolute()) if data_dir else None,
        "command": command,
    }  # fmt: skip


def title(spec: Mapping[str, Any]) -> str:
    """What a list of runs calls it."""
    return f"{spec['method']} on {spec['encoder']} > {Path(spec['out']).name}"


def run(spec: Mapping[str, Any], job: Job) -> dict[str, Any]:
    """Align as a spec says, in the process of a run.

    Args:
        spec: from `make_spec`.
        job: the run.

    Returns:
        The new encoder's name and folder.

    Raises:
        InputError: anything that does not fit, before the first step.
        IsoglossError: the loss is not finite.
    """
    if (job.folder / FINISHED).exists():
        _slim(job)
        return dict(json.loads((job.folder / FINISHED).read_text("utf-8")))
    warnings.filterwarnings("default", category=UserWarning, module="analysis")
    warnings.showwarning = lambda message, *_args, **_options: job.say(f"warning: {message}")
    method = find("methods", spec["method"])
    settings = parse_settings(method.settings, spec["settings"])
    encoder, out = load_encoder(spec["encoder"]), Path(spec["out"])
    claim_encoder_folder(out, encoder, method.name)
    problems = training_problems(job.say)
    tags = wanted_tags(settings)
    bitexts = read_pairs(spec["data"], spec["langs"], spec["links"], spec["data_dir"], problems, tags)
    named = [one for one in spec["dev"] if one.startswith(("set:", "corpus:"))]
    files = [one for one in spec["dev"] if one not in named]
    dev = read_pairs(named, None, (), spec["data_dir"], problems, tags or _spoken(bitexts))
    dev += read_pairs(files, spec["langs"], (), spec["data_dir"], problems)
    align(
        method, encoder, bitexts, out=out, settings=settings, seed=spec["seed"],
        monolingual=read_monolingual(spec["monolingual"], spec["langs"], spec["data_dir"], problems, tags), dev=dev,
        dictionaries=read_dictionaries(spec["dictionary"], spec["langs"], spec["data_dir"], problems),
        sources=[_source(one) for one in [*spec["data"], *spec["monolingual"], *spec["dictionary"]]],
        command=spec["command"], say=job.say, job=job,
    )  # fmt: skip
    result = {"folder": str(out), "encoder": _name(out, encoder.name)}
    # Killed while it tidies up, the run is taken up again without what is gone already.
    write_text(job.folder / FINISHED, json.dumps(result))
    _slim(job)
    return result


def _slim(job: Job) -> None:
    """Drop what only an unfinished run needs; the curves stay."""
    shutil.rmtree(job.folder / "checkpoints", ignore_errors=True)
    for pattern in ("frozen-*", "links-*.npz", "*.safetensors*"):
        for path in job.folder.glob(pattern):
            path.unlink(missing_ok=True)


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
            languages=tags,
        )  # fmt: skip
    return found


def wanted_tags(settings: Any) -> list[str] | None:
    """The languages that a method's settings name with the anchor, None for all."""
    named = str(getattr(settings, "languages", "all"))
    if named == "all":
        return None
    tags = [getattr(settings, "anchor", "en"), *named.replace(" ", ",").split(",")]
    return list(dict.fromkeys(normalise_tag(tag) for tag in tags if tag))


def _spoken(bitexts: Sequence[Bitext]) -> list[str]:
    """All languages of some pairs."""
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
    for bitext in read_pairs(known, langs, (), data_dir, problems, tags):
        for tag, side in zip(bitext.languages, (bitext.source, bitext.target), strict=True):
            sides.setdefault(tag, {}).update({one.text: one for one in side})
    found |= {tag: list(mine.values()) for tag, mine in sides.items()}
    for file in files:
        path, language = _file_language(file)
        for sentence in read_sentences(path, language=language, pretokenized=False, problems=problems):
            if sentence is not None:
                found.setdefault(sentence.language, []).append(sentence)
    if files and not found:
        raise InputError(f"{', '.join(files)}: no usable row; give UTF-8 text with one sentence a line")
    return {language: tuple(sentences) for language, sentences in found.items()}


def _file_language(name: str) -> tuple[str, str | None]:
    """`FILE:LANG` as both, any other name as a file whose language nobody says."""
    path, colon, tag = name.rpartition(":")
    try:
        return (path, normalise_tag(tag)) if colon and path and not Path(name).exists() else (name, None)
    except InputError:
        return name, None


def read_dictionaries(
    names: Sequence[str], langs: str | None, data_dir: str | None, problems: Problems
) -> tuple[Dictionary, ...]:
    """Word translations by name; see `analysis.text.dictionary.load_dictionary`.

    Raises:
        InputError: no usable line.
    """
    return tuple(load_dictionary(one, langs=langs, data_dir=data_dir, problems=problems) for one in names)


def _source(data: str) -> Source:
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


def _data_name(data: str) -> str:
    """A name as it holds in every working folder."""
    if data.startswith(("set:", "corpus:", "upload:", "links:")) or data == "-":
        return data
    return str(Path(data).expanduser().absolute())


def _absolute(encoder: str) -> str:
    """An encoder's name as it holds in every working folder."""
    path = Path(encoder).expanduser()
    return str(path.absolute()) if resolve(encoder).folder is not None and path.exists() else encoder


def _name(out: Path, base: str) -> str:
    """`BASE+NAME` of a folder among the trained encoders, else its path."""
    from analysis.encoders.names import encoder_roots

    return f"{base}+{out.name}" if out.parent in encoder_roots() else str(out)
