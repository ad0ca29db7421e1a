"""Sentences of Home Assistant's interface in 37 languages, from the package `homeassistant`."""

import json
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any

from analysis.text.corpora._spec import CorpusSpec
from analysis.text.corpus import Corpus
from analysis.text.splits import SPLITS, parse_split
from analysis.text.ui import Recipe, clean, is_sentence, load_rows, pick_tags, template

# Those with at least 500 sentences. British English is left out: it is the English.
_TAGS = """
en bg ca cs da de el es et fi fr ga gl he hu id it ja ko lt mk nb nl pl pt pt-BR ru sk sl sr sr-Latn sv tr uk
vi zh zh-Hant
"""
LANGUAGES = tuple(_TAGS.split())
_FILES = {"zh": "zh-Hans"}


def load(*, languages: Iterable[str] | None = None, split: str | None = None) -> Corpus:
    """The corpus: one row a sentence, fetched on first use (68 MB).

    Row ids are the integration and the key path ("abode.config.step.mfa.title"), categories the integration.

    Args:
        languages: the languages wanted, None for all.
        split: `train` or `dev`, None for both; an integration is on one side as a whole.

    Raises:
        InputError: a language or split the corpus does not have.
        IsoglossError: the package cannot be fetched.
    """
    return load_rows(SPEC, RECIPE, pick_tags(SPEC, languages), parse_split(split, SPEC.name))


def read_language(wheel: zipfile.ZipFile, tag: str) -> dict[str, str]:
    """All texts of one language by integration and key path; integrations in order of name."""
    ending = f"/translations/{_FILES.get(tag, tag)}.json"
    texts: dict[str, str] = {}
    for name in sorted(wheel.namelist()):
        if name.endswith(ending) and name.startswith("homeassistant/components/"):
            integration = name.split("/")[2]
            _flatten(json.loads(wheel.read(name)), integration, texts)
    return texts


def _flatten(tree: Mapping[str, Any], path: str, texts: dict[str, str]) -> None:
    """Add the texts of a tree of keys, each under its path."""
    for key, value in tree.items():
        if isinstance(value, str):
            texts[f"{path}.{key}"] = value
        elif isinstance(value, dict):
            _flatten(value, f"{path}.{key}", texts)


def integration_of(row_id: str) -> str:
    """The integration a row id begins with."""
    return row_id.partition(".")[0]


RECIPE = Recipe(
    package="homeassistant",
    version="2026.11.0",
    sha256="7ca5fbde9dea879ac7723949fc84347aac5182e6309c357b2e4973fd391b00f7",
    options=("--ignore-requires-python",),
    read=read_language,
    keep=is_sentence,
    alike=template,
    witness="de",
    group=integration_of,
    prepare=clean,
)
SPEC = CorpusSpec(
    "ui_homeassistant",
    "Home Assistant's interface",
    "A sentence of the interface, translated by volunteers; fetched on first use (68 MB).",
    "Apache-2.0",
    "PyPI package homeassistant 2026.11.0; texts by the Home Assistant authors and translators",
    "sentence",
    6555,
    LANGUAGES,
    load,
    SPLITS,
)
