"""Category of a name (CLDR): a task that needs no download."""

from analysis.transfer.item import Kind
from analysis.transfer.metric import ACCURACY
from analysis.transfer.task import Task

SPEC = Task(
    name="categories",
    title="Category of a name",
    summary="Whether a name is that of a language, territory, currency, script, unit, month or day (needs no download).",
    citation="Unicode CLDR, by Babel",
    kind=Kind.CLASS,
    metric=ACCURACY,
    train="corpus:cldr:train:en",
    test="corpus:cldr:test",
    epochs=3,
)
