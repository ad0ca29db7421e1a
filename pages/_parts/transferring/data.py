"""The data boxes of the transfer form: labelled items to learn from and to score on, and what a regime uses beside."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from analysis.alignment.method import Uses
from analysis.alignment.reading import file_language
from analysis.errors import InputError, unknown
from analysis.registry import registered
from analysis.text.languages import known_tag, language
from analysis.text.sets import set_folder
from analysis.transfer.item import Kind
from analysis.transfer.task import Task
from pages._parts import state
from pages._parts import training_data as texts
from pages._parts.training_text import BOXES, PREFERRED

KNOWN = ("set:", "corpus:", "datasets:")
OFFERED: dict[Uses, Callable[[], dict[str, texts.Text]]] = {
    Uses.DATA: texts.training_texts, Uses.DICTIONARY: texts.dictionary_texts, Uses.MONOLINGUAL: texts.monolingual_texts,
}  # fmt: skip
KEYS = {Uses.DATA: "with-pairs", Uses.DICTIONARY: "with-words", Uses.MONOLINGUAL: "with-text"}
FORMATS = {
    Kind.CLASS: "TSV or CSV with the columns text and label",
    Kind.PAIR: "TSV or CSV with the columns text, text2 and label",
    Kind.SCORE: "TSV or CSV with the columns text, text2 and score",
    Kind.TAGS: "CoNLL-U, or a word and its tag a line with an empty line between sentences",
    Kind.TREE: "CoNLL-U with heads and relations",
    Kind.SPAN: "JSON as SQuAD has it",
}


def train(task: Task, problems: list[str]) -> tuple[str, ...]:
    """What is learned from: one name or an upload.

    Args:
        task: what is learned.
        problems: gets a line for what cannot be used.
    """
    offered = list(dict.fromkeys([*filter(None, [task.train]), *_splits(task, "en")]))
    key = state.seeded("learn", task.train, parse=lambda text: text[:500])
    chosen = st.selectbox(
        "Training data, labels of one language", list(dict.fromkeys([*offered, *filter(None, [st.session_state[key]])])),
        key=key, accept_new_options=True, placeholder="Name some, or give a file below",
        help="set:NAME:LANG:SPLIT, corpus:NAME:train:LANG, datasets:ID, or a file on the server as FILE or FILE:LANG. "
        "Type any of them.",
    )  # fmt: skip
    state.set_page_value("learn", "" if chosen == task.train else chosen)
    files = _files(task, "learn", "Your own training data", problems, several=False)
    found = files or tuple(filter(None, [chosen]))
    for name in found if not files else ():
        checked(name, task, problems)
    return found


def test(task: Task, problems: list[str]) -> tuple[str, ...]:
    """What is scored: names narrowed to some languages, and uploads.

    Args:
        task: what is learned.
        problems: gets a line for what cannot be used.
    """
    usual = [task.test] if task.test else []
    offered = list(dict.fromkeys([*usual, *_splits(task, "all")]))
    key = state.seeded("score-on", usual, parse=lambda text: [one for one in text.split("|") if one != "none"])
    chosen = st.multiselect(
        "Test data, any languages", list(dict.fromkeys([*offered, *st.session_state[key]])), key=key,
        accept_new_options=True, wrap=True, help="As above; set:NAME:all:SPLIT has all languages of a set.",
    )  # fmt: skip
    state.set_page_value("score-on", "" if chosen == usual else "|".join(chosen) or "none")
    there = {name: found for name in chosen if (found := checked(name, task, problems))}
    narrowed = _languages(there)
    named = [narrow(name, narrowed, there[name]) if name in there and narrowed else name for name in chosen]
    return (*filter(None, named), *_files(task, "score-on", "Your own test data", problems, several=True))


def _splits(task: Task, tags: str) -> list[str]:
    """The splits of the public sets that bring a task."""
    return [f"set:{name}:{tags}:{part}" for name, one in task.sets.items() for part in one.splits]


def checked(name: str, task: Task, problems: list[str]) -> list[str]:
    """As `check`; a problem is noted instead of raised."""
    try:
        return check(name, task)
    except InputError as problem:
        problems.append(str(problem))
        return []


def check(name: str, task: Task) -> list[str]:
    """The languages that labelled data have, [] where only reading them tells.

    Raises:
        InputError: no such set, split, corpus or file.
    """
    parts = name.split(":")
    if name.startswith("set:"):
        if len(parts) != 4:
            raise InputError(f"{name!r} is not set:NAME:LANGS:SPLIT; for example {task.train or 'set:sib200:en:train'}")
        if parts[1] not in task.sets:
            raise unknown(f"set of task {task.name}", parts[1], task.sets)
        known = task.sets[parts[1]]
        if parts[3] not in known.splits:
            raise unknown(f"split of set {parts[1]}", parts[3], known.splits)
        return known.languages(set_folder(parts[1], None), parts[3])
    if name.startswith("corpus:"):
        corpora = registered("corpora")
        if len(parts) < 3 or parts[1] not in corpora:
            raise InputError(f"{name!r} is not corpus:NAME:train or corpus:NAME:test; for example corpus:cldr:test")
        return list(corpora[parts[1]].languages)
    if not name.startswith(KNOWN) and not Path(file_language(name)[0]).expanduser().is_file():
        raise InputError(f"no file {name!r} on the server; upload one, or name set:..., corpus:... or datasets:...")
    return []


def _languages(there: Mapping[str, Sequence[str]]) -> list[str]:
    """The languages to score, [] for all."""
    available = list(dict.fromkeys(tag for tags in there.values() for tag in tags))
    if len(available) < 2:
        return []
    everything: list[str] = []
    key = state.seeded("tongues", everything, parse=lambda text: text.split(","))
    st.session_state[key] = [tag for tag in st.session_state[key] if tag in available]
    chosen = st.multiselect(
        f"Test languages ({len(available)} there)", available, key=key, format_func=lambda tag: language(tag).name,
        placeholder="All", wrap=True, help="None chosen: all. Keep the source language, to see what the others lose.",
    )  # fmt: skip
    state.set_page_value("tongues", ",".join(chosen))
    return chosen


def narrow(name: str, tags: Sequence[str], there: Sequence[str]) -> str:
    """Data with some languages only; "" where they have none of them.

    Args:
        name: of data whose languages are known.
        tags: those wanted.
        there: those they have.
    """
    parts = name.split(":")
    place = 2 if parts[0] == "set" else 3
    named = parts[place].split(",") if len(parts) > place else ["all"]
    kept = [tag for tag in there if tag in tags and (named == ["all"] or tag in named)]
    if not kept:
        return ""
    return ":".join([*parts[:place], ",".join(kept), *parts[place + 1 :]])


def _files(task: Task, key: str, label: str, problems: list[str], *, several: bool) -> tuple[str, ...]:
    """Uploaded items, as `FILE` or `FILE:LANG`."""
    with st.expander(label):
        found = st.file_uploader(label, key=f"{key} files", accept_multiple_files=several, label_visibility="collapsed")
        st.caption(f"{FORMATS[task.kind]}; UTF-8. {'A file a language or a column lang.' if several else ''}")
        given: list[Any] = found if isinstance(found, list) else [found] if found else []
        paths = _kept([(file.name, file.getvalue()) for file in given], problems)
        tags = st.text_input(
            "Language of the files, in their order" if several else "Language of the file", key=f"{key} file languages",
            placeholder="by a column lang, else by the text", max_chars=200, disabled=not paths,
        ).replace(",", " ").split()  # fmt: skip
    if not paths or not tags:
        return paths
    wrong = [tag for tag in tags if not known_tag(tag)]
    if wrong or len(tags) not in (1, len(paths)):
        problems.append(
            f"languages {' '.join(tags)!r} do not fit {len(paths)} file(s); give one tag a file, such as de"
        )
        return paths
    return tuple(f"{path}:{tag}" for path, tag in zip(paths, tags * (len(paths) if len(tags) == 1 else 1), strict=True))


def _kept(files: Sequence[tuple[str, bytes]], problems: list[str], *, plain: bool = True) -> tuple[str, ...]:
    """The paths of uploads; what is empty or no text is a problem."""
    try:
        return texts.keep_files(files, plain=plain)
    except InputError as problem:
        problems.append(str(problem))
        return ()


def extras(regime: Any, problems: list[str]) -> tuple[dict[Uses, tuple[str, ...]], str | None]:
    """What a regime uses beside the labels, and `A-B` where exactly two languages are chosen.

    Args:
        regime: how it is learned.
        problems: gets a line for what cannot be used.
    """
    kinds = [kind for kind in OFFERED if kind in regime.uses]
    chosen = {kind: _pick(regime, kind) for kind in kinds}
    files = {kind: _uploads(kind, problems) for kind in kinds}
    named = [text for found in chosen.values() for text in found]
    given = texts.dictionary_files(files.get(Uses.DICTIONARY, ()))
    tags = _extra_languages([*named, *(one for one in given if one.languages)], bool(kinds and (named or given)))
    for one in given:
        if not one.languages and len(tags) != 2:
            problems.append(f"{one.title} does not say its languages; call it after them, such as en-de.tsv, and upload "
                            "it again, or choose exactly two languages")  # fmt: skip
    items = {
        kind: (*(name for text in chosen[kind] if (name := texts.item(text, tags))), *files[kind]) for kind in kinds
    }
    langs = "-".join(tag.replace("-", "_") for tag in tags) if len(tags) == 2 else None
    return items, langs


def needed(regime: Any, kind: Uses) -> bool:
    """Whether a regime cannot do without a kind of data, or only with another instead."""
    return kind in regime.needs or kind in regime.needs_all


def _pick(regime: Any, kind: Uses) -> list[texts.Text]:
    """The texts of one kind; at first one where the regime cannot do without."""
    offered, box = OFFERED[kind](), BOXES[kind]
    first = kind in regime.needs_all or (kind in regime.needs and (kind is Uses.DATA or Uses.DATA not in regime.needs))
    usual = list(offered) if kind is Uses.DICTIONARY else [key for key in PREFERRED if key in offered][:1]
    usual = usual if first else []
    label = "Sentence pairs" if kind is Uses.DATA else box.label
    key = state.seeded(KEYS[kind], usual, parse=lambda text: text.split("|"))
    before = st.session_state.get(f"{KEYS[kind]} usual", usual)
    kept = [one for one in st.session_state[key] if one in offered]
    st.session_state[key] = usual if kept == before != usual else kept
    st.session_state[f"{KEYS[kind]} usual"] = usual
    picked = st.multiselect(
        f"{label} (needed)" if needed(regime, kind) else f"{label} (optional)", list(offered), key=key, wrap=True,
        format_func=lambda one: offered[one].title, help=box.told or None,
    )  # fmt: skip
    state.set_page_value(KEYS[kind], "|".join(picked) or ("none" if usual else ""))
    return [offered[one] for one in picked]


def _uploads(kind: Uses, problems: list[str]) -> tuple[str, ...]:
    """Uploaded files of one kind; sentence pairs come by the page Data."""
    box = BOXES[kind]
    if not box.file:
        return ()
    found = st.file_uploader(box.file, key=f"{KEYS[kind]} files", accept_multiple_files=True, help=box.file_told)
    return _kept([(file.name, file.getvalue()) for file in found], problems, plain=box.plain)


def _extra_languages(named: Sequence[texts.Text], shown: bool) -> tuple[str, ...]:
    """The languages of the extra text: six at first."""
    available = texts.all_languages(named)
    if not shown or not available:
        return ()
    usual = list(state.default_languages(available))
    key = state.seeded("with-langs", usual, parse=lambda text: text.split(","))
    kept = [tag for tag in st.session_state[key] if tag in available]
    st.session_state[key] = kept if len(kept) > 1 else usual
    tags = st.multiselect(
        "Languages of these", available, key=key, format_func=lambda tag: language(tag).name, wrap=True,
        help="Of a public set only these are read; a bundled corpus gives all it has, unless exactly two are chosen.",
    )  # fmt: skip
    state.set_page_value("with-langs", "" if tags == usual else ",".join(tags))
    return tuple(tags)


def alignment() -> tuple[str, ...]:
    """Linked pairs on which word retrieval is measured before and after the task."""
    offered = {key: text for key, text in texts.dev_texts().items() if text.gold and text.listed}
    if not offered:
        return ()
    nothing: list[str] = []
    key = state.seeded("kept", nothing, parse=lambda text: text.split("|"))
    st.session_state[key] = [one for one in st.session_state[key] if one in offered]
    picked = st.multiselect(
        "Word retrieval before and after, on", list(offered), key=key, format_func=lambda one: offered[one].title,
        wrap=True, help="Whether the task costs the encoder its alignment; on development data with gold word links.",
    )  # fmt: skip
    state.set_page_value("kept", "|".join(picked))
    return tuple(name for one in picked if (name := texts.dev_item(offered[one], offered[one].languages)))
