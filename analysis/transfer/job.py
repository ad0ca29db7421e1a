"""Transfer as a job: what is to be done as plain data, and the work function that does it in its own process."""

import json
import shutil
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from analysis.alignment.job import absolute_encoder, data_name
from analysis.alignment.method import WHERE, Uses
from analysis.alignment.reading import read_dictionaries, read_monolingual, read_pairs
from analysis.encoders.load import load_encoder
from analysis.errors import InputError
from analysis.jobs.job import Job
from analysis.registry import find
from analysis.settings import fields, parse_settings
from analysis.store import write_text
from analysis.text.languages import parse_langs
from analysis.text.problems import Problems
from analysis.transfer.folder import claim_transfer_folder
from analysis.transfer.maps import check_trainable
from analysis.transfer.reading import check_labelled, read_all
from analysis.transfer.regime import Extras, Regime, check_kind
from analysis.transfer.run import transfer

ENTRY = "analysis.transfer.job:run"
KIND = "transfer"
FINISHED = "finished.json"


def make_spec(
    regime: str, task: str, encoder: str, *, train: Sequence[str], test: Sequence[str], out: str | Path,
    data: Sequence[str] = (), langs: str | None = None, dictionary: Sequence[str | Path] = (),
    monolingual: Sequence[str | Path] = (), alignment: Sequence[str] = (), mixed: bool = False, seed: int = 0,
    settings: Sequence[str] = (), data_dir: str | Path | None = None, command: str = "",
) -> dict[str, Any]:  # fmt: skip
    """What is to be learned and scored, as plain data, after the checks that cost nothing.

    Args:
        regime: registered name.
        task: registered name.
        encoder: name of the encoder, base or aligned.
        train: labelled data of one language; the task's own where none are given.
        test: labelled data of any languages; likewise.
        out: folder of the result.
        data: sentence pairs, as for `align`.
        langs: `A-B`, the languages of files of pairs that do not say.
        dictionary: word translations, as for `align`.
        monolingual: sentences without labels, as for `align`.
        alignment: sentence pairs with links on which word retrieval is measured before and after.
        mixed: whether pairs whose texts are in two languages are scored as well.
        seed: of everything random.
        settings: `key=value` settings of the regime.
        data_dir: folder of the public sets.
        command: for the record.

    Raises:
        InputError: an unknown name or setting, data that the regime does not use or lacks, or a folder that is taken.
    """
    how, what = find("regimes", regime), find("tasks", task)
    check_kind(how, what)
    check_data(how, {Uses.DATA: data, Uses.DICTIONARY: dictionary, Uses.MONOLINGUAL: monolingual})
    chosen = parse_settings(how.settings, settings)
    train, test = list(train) or [what.train] * bool(what.train), list(test) or [what.test] * bool(what.test)
    for name, given in (("--train", train), ("--test", test)):
        if not given:
            raise InputError(f"task {task} has no data of its own; give {name} FILE[:LANG]")
    if langs:
        parse_langs(langs)
    for name in (*train, *test):
        check_labelled(name, what, data_dir=data_dir)
    check_trainable(encoder, how.strategy(chosen).trains_encoder)
    claim_transfer_folder(
        Path(out).expanduser().absolute(), task=task, regime=regime, encoder=absolute_encoder(encoder), seed=seed
    )
    return {
        "regime": regime, "task": task, "encoder": absolute_encoder(encoder),
        "train": [_labelled(one) for one in train], "test": [_labelled(one) for one in test],
        "data": [data_name(one) for one in data], "langs": langs, "dictionary": [data_name(str(one)) for one in dictionary],
        "monolingual": [data_name(str(one)) for one in monolingual],
        "alignment": [data_name(one) for one in alignment], "mixed": mixed,
        "out": str(Path(out).expanduser().absolute()), "seed": seed, "settings": _settings(how, settings),
        "data_dir": str(Path(data_dir).absolute()) if data_dir else None, "command": command,
    }  # fmt: skip


def _settings(regime: Regime, given: Sequence[str]) -> list[str]:
    """The settings, encoders named so that they hold in every working folder."""
    named = {field.name for field in fields(regime.settings) if field.setting.encoder}
    pairs = [one.partition("=") for one in given]
    return [f"{key}={absolute_encoder(value) if key in named and value else value}" for key, _, value in pairs]


def check_data(regime: Regime, given: Mapping[Uses, Any]) -> None:
    """Refuse data that a regime does not use, and name what it lacks.

    Raises:
        InputError: either of the two.
    """
    for kind, value in given.items():
        if value and kind not in regime.uses:
            usable = ", ".join(f"--{use}" for use in sorted(regime.uses)) or "labelled items only"
            raise InputError(f"regime {regime.name} does not use --{kind}; it uses {usable}")
    wanted = [f"--{kind} ({WHERE[kind]})" for kind in sorted(regime.needs)]
    if wanted and not any(given.get(kind) for kind in regime.needs):
        raise InputError(f"regime {regime.name} needs {' or '.join(wanted)}")
    missing = [f"--{kind} ({WHERE[kind]})" for kind in sorted(regime.needs_all) if not given.get(kind)]
    if missing:
        raise InputError(f"regime {regime.name} needs {' and '.join(missing)}")


def title(spec: Mapping[str, Any]) -> str:
    """What a list of runs calls it."""
    return f"{spec['task']} by {spec['regime']} on {spec['encoder']} > {Path(spec['out']).name}"


def run(spec: Mapping[str, Any], job: Job) -> dict[str, Any]:
    """Learn and score as a spec says, in the process of a run.

    Args:
        spec: from `make_spec`.
        job: the run.

    Returns:
        The folder and the summary of the scores.

    Raises:
        InputError: anything that does not fit, before the first step.
        IsoglossError: the loss is not finite.
    """
    if (job.folder / FINISHED).exists():
        _slim(job)
        return dict(json.loads((job.folder / FINISHED).read_text("utf-8")))
    warnings.filterwarnings("default", category=UserWarning, module="analysis")
    warnings.showwarning = lambda message, *_args, **_options: job.say(f"warning: {message}")
    regime, task = find("regimes", spec["regime"]), find("tasks", spec["task"])
    settings = parse_settings(regime.settings, spec["settings"])
    encoder, out = load_encoder(spec["encoder"]), Path(spec["out"])
    claim_transfer_folder(out, task=task.name, regime=regime.name, encoder=encoder.name, seed=spec["seed"])
    problems = Problems(echo=lambda problem: job.say(str(problem)))
    folder = spec["data_dir"]
    train, failed = read_all(spec["train"], task, data_dir=folder, problems=problems)
    if failed:
        raise InputError(failed[0])
    if len(train) != 1:
        named = ", ".join(one.language for one in train)
        raise InputError(
            f"--train has {len(train)} languages ({named}); give labelled data of one, such as {task.train}"
        )
    tests, failed = read_all(spec["test"], task, data_dir=folder, problems=problems)
    for line in failed:
        job.say(f"warning: {line}")
    if not tests:
        raise InputError(failed[0] if failed else "no test data")
    extras = Extras(
        tuple(read_pairs(spec["data"], spec["langs"], (), folder, problems)),
        read_dictionaries(spec["dictionary"], spec["langs"], folder, problems),
        read_monolingual(spec["monolingual"], spec["langs"], folder, problems),
    )  # fmt: skip
    alignment = read_pairs(spec["alignment"], spec["langs"], (), folder, problems)
    for bitext in alignment:
        if bitext.links is None:
            raise InputError(
                f"--alignment {bitext.name} has no word links; give for example set:wordalign_xlwa:all:dev"
            )
    found = transfer(
        encoder, task, regime, settings, train[0], tests, out=out, job=job, extras=extras, alignment=alignment,
        mixed=spec["mixed"], seed=spec["seed"], command=spec["command"], failed=failed, problems=problems,
    )  # fmt: skip
    result = {"folder": str(out), **{name: found[name] for name in ("source", "mean_others", "gap")}}
    write_text(job.folder / FINISHED, json.dumps(result))
    _slim(job)
    return result


def _slim(job: Job) -> None:
    """Drop what only an unfinished run needs; the curves stay."""
    for name in ("checkpoints", "kept"):
        shutil.rmtree(job.folder / name, ignore_errors=True)


def _labelled(name: str) -> str:
    """The name of labelled data as it holds in every working folder."""
    if name.startswith(("set:", "corpus:")) or name == "-":
        return name
    if name.startswith("datasets:"):
        from analysis.transfer.readers.hub import absolute_hub

        return absolute_hub(name)
    return str(Path(name).expanduser().absolute())
