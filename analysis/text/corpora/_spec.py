"""What a bundled corpus declares."""

from collections.abc import Callable
from dataclasses import dataclass, field

from analysis.text.corpus import Corpus


@dataclass(frozen=True)
class CorpusSpec:
    """One registered corpus, light enough to be listed without loading it.

    Attributes:
        name: the name on the command line.
        title: the name on a page.
        summary: one sentence on what a row is.
        licence: SPDX name or a short statement.
        source: where the text comes from, one line.
        unit: `sentence`, or `phrase` where each row is a term and has no context.
        rows: number of rows.
        languages: their tags, English first.
        load: makes the corpus; cached. A large one takes `languages=` and `split=`, so that only these are read.
        splits: names of its splits, if it has any; it is then large and `load` takes the two arguments.
    """

    name: str
    title: str
    summary: str
    licence: str
    source: str
    unit: str
    rows: int
    languages: tuple[str, ...]
    load: Callable[..., Corpus] = field(compare=False)
    splits: tuple[str, ...] = ()
