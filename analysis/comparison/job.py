"""A comparison as a job: what is to be done as plain data, and the work function that does it in its own process."""

import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from analysis.comparison.plan import plan
from analysis.comparison.request import Request, checked
from analysis.comparison.run import run as compute
from analysis.encoders.names import resolve
from analysis.errors import InputError
from analysis.jobs.job import Job
from analysis.text.problems import Problems

ENTRY = "analysis.comparison.job:run"
KIND = "compare"
_NAMED = ("set:", "corpus:", "upload:")


def make_spec(request: Request) -> dict[str, Any]:
    """A comparison as plain data that holds in every working folder.

    Args:
        request: what is to be compared.

    Raises:
        InputError: nothing to compare, or an unknown measure or setting.
    """
    request = checked(request)
    here = lambda path: str(Path(path).expanduser().absolute())  # noqa: E731
    return replace(
        request,
        encoders=tuple(map(_encoder, request.encoders)),
        data=tuple(one if one.startswith(_NAMED) else here(one) for one in request.data),
        links=tuple(link and here(link) for link in request.links),
        data_dir=request.data_dir and here(request.data_dir),
    ).as_spec()


def title(request: Request) -> str:
    """What a list of runs calls it."""
    return f"{_some(request.encoders)} by {_some([one.measure for one in request.measures])} on {_some(request.data)}"


def run(spec: Mapping[str, Any], job: Job) -> dict[str, Any]:
    """Compare as a spec says, in the process of a run; a run that was stopped finds its finished cells in the cache.

    Args:
        spec: from `make_spec`.
        job: the run.

    Returns:
        How many `cells` were computed, and what was `skipped`. The table is `run.collect` of the same request's plan.

    Raises:
        InputError: nothing can be computed.
        IsoglossError: the disk is full.
    """
    warnings.filterwarnings("default", category=UserWarning, module="analysis")
    warnings.showwarning = lambda message, *_args, **_options: job.say(f"warning: {message}")
    made = plan(Request.from_spec(spec), problems=Problems(echo=lambda problem: job.say(str(problem))))
    for one in made.skipped:
        job.say(f"skipped {one}")
    scores = compute(made, progress=job.progress, say=job.say)
    return {"cells": len(scores.entries), "skipped": [str(one) for one in scores.skipped]}


def _some(names: Any) -> str:
    """The first of some names, and how many more there are."""
    first, *more = names
    return f"{first} and {len(more)} more" if more else str(first)


def _encoder(name: str) -> str:
    """An encoder's name as it holds in every working folder; one that is unknown is told of by the plan."""
    try:
        path = Path(name).expanduser()
        return str(path.absolute()) if resolve(name).folder is not None and path.exists() else name
    except InputError:
        return name
