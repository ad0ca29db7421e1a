"""Aligning as a job: what is to be done as plain data, and the work function that does it in its own process."""

import json
import shutil
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from analysis.alignment.method import Uses, check_needs
from analysis.alignment.reading import (
    read_dictionaries,
    read_monolingual,
    read_pairs,
    source_of,
    spoken,
    training_problems,
    wanted_tags,
)
from analysis.alignment.run import align, claim_encoder_folder
from analysis.encoders.load import load_encoder
from analysis.encoders.names import resolve
from analysis.errors import InputError
from analysis.jobs.job import Job
from analysis.registry import find
from analysis.settings import parse_settings
from analysis.store import write_text
from analysis.text.languages import parse_langs
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
        "method": method, "encoder": absolute_encoder(encoder), "data": [data_name(one) for one in data], "langs": langs,
        "links": files(links), "dictionary": [data_name(str(one)) for one in dictionary],
        "monolingual": [data_name(str(one)) for one in monolingual],
        "dev": [data_name(one) for one in dev], "out": str(Path(out).expanduser().absolute()), "seed": seed,
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
    monolingual = read_monolingual(spec["monolingual"], spec["langs"], spec["data_dir"], problems, tags)
    there = list(dict.fromkeys([*spoken(bitexts), *monolingual]))
    dev = read_pairs(named, None, (), spec["data_dir"], problems, tags or (there if len(there) > 1 else None))
    dev += read_pairs(files, spec["langs"], (), spec["data_dir"], problems)
    align(
        method, encoder, bitexts, out=out, settings=settings, seed=spec["seed"],
        monolingual=monolingual, dev=dev,
        dictionaries=read_dictionaries(spec["dictionary"], spec["langs"], spec["data_dir"], problems),
        sources=[source_of(one) for one in [*spec["data"], *spec["monolingual"], *spec["dictionary"]]],
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


def data_name(data: str) -> str:
    """A name as it holds in every working folder."""
    if data.startswith(("set:", "corpus:", "upload:", "links:")) or data == "-":
        return data
    return str(Path(data).expanduser().absolute())


def absolute_encoder(encoder: str) -> str:
    """An encoder's name as it holds in every working folder."""
    path = Path(encoder).expanduser()
    return str(path.absolute()) if resolve(encoder).folder is not None and path.exists() else encoder


def _name(out: Path, base: str) -> str:
    """`BASE+NAME` of a folder among the trained encoders, else its path."""
    from analysis.encoders.names import encoder_roots

    return f"{base}+{out.name}" if out.parent in encoder_roots() else str(out)
