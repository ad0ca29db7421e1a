"""One sentence pair word by word: similarity in A, in B and the difference, with decoded and known links."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from analysis.comparison.pair_score import score_pair
from analysis.encoders.vectors import Unit
from analysis.errors import InputError
from analysis.figures.heatmap import Panel, crop_links, heatmap_table, similarity_figure
from analysis.links.align import similarity_matrix
from analysis.links.timing import seconds_per_thousand
from analysis.registry import registered
from analysis.settings import parse_settings
from analysis.text.corpus import Sentence
from analysis.text.languages import LANGUAGES, language
from analysis.text.pharaoh import Links
from analysis.text.sample import first_words
from analysis.text.segment import split
from analysis.text.uploads import save_text
from pages._parts import chrome, data, state

TITLE = "Heatmap"
ORDER = 20
WINDOW = 40  # words of a side that are drawn at once
LONGEST_PAIR = 400  # words of a side that are compared
LONGEST = 2000  # characters of a typed sentence
SOURCES = {"corpus": "From the corpus", "typed": "My own pair"}
DETECT = "detect"
ORIGINS = {"gold": "gold links", "made": "links made with the text", "silver": "automatic links"}


@dataclass(frozen=True)
class Pair:
    """A sentence pair, the word links that are known for it, and which pair of the corpus it is (-1: none)."""

    source: Sentence
    target: Sentence
    known: Links | None = None
    origin: str = ""
    number: int = -1


def render() -> None:
    """Draw the page."""
    view = state.current()
    with chrome.guard():
        headline = st.empty()
        headline.header("One sentence pair, word by word")
        where = st.segmented_control(
            "Sentence pair", list(SOURCES), format_func=lambda name: SOURCES[name], required=True,
            label_visibility="collapsed",
            key=state.seeded("from", "typed" if state.page_value("pair", "") else "corpus", list(SOURCES)),
        )  # fmt: skip
        state.set_page_value("from", where)
        pair = _from_corpus(view) if where == "corpus" else _typed()
        if pair is None:
            return
        if not pair.source.spans or not pair.target.spans:
            st.info("One side has no words, so there is nothing to compare. Type a sentence on both sides.")
            return
        _show(view, pair, headline)


def _from_corpus(view: state.View) -> Pair | None:
    """A row of the corpus in two of its languages."""
    corpus = data.corpus(view.corpus)
    if len(corpus.languages) < 2:
        st.info("This corpus has one language only. Choose another corpus in the sidebar, or type your own pair.")
        return None
    first, second, third = st.columns([1, 1, 3])
    order = list(dict.fromkeys([*view.languages, *corpus.languages]))
    name = lambda tag: language(tag).name  # noqa: E731
    source = first.selectbox("Source", order, format_func=name, key=state.seeded("source", order[0], order))
    others = [tag for tag in order if tag != source]
    target = second.selectbox("Target", others, format_func=name, key=state.seeded("target", others[0], others))
    state.set_page_value("source", source)
    state.set_page_value("target", target)
    bitext = corpus.pair(source, target)
    ids = list(bitext.row_ids)
    place = {row_id: n for n, row_id in enumerate(ids)}
    shown = lambda row_id: f"{row_id}  {bitext.source[place[row_id]].text[:120]}"  # noqa: E731
    row = third.selectbox("Row", ids, format_func=shown, key=state.seeded("row", ids[0], ids))
    state.set_page_value("row", row)
    at = place[row]
    known = None if bitext.links is None or not bitext.links[at].possible else bitext.links[at]
    return Pair(bitext.source[at], bitext.target[at], known, bitext.links_origin, at)


def _typed() -> Pair | None:
    """Two sentences somebody typed; they are stored by content, so that a link restores them."""
    stored = state.page_value("pair", "")
    if "typed source" not in st.session_state:
        st.session_state["typed source"], st.session_state["typed target"] = _stored_texts(stored)
    tags = [DETECT, *LANGUAGES]
    name = lambda tag: "Detect the language" if tag == DETECT else language(tag).name  # noqa: E731
    with st.form("typed pair", border=False):
        left, right = st.columns(2)
        sides: list[tuple[str, str]] = []
        for column, side in ((left, "source"), (right, "target")):
            text = column.text_area(side.capitalize(), key=f"typed {side}", max_chars=LONGEST, height=90)
            tag = column.selectbox(
                f"Language of the {side}", tags, format_func=name, label_visibility="collapsed",
                key=state.seeded(f"{side}-language", DETECT, tags),
            )  # fmt: skip
            sides.append((text, tag))
        if st.form_submit_button("Compare"):
            stored = _store(sides)
    for (_, tag), side in zip(sides, ("source", "target"), strict=True):
        state.set_page_value(f"{side}-language", tag)
    state.set_page_value("pair", stored)
    if not stored:
        st.caption(
            "Compare encodes both sentences with A and B; the first time the encoder is loaded, which takes seconds."
        )
        return None
    return _typed_pair(stored, [tag for _, tag in sides])


def _store(sides: list[tuple[str, str]]) -> str:
    """Keep two typed sentences as one row of text and give its id; "" where a side is empty."""
    texts = [" ".join(text.replace("|||", " ").split()) for text, _ in sides]
    if not all(texts):
        st.info("Type a sentence on both sides.")
        return ""
    return save_text(" ||| ".join(texts))


def _stored_texts(stored: str) -> tuple[str, str]:
    """The two sentences of a link, or an example."""
    example = ("The bank by the river is closed in spring.", "El banco junto al río está cerrado en primavera.")
    if not stored:
        return example
    try:
        texts = [sentence.text for sentence in data.whole_corpus(f"text-{stored}").rows[0].values()]
    except InputError as error:
        chrome.error(error)
        return example
    return (texts[0], texts[1]) if len(texts) > 1 else example


def _typed_pair(stored: str, tags: list[str]) -> Pair:
    """The stored sentences in the languages somebody chose, detected where nobody did."""
    row = data.whole_corpus(f"text-{stored}").rows[0]
    sentences = [
        found if tag == DETECT else split(found.text, tag) for found, tag in zip(row.values(), tags, strict=False)
    ]
    if len(sentences) < 2:
        raise InputError(f"the link's pair {stored} holds one sentence only; type a sentence on both sides")
    said = " and ".join(f"{language(s.language).name}" for s in sentences)
    st.caption(f"Read as {said}. No links are known for a typed pair.")
    return Pair(sentences[0], sentences[1])


def _show(view: state.View, pair: Pair, headline: Any) -> None:
    """The three panels, the sentences above them, the scores in the headline."""
    decoder, options, speed = _decoder_box(view)
    if max(len(pair.source.spans), len(pair.target.spans)) > LONGEST_PAIR:
        st.caption(f"Only the first {LONGEST_PAIR} words of each side are compared.")
        pair = replace(
            pair, source=first_words(pair.source, LONGEST_PAIR), target=first_words(pair.target, LONGEST_PAIR)
        )
    chrome.sentences(
        [(language(s.language).name, chrome.marked(s.text, 0, 0, s.language)) for s in (pair.source, pair.target)]
    )
    matrices, links = [], []
    for name, layer in ((view.a, view.layer_a), (view.b, view.layer_b)):
        matrices.append(_similarity(view, name, layer, pair))
        links.append(registered("decoders")[decoder].decode(matrices[-1], options))
    seconds = _seconds(decoder, options, matrices[0].shape, matrices)
    shown = f"{seconds:.2f}" if seconds < 10 else f"{seconds:,.0f}"
    speed.caption(f"Decoding takes {shown} s for 1,000 pairs like this one; encoding them is not counted.")
    _headline(headline, pair, links)
    _draw(view, pair, matrices, links)


@st.cache_data(max_entries=64, show_spinner=False)
def _seconds(decoder: str, options: Any, shape: tuple[int, int], _matrices: list[np.ndarray]) -> float:
    """Seconds to decode 1,000 pairs like the one on the page, timed once for each size of the pair."""
    return seconds_per_thousand(registered("decoders")[decoder], _matrices, options) or 0.0


def _decoder_box(view: state.View) -> tuple[str, Any, Any]:
    """The decoder, its settings (the defaults, or what was best for A on development data), a place for its speed."""
    specs = registered("decoders")
    best = data.encoder(view.a).link_defaults
    decoder = st.segmented_control(
        "Links by", list(specs), format_func=lambda name: specs[name].title, required=True,
        key=state.seeded("decoder", best.decoder, list(specs)),
    )  # fmt: skip
    assert decoder is not None
    state.set_page_value("decoder", decoder)
    st.caption(
        f"{specs[decoder].summary} Layers are those of the sidebar; A's own layer for links is {best.layer}.",
        help=f"Chosen on: {chrome.plain(best.chosen_on)}" if best.chosen_on else "Not chosen on data: a usual guess.",
    )
    kept = best.settings if decoder == best.decoder else {}
    options = parse_settings(specs[decoder].settings, [f"{key}={value}" for key, value in kept.items()])
    return decoder, options, st.empty()


def _window(pair: Pair) -> tuple[slice, slice]:
    """The words that are drawn: all of them, or a window of a long sentence."""
    cuts = []
    for column, side, sentence in zip(st.columns(2), ("source", "target"), (pair.source, pair.target), strict=True):
        count, start = len(sentence.spans), 0
        if count > WINDOW:
            key = state.seeded(f"{side}-from", 0, parse=int)
            st.session_state[key] = max(0, min(int(st.session_state[key]), count - WINDOW))
            start = column.slider(f"Words of the {side} from (of {count:,})", 0, count - WINDOW, key=key)
            state.set_page_value(f"{side}-from", start)
        cuts.append(slice(start, min(count, start + WINDOW)))
    return cuts[0], cuts[1]


def _similarity(view: state.View, name: str, layer: int, pair: Pair) -> np.ndarray:
    """Cosines of all words of one pair in one encoder; a pair of the corpus uses what other pages have encoded."""
    if pair.number < 0:
        sides = [
            data.layers_of(data.encoder(name), [sentence], [layer], unit=Unit.WORD, pool=view.pool).values[0]
            for sentence in (pair.source, pair.target)
        ]
    else:
        tags = pair.source.language, pair.target.language
        both = data.pair(name, view.corpus, *tags, pool=view.pool, layers=[layer])
        sides = [side.values[0][side.units.sentence == pair.number] for side in (both.source, both.target)]
    return similarity_matrix(sides[0][: len(pair.source.spans)], sides[1][: len(pair.target.spans)])


def _draw(view: state.View, pair: Pair, matrices: list[np.ndarray], links: list[Links]) -> None:
    """The figure and its data."""
    a, b = matrices
    source, target = pair.source.words, pair.target.words
    rows, columns = _window(pair)
    crop = lambda found: crop_links(found, rows, columns)  # noqa: E731
    titles = [
        f"{side} · {chrome.label(name)} · layer {layer}"
        for side, name, layer in (("A", view.a, view.layer_a), ("B", view.b, view.layer_b))
    ]
    panels = [
        Panel(titles[0], a[rows, columns], crop(links[0])),
        Panel(titles[1], b[rows, columns], crop(links[1])),
        Panel("B − A", (b - a)[rows, columns], difference=True),
    ]
    known = None if pair.known is None else crop(pair.known)
    marks = {"link_a": links[0], "link_b": links[1]} | ({"known": pair.known} if pair.known is not None else {})
    outlined = f" Outlined cells are {ORIGINS.get(pair.origin, 'known links')}." if pair.known is not None else ""
    chrome.figure(
        similarity_figure(
            panels, source[rows], target[columns], languages=(pair.source.language, pair.target.language), known=known,
            dark=chrome.dark(),
        ),
        name="heatmap",
        data=lambda: heatmap_table([("cosine_a", a), ("cosine_b", b), ("b_minus_a", b - a)], source, target, marks),
        caption=f"A cell is the cosine of two words; dots are the decoder's links.{outlined} A and B share one scale, "
        "which runs from the smallest to the largest cosine here. It does not show whether a cosine is high for this "
        "encoder: compare the cells of one panel, since many encoders put all words above 0.7.",
    )  # fmt: skip


def _headline(place: Any, pair: Pair, links: list[Links]) -> None:
    """Precision and recall of this sentence, or how many links A and B share."""
    a, b = links
    if pair.known is None:
        place.header(f"A and B agree on {len(a.sure & b.sure)} of {len(a.sure | b.sure)} links in this pair")
        return
    scores = [score_pair(found, pair.known) for found in links]
    total = f"{len(pair.known.sure)} {ORIGINS.get(pair.origin, 'known links')}"
    place.header(f"B finds {_share(scores[1].recall)} of this pair's {total}, A {_share(scores[0].recall)}")
    columns = st.columns(4)
    for place_, name in ((0, "precision"), (2, "recall")):
        values = [getattr(score, name) for score in scores]
        change = None if None in values else 100 * (values[1] - values[0])
        columns[place_].markdown(f"**{name.capitalize()} A** {_share(values[0])}")
        columns[place_ + 1].markdown(f"**{name.capitalize()} B** {_share(values[1])} {chrome.chip(change, 0)}")


def _share(value: float | None) -> str:
    """Whole percent, or a dash."""
    return "–" if value is None else f"{100 * value:.0f} %"


if __name__ == "__main__":
    render()
