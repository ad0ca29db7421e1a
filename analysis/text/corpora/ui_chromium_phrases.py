"""Labels and phrases of Chromium's interface: what `ui_chromium` leaves out because it is no sentence."""

from collections.abc import Iterable
from dataclasses import replace

from analysis.text.corpora import ui_chromium
from analysis.text.corpora._spec import CorpusSpec
from analysis.text.corpus import Corpus
from analysis.text.splits import SPLITS, parse_split
from analysis.text.ui import is_plain, is_sentence, load_rows, pick_tags


def load(*, languages: Iterable[str] | None = None, split: str | None = None) -> Corpus:
    """The corpus: one row a phrase; ids, categories and splits as in `ui_chromium`.

    Args:
        languages: the languages wanted, None for all.
        split: `train` or `dev`, None for both.

    Raises:
        InputError: a language or split the corpus does not have.
        IsoglossError: the package cannot be fetched.
    """
    return load_rows(SPEC, RECIPE, pick_tags(SPEC, languages), parse_split(split, SPEC.name))


def is_phrase(text: str) -> bool:
    """Whether an English text is plain and no sentence."""
    return is_plain(text) and not is_sentence(text)


RECIPE = replace(ui_chromium.RECIPE, keep=is_phrase, alike=str.casefold)
SPEC = CorpusSpec(
    "ui_chromium_phrases",
    "Chromium's interface: labels",
    "A label or phrase of the browser's interface; fetched on first use (124 MB, shared with ui_chromium).",
    "BSD-3-Clause",
    ui_chromium.SPEC.source,
    "phrase",
    6901,
    ui_chromium.LANGUAGES,
    load,
    SPLITS,
)
