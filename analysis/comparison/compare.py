"""Compare encoders from Python: `compare(["bundled", "bundled+rotation"], ["word_retrieval"], ["corpus:tour"])`."""

from collections.abc import Sequence
from typing import Any

from analysis.comparison.plan import plan
from analysis.comparison.request import Control, Request, checked, spread
from analysis.comparison.run import Tick, run
from analysis.comparison.scores import Scores


def compare(
    encoders: Sequence[str], measures: Sequence[str], data: Sequence[str], *, settings: Sequence[str] = (),
    controls: Sequence[Control | str] = (), progress: Tick | None = None, **options: Any,
) -> Scores:  # fmt: skip
    """Score encoders on data by measures, and test each against the first.

    Args:
        encoders: names.
        measures: `NAME KEY=VALUE ...`, or `all` for those that fit the data.
        data: `corpus:NAME`, `set:NAME:LANGS:SPLIT`, `upload:ID` or files.
        settings: `KEY=VALUE` of every measure that has the key, or `MEASURE.KEY=VALUE`.
        controls: `shuffled`, `random`, `same`.
        progress: called with the number of cells done and to do and what is being done.
        options: further fields of `Request`: langs, links, layers, pool, seed, max_rows, languages,
            correction, distance.

    Returns:
        The comparison; what could not be computed is in its `skipped`. Finished cells are kept in the cache folder.

    Raises:
        InputError: an unknown measure or setting, or nothing can be computed.
    """
    request = Request(
        tuple(encoders), spread(measures, settings), tuple(data), controls=tuple(map(Control, controls)), **options
    )
    return run(plan(checked(request)), progress=progress)
