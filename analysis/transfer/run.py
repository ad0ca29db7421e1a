"""Learn a task, score every language, and write the folder that keeps it all."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from analysis.encoders.encoder import Encoder
from analysis.encoders.names import CARD
from analysis.errors import InputError
from analysis.jobs.job import Job
from analysis.records import versions
from analysis.store import write_text
from analysis.text.corpus import Bitext, digest
from analysis.text.problems import Problems
from analysis.transfer.fit import fine_tune, resolved
from analysis.transfer.folder import RESULT, write_folder
from analysis.transfer.item import Dataset, Item, Kind, Tree
from analysis.transfer.mixed import mixed_pairs
from analysis.transfer.network import TaskNetwork
from analysis.transfer.regime import Extras, Regime
from analysis.transfer.scores import Estimate, Scored, Summary, sampled, score_language, summarise
from analysis.transfer.task import Task


def transfer(
    encoder: Encoder, task: Task, regime: Regime, settings: Any, train: Dataset, tests: Sequence[Dataset], *,
    out: Path, job: Job, extras: Extras | None = None, alignment: Sequence[Bitext] = (), mixed: bool = False,
    seed: int = 0, command: str = "", failed: Sequence[str] = (), problems: Problems | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Learn a task in one language and score it in all.

    Args:
        encoder: base or aligned.
        task: what is learned.
        regime: how.
        settings: of the regime.
        train: labelled items of the source language.
        tests: labelled items of any languages.
        out: gets the encoder as it is afterwards (an encoder name from then on), the head, scores and predictions.
        job: keeps progress and checkpoints.
        extras: what the regime uses beside the items.
        alignment: sentence pairs with links on which word retrieval is measured before and after.
        mixed: whether pairs whose texts are in two languages are scored as well.
        seed: of everything random.
        command: for the record.
        failed: test data that could not be read, a line each.
        problems: told labels that training never saw.

    Returns:
        The object of `--json`: `items`, one a language, with `lang`, `metric`, `score`, `low`, `high` and `n`; `source`,
        `mean_others` and `gap`; and what made it.

    Raises:
        InputError: anything that does not fit.
        IsoglossError: the loss is not finite.
    """
    settings = resolved(settings, task)
    problems = Problems() if problems is None else problems
    train = sampled_train(train, settings.max_items, seed)
    tests = [sampled(one, settings.test_items) for one in tests]
    if mixed:
        if task.kind is not Kind.PAIR:
            raise InputError(
                f"--mixed needs a task of sentence pairs, which {task.name} is not; valid: nli, paraphrase"
            )
        more = mixed_pairs(tests, train.language, problems)
        if not more:
            job.say(
                f"warning: no pairs in two languages: the tests lack {train.language}, or share no item's id with it"
            )
        tests = [*tests, *more]
    _unseen(train, tests, task, problems)
    _overlap(train, tests, job)
    clock = [time.process_time()]
    network, steps = fine_tune(encoder, task, train, regime, settings, extras=extras, seed=seed, job=job)
    clock.append(time.process_time())
    cut = _cut(network, [train, *tests], job)
    scored, predictions, lost = _score(network, task, tests, job)
    clock.append(time.process_time())
    summary = summarise(scored, task.metric, train.language)
    record = {
        "format": 1, "task": task.name, "regime": regime.name, "encoder": encoder.name, "revision": encoder.revision,
        "source_lang": train.language, "metric": task.metric.name, **_shown(summary, scored, task, cut),
        "failed": [*failed, *lost], "train": {"data": train.name, "n": len(train), "sha256": train.digest},
        "test": [{"data": one.name, "lang": one.language, "n": len(one), "sha256": one.digest} for one in tests],
        "extras": _extras(extras), "steps": steps, "seed": seed, "settings": asdict(settings), "seconds": round(job.seconds(), 1),
        # Of the processor, in the process that ended the run.
        "cpu_seconds": {"training": round(clock[1] - clock[0], 1), "scoring": round(clock[2] - clock[1], 1)},
        "precision": network.trainee.precision, "versions": versions(), "command": command,
        "made": date.today().isoformat(),
    }  # fmt: skip
    write_folder(out, network, encoder, task, regime, settings, record, scored, predictions)
    if alignment:
        record["alignment"] = _aligned(encoder, out, alignment, job)
        write_text(out / RESULT, json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    return record


def sampled_train(train: Dataset, count: int, seed: int) -> Dataset:
    """Training items drawn at random; 0 means all."""
    if not count or count >= len(train):
        return train
    rows = np.random.default_rng([seed, 19]).choice(len(train), count, replace=False)
    return train.take(sorted(rows.tolist()))


def _unseen(train: Dataset, tests: Sequence[Dataset], task: Task, problems: Problems) -> None:
    """Warn of test labels that training never saw; they count as errors, whatever is predicted."""
    if task.kind in (Kind.SCORE, Kind.SPAN):
        return
    known = {label for item in train.items for label in _labels(item)}
    for one in tests:
        told: set[str] = set()
        for item in one.items:
            for label in set(_labels(item)) - known - told:
                told.add(label)
                name, _, line = item.where.rpartition(":")
                problems.add(
                    name or one.name, int(line) if line.isdigit() else 0,
                    f"{one.language}: label {label!r} is not in the training data; what bears it counts as wrong",
                )  # fmt: skip


def _overlap(train: Dataset, tests: Sequence[Dataset], job: Job) -> None:
    """Warn of test items that are training items: their scores say nothing of new text."""
    learned = {tuple(one.text for one in item.sentences) for item in train.items}
    for one in tests:
        same = sum(tuple(text.text for text in item.sentences) in learned for item in one.items)
        if same:
            job.say(f"warning: {same:,} of {len(one):,} test items of {one.language} read like a training item, which "
                    "flatters its score")  # fmt: skip


def _labels(item: Item) -> tuple[str, ...]:
    """The labels that an item needs."""
    label = item.label
    if isinstance(label, Tree):  # only the universal part is scored
        return tuple(relation.partition(":")[0] for relation in label.relations)
    return label if isinstance(label, tuple) else (str(label),)


def _score(
    network: TaskNetwork, task: Task, tests: Sequence[Dataset], job: Job
) -> tuple[list[Scored], dict[str, tuple[Dataset, list[Any]]], list[str]]:
    """Score every language; what is scored is kept, and one that fails does not cost the others.

    Raises:
        InputError: no language could be scored.
    """
    scored, predictions, failed = [], {}, []
    for number, one in enumerate(tests):
        job.progress(number, len(tests), f"scoring {one.language}")
        try:
            found, said = score_language(task.metric, one, network.predict)
        except (InputError, ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
            line = f"{one.language}: {' '.join(str(error).split())}"
            job.say(f"warning: {line}; the language is left out")
            failed.append(line)
            continue
        scored.append(found)
        predictions[one.language] = (one, said)
    job.progress(len(tests), len(tests), "scored")
    if not scored:
        raise InputError(f"no language could be scored: {'; '.join(failed) or 'no test data'}")
    return scored, predictions, failed


def _cut(network: TaskNetwork, datasets: Sequence[Dataset], job: Job) -> dict[str, int]:
    """How many items of each language are longer than what is read; told, since it differs between languages."""
    found = [network.cut(one.items) for one in datasets]
    if any(found):
        told = [
            f"{count:,} of {len(one):,} in {one.language}" for count, one in zip(found, datasets, strict=True) if count
        ]
        job.say(
            f"warning: items longer than {network.limit} tokens are read in part: {', '.join(told)}; their rest is guessed; "
            + ("the encoder reads no more" if network.limit == network.trainee.base.limit else "raise max_tokens")
        )
    return {one.language: count for count, one in zip(found[1:], datasets[1:], strict=True)}


def _shown(summary: Summary, scored: Sequence[Scored], task: Task, cut: Mapping[str, int]) -> dict[str, Any]:
    """The scores as plain numbers."""
    metric = task.metric
    rows = []
    for one in scored:
        estimate = summary.languages[one.language]
        parts = {name: _finite(float(score(one.stats, np.ones((1, len(one.ids)), np.float32))[0]))
                 for name, score in metric.parts}  # fmt: skip
        rows.append(
            {"lang": one.language, "metric": metric.name, "score": _round(estimate.score), "low": _round(estimate.low),
             "high": _round(estimate.high), "n": len(one.ids), "cut": cut[one.language], **({"parts": parts} if parts else {})}
        )  # fmt: skip
    found: dict[str, Any] = {"items": rows}
    for name in ("source", "mean_others", "gap"):
        estimate_or_none: Estimate | None = getattr(summary, name)
        found[name] = _round(estimate_or_none.score) if estimate_or_none else None
        found[f"{name}_interval"] = (
            [_round(estimate_or_none.low), _round(estimate_or_none.high)] if estimate_or_none else None
        )
    return found


def _round(value: float | None) -> float | None:
    """Four decimals are more than any interval tells."""
    return None if value is None else round(value, 4)


def _finite(value: float) -> float | None:
    """A number, or None."""
    return round(value, 4) if np.isfinite(value) else None


def _extras(extras: Extras | None) -> dict[str, Any]:
    """What else was learned from: names, sizes and hashes."""
    given = extras or Extras()
    return {
        "data": [{"data": one.name, "pairs": len(one), "sha256": one.digest} for one in given.bitexts],
        "dictionary": [{"name": one.name, "entries": len(one), "sha256": one.digest} for one in given.dictionaries],
        "monolingual": [
            {"lang": tag, "sentences": len(side), "sha256": digest(side)} for tag, side in given.monolingual.items()
        ],
    }  # fmt: skip


def _aligned(encoder: Encoder, out: Path, bitexts: Sequence[Bitext], job: Job) -> dict[str, Any]:
    """Word retrieval before and after the task, mean over the language pairs."""
    from analysis.encoders.load import load_encoder
    from analysis.scoring.evaluate import evaluate

    after = load_encoder(str(out)) if (out / CARD).exists() else encoder
    rows = []
    for number, bitext in enumerate(bitexts):
        job.progress(number, len(bitexts), f"word retrieval {'-'.join(bitext.languages)}")
        scores = [evaluate("word_retrieval", one, bitext).score for one in (encoder, after)]
        rows.append({"data": bitext.name, "languages": list(bitext.languages), "before": scores[0], "after": scores[1]})
    known = [row for row in rows if row["before"] is not None and row["after"] is not None]
    means = {side: float(np.mean([row[side] for row in known])) if known else None for side in ("before", "after")}
    return {"measure": "word_retrieval", **means, "items": rows}
