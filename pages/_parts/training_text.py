"""What a new training learns from: pairs, dictionaries, text without translation, languages, links, development pairs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from analysis.alignment.method import Uses
from analysis.registry import registered
from analysis.text.languages import language
from pages._parts import chrome, launch, state
from pages._parts import training_data as texts
from pages._parts.launch import Wanted

PREFERRED = ("set:tatoeba:test", "corpus:ui_chromium:train", "corpus:tour")  # the first that is here is chosen


@dataclass(frozen=True)
class Box:
    """How a kind of text is asked for.

    Attributes:
        label: of the choice.
        key: of the choice in the link.
        told: help of the choice.
        file: label of the upload, "" where files come by the page Data.
        file_told: help of the upload.
        plain: whether such a file is UTF-8 text.
    """

    label: str
    key: str
    told: str = ""
    file: str = ""
    file_told: str = ""
    plain: bool = True


BOXES = {
    Uses.DATA: Box("Training text", "data", "Sentences with their translations."),
    Uses.DICTIONARY: Box(
        "Dictionaries", "dict", "Words with their translations, without a sentence around them; those of XLing where "
        "the public sets are here.", "Your own dictionary",
        "Two words a line with a tab between them, a MUSE dictionary, or a FreeDict one. Where it does not say its "
        "languages, choose exactly two below.", plain=False,
    ),
    Uses.MONOLINGUAL: Box(
        "Text without translation", "mono", "Sentences of each language; nobody has to have translated them.",
        "Your own sentences", "One sentence a line; the language of each is detected.",
    ),
}  # fmt: skip


def choose(wanted: Wanted) -> Wanted:
    """Draw the boxes of the text that a method can use, and nothing else.

    Args:
        wanted: the method, the base and the settings.

    Returns:
        The same with text, languages and development pairs.
    """
    spec = registered("methods")[wanted.method]
    chosen: dict[Uses, list[texts.Text]] = {}
    files: dict[Uses, tuple[str, ...]] = {}
    for kind in sorted((kind for kind in BOXES if kind in spec.uses), key=lambda kind: not _needed(spec, kind)):
        chosen[kind], files[kind] = _kind(spec, kind), _files(BOXES[kind])
    given_dictionaries = texts.dictionary_files(files.get(Uses.DICTIONARY, ()))
    chosen.setdefault(Uses.DICTIONARY, []).extend(text for text in given_dictionaries if text.languages)
    named = [text for found in chosen.values() for text in found]
    tags = _languages(named, chosen[Uses.DICTIONARY])
    files[Uses.DICTIONARY] = _unnamed([text for text in given_dictionaries if not text.languages], tags)
    items = {kind: [name for text in found if (name := texts.item(text, tags))] for kind, found in chosen.items()}
    _notes(named, tags)
    given = {kind: (*items.get(kind, ()), *files.get(kind, ())) for kind in BOXES}
    wanted = replace(
        wanted, data=given[Uses.DATA], dictionary=given[Uses.DICTIONARY], monolingual=given[Uses.MONOLINGUAL],
        tags=tags, settings=dict(wanted.settings) | language_settings(spec.settings, tags),
    )  # fmt: skip
    if Uses.LINKS in spec.uses and wanted.data:
        wanted = replace(wanted, links=_links(wanted, tags))
    return replace(wanted, dev=_dev(tags)) if Uses.DEV in spec.uses else wanted


def _notes(named: Sequence[texts.Text], tags: Sequence[str]) -> None:
    """Which texts are fetched first, and which are not used."""
    fetched = dict.fromkeys(text.title for text in named if text.fetched)
    if fetched:
        st.caption(f"{chrome.plain(', '.join(fetched))}: downloaded on first use.")
    unused = dict.fromkeys(text.title for text in named if texts.item(text, tags) is None)
    if unused:
        st.caption(f"Without two of the chosen languages, so not used: {chrome.plain(', '.join(unused))}.")


def missing(wanted: Wanted) -> str:
    """What a method needs and is not given, with where to get it; "" where nothing is missing."""
    spec = registered("methods")[wanted.method]
    given = {Uses.DATA: wanted.data, Uses.DICTIONARY: wanted.dictionary, Uses.MONOLINGUAL: wanted.monolingual}
    lacking = [_get(kind) for kind in BOXES if kind in needs_all(spec) and not given[kind]]
    if spec.needs and not any(given.get(kind) for kind in spec.needs):
        lacking.insert(0, " Or: ".join(_get(kind) for kind in BOXES if kind in spec.needs))
    if wanted.dictionary and not (wanted.data or wanted.monolingual or lacking) and Uses.MONOLINGUAL in spec.uses:
        lacking = [f"A dictionary has no sentences to read its words in. {_get(Uses.MONOLINGUAL)}"]
    return " ".join(lacking)


def needs_all(spec: Any) -> frozenset[Uses]:
    """The kinds of data of which a method needs every one."""
    return getattr(spec, "needs_all", frozenset())


def language_settings(settings: type, tags: Sequence[str]) -> dict[str, str]:
    """The languages and the anchor as settings of a method.

    Args:
        settings: the method's settings class.
        tags: the languages chosen.
    """
    anchor = launch.anchor_of(list(tags))
    others = ",".join(tag for tag in tags if tag != anchor)
    values = {"languages": others} if others else {}
    return launch.limit(settings, values | ({"anchor": anchor} if anchor != "en" else {}))


def _get(kind: Uses) -> str:
    """Where to get a kind of text."""
    if kind is Uses.DICTIONARY:
        here = "choose some above, or " if texts.dictionary_texts() else ""
        return (
            f"Give a dictionary: {here}upload one, such as a MUSE or FreeDict file or a list of your own with two words "
            "a line. One that joins none of the chosen languages does not count."
        )
    if kind is Uses.MONOLINGUAL:
        return "Choose text without translation in at least two languages, or upload a file of one sentence a line."
    return "Choose training text with at least two of the languages; the page Data takes text of your own."


def _kind(spec: Any, kind: Uses) -> list[texts.Text]:
    """The texts of one kind that are chosen; at first one where the method cannot do without."""
    offered = {
        Uses.DATA: texts.training_texts, Uses.DICTIONARY: texts.dictionary_texts,
        Uses.MONOLINGUAL: texts.monolingual_texts,
    }[kind]()  # fmt: skip
    first = kind in needs_all(spec) or (kind in spec.needs and (kind is Uses.DATA or Uses.DATA not in spec.needs))
    usual = list(offered) if kind is Uses.DICTIONARY else [key for key in PREFERRED if key in offered][:1]
    box = BOXES[kind]
    if not offered:
        return []
    label = box.label if _needed(spec, kind) else f"{box.label} (optional)"
    return [offered[key] for key in _picks(label, box.key, offered, usual if first else (), box.told)]


def _needed(spec: Any, kind: Uses) -> bool:
    """Whether a method cannot do without a kind of text, or only with another instead."""
    return kind in spec.needs or kind in needs_all(spec)


def _picks(label: str, key: str, offered: Mapping[str, texts.Text], usual: Sequence[str], told: str) -> list[str]:
    """Several texts by key, kept in the link; `none` stands there for none."""
    usual = [one for one in usual if one in offered]
    widget = state.seeded(key, usual, parse=lambda text: text.split("|"))
    st.session_state[widget] = [one for one in st.session_state[widget] if one in offered]
    _follow(key, usual)
    chosen = st.multiselect(label, list(offered), key=widget, format_func=lambda one: offered[one].title,
                            help=told or None, wrap=True)  # fmt: skip
    state.set_page_value(key, "|".join(chosen) or ("none" if usual else ""))
    return chosen


def _follow(key: str, usual: list[str]) -> None:
    """Where nobody has chosen otherwise, what is chosen follows what is usual, which another choice may have changed."""
    before = st.session_state.get(f"{key} usual", usual)
    if st.session_state[f"page {key}"] == before != usual:
        st.session_state[f"page {key}"] = list(usual)
    st.session_state[f"{key} usual"] = usual


def _files(box: Box) -> tuple[str, ...]:
    """Uploaded files of one kind."""
    if not box.file:
        return ()
    found = st.file_uploader(box.file, key=f"{box.key} files", accept_multiple_files=True, help=box.file_told)
    return texts.keep_files([(file.name, file.getvalue()) for file in found], plain=box.plain)


def _languages(named: Sequence[texts.Text], dictionaries: Sequence[texts.Text]) -> tuple[str, ...]:
    """The languages to train on: at first those of the dictionaries, else six."""
    available = texts.all_languages(named)
    if not available:
        return ()
    liked = [tag for tag in available if any(tag in text.languages for text in dictionaries)]
    usual = liked or list(state.default_languages(available))
    widget = state.seeded("train", usual, parse=lambda text: text.split(","))
    kept = [tag for tag in st.session_state[widget] if tag in available]
    st.session_state[widget] = kept if len(kept) > 1 else usual
    _follow("train", usual)
    tags = st.multiselect("Languages", available, key=widget, format_func=lambda tag: language(tag).name,
                          wrap=True)  # fmt: skip
    state.set_page_value("train", ",".join(tags))
    return tuple(tags)


def _unnamed(files: Sequence[texts.Text], tags: Sequence[str]) -> tuple[str, ...]:
    """Dictionaries that do not say their languages: they are those chosen, where these are two."""
    for file in files:
        name = chrome.plain(file.title)
        if len(tags) == 2:
            first, second = (language(tag).name for tag in tags)
            st.caption(f"{name} does not say its languages: its first column is read as {first}, its second as {second}. "
                       f"If it is the other way round, call it {tags[1]}-{tags[0]}.tsv.")  # fmt: skip
        else:
            chrome.error(f"{file.title} does not say its languages; call it after them, such as en-de.tsv, and upload "
                         f"it again, or choose exactly two languages")  # fmt: skip
    return tuple(file.key for file in files) if len(tags) == 2 else ()


def _links(wanted: Wanted, tags: Sequence[str]) -> tuple[str, ...]:
    """A file of word links, where the data are one language pair; else the base links words itself."""
    if len(wanted.data) != 1 or len(tags) != 2:
        st.caption("Word links: those of the text where it has some, else the base encoder's own. "
                   "A file of links needs one text and two languages.")  # fmt: skip
        return ()
    file = st.file_uploader(
        "Word links", key="links file", help="Pharaoh format: a line of 0-0 1-2 for each pair of the text, counted "
        "from 0. Without a file: the links of the text where it has some, else the base encoder's own.",
    )  # fmt: skip
    return texts.keep_files([(file.name, file.getvalue())]) if file is not None else ()


def _dev(tags: Sequence[str]) -> tuple[str, ...]:
    """Development pairs: the gold sets where they are here, else the development split of a corpus, or none."""
    offered = texts.dev_texts()
    gold = [key for key, text in offered.items() if text.gold and set(text.languages) & set(tags) - {"en"}]
    split = [key for key in offered if key.endswith(":dev") and key.startswith("corpus:")]
    used = [key.removesuffix(":train") + ":dev" for key in st.session_state.get("page data", [])]
    usual = gold[:1] or [key for key in split if key in used]
    told = (
        "They choose the weights that are kept (unless max steps ends the run) and, with gold links, the layer and "
        "decoder for links; the card names them. Never give a set that you report on."
    )
    chosen = [offered[key] for key in _picks("Development text", "dev", offered, usual, told)]
    everything = any(text.listed for text in chosen) and st.toggle(
        "Also languages that are not trained on", key=state.seeded("unseen", False, parse=lambda text: text == "1"),
        help="Shows whether the gain reaches further; each look takes longer.",
    )  # fmt: skip
    state.set_page_value("unseen", "1" if everything else "")
    if not chosen:
        st.caption("Without development text the last weights are kept and nothing is claimed.")
    return tuple(found for text in chosen if (found := texts.dev_item(text, tags, everything=everything)))
