"""What alignment does, in a minute: one finding, one picture, one comparison, on the corpus of the sidebar."""

from pathlib import Path

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from analysis.errors import InputError
from analysis.figures.intervals import Scores, draw_scores, score_rows
from analysis.figures.scatter import Look, scatter_table, shared_scatter
from analysis.projection.units import example_concepts
from analysis.records import Comparison, Result, compare
from analysis.scoring.evaluate import average
from analysis.text.languages import language, pairs_of
from pages._parts import chrome, data, pictures, state
from pages._parts.corpora import title as corpus_title

TITLE = "Home"
ORDER = 0
ABOUT = """
A multilingual encoder gives every word of a sentence a vector. *Alignment* changes the encoder, or maps its vectors,
so that translations lie closer together than other words. Isogloss puts an encoder **A** and an encoder **B** side by
side on the same text, draws where their words lie, and measures whether B lines languages up better.
A is always left, B always right; a chip such as :green-badge[+12.3] is B's change against A.
"""


def render() -> None:
    """Draw the page."""
    view = state.current()
    with chrome.guard():
        headline, numbers = st.empty(), st.container()
        headline.header("What does alignment change?")
        wanted = pictures.picture(view)
        _picture(wanted)
        measure, scores = _scores(view)
        if scores:
            _finding(headline, numbers, view, measure, scores)
        left, right = st.columns([3, 2], gap="large")
        with left:
            _per_language(view, measure, scores)
        with right:
            st.subheader("What is this?")
            st.markdown(ABOUT)
            _links(view)


def _scores(view: state.View) -> tuple[str, list[Scores]]:
    """The retrieval scores of A and B on each language pair, and the measure that fits the corpus."""
    corpus = data.corpus(view.corpus)
    scores: list[Scores] = []
    measure = "word_retrieval"
    for source, target in pairs_of(view.languages) if len(view.languages) > 1 else ():
        try:
            linked = any(corpus.pair(source, target).links or ())
        except InputError:
            continue  # no row has both languages: there is nothing to compare
        if not linked and not scores:
            measure = "sentence_retrieval"
        if not linked and measure == "word_retrieval":
            continue
        label = f"{language(source).name} – {language(target).name}"
        scores.append(Scores(label, *_both(view, measure, source, target)))
    return measure, [item for item in scores if item.a.score is not None and item.b.score is not None]


def _both(view: state.View, measure: str, source: str, target: str, *settings: str) -> tuple[Result, Result]:
    """One score of A and of B."""
    a, b = (
        data.score(measure, name, view.corpus, source, target, layer=layer, pool=view.pool, settings=settings)
        for name, layer in ((view.a, view.layer_a), (view.b, view.layer_b))
    )
    return a, b


def _finding(
    headline: DeltaGenerator, numbers: DeltaGenerator, view: state.View, measure: str, scores: list[Scores]
) -> None:
    """The headline with live numbers, and the line with intervals and the paired test."""
    a, b = average([item.a for item in scores]), average([item.b for item in scores])
    headline.header(_sentence(a, b, compare(a, b) if a.low is not None else None, measure))
    with numbers:
        left, right, change = st.columns(3)
        left.markdown(f"**A** {chrome.plain(view.a)}, layer {view.layer_a}  \n{_interval(a)}")
        right.markdown(f"**B** {chrome.plain(view.b)}, layer {view.layer_b}  \n{_interval(b)}")
        if a.low is not None:
            paired = compare(a, b)
            csls = _csls(view, measure, scores)
            change.markdown(
                f"**Change** {chrome.chip(paired.difference)} points, 95 % [{paired.low:+.1f}, {paired.high:+.1f}], "
                f"p = {paired.p_value:.3f}  \n"
                f"by CSLS {chrome.chip(csls.difference)} [{csls.low:+.1f}, {csls.high:+.1f}]",
                help="Paired bootstrap over rows. CSLS lowers words that are close to everything, so a gain that "
                "only comes from fewer such hubs is smaller there.",
            )


def _csls(view: state.View, measure: str, scores: list[Scores]) -> Comparison:
    """The same comparison by CSLS."""
    both = []
    for item in scores:
        source, target = item.a.provenance["languages"]
        both.append(_both(view, measure, source, target, "score=csls"))
    return compare(average([a for a, _ in both]), average([b for _, b in both]))


def _sentence(a: Result, b: Result, paired: Comparison | None, measure: str) -> str:
    """The finding in one sentence."""
    what = "word" if measure == "word_retrieval" else "sentence"
    said = f"a {what}'s nearest neighbour in another language is its translation {b.score:.0f} % of the time"
    if paired is None or not paired.significant:
        return f"In B {said}, no clear change from {a.score:.0f} % in A"
    return f"In B {said}, {'up' if paired.difference > 0 else 'down'} from {a.score:.0f} % in A"


def _interval(result: Result) -> str:
    """`71.2 % [69.0, 73.1], n = 1,204`."""
    shown = f"{result.score:.1f} %"
    if result.low is not None:
        shown += f" [{result.low:.1f}, {result.high:.1f}]"
    return f"{shown}, n = {result.n:,}"


def _picture(wanted: pictures.Picture) -> None:
    """The shared frame with a handful of words joined to their translations."""
    shown, lines = pictures.units(wanted)
    corpus = data.corpus(wanted.corpus)
    if len(shown) < 3:
        st.info("Fewer than three words in these languages: there is nothing to draw. Choose more text or languages.")
        return
    frame = pictures.pca(wanted)
    panels = [frame.a, frame.b if frame.b is not None else frame.a]
    chosen = example_concepts(shown, lines, 4)
    look = Look(strong=chosen if chosen.any() else None, labelled=chosen if chosen.any() else None, height=500)
    titles = [
        f"A · {chrome.label(wanted.a)} · layer {wanted.layer_a}",
        f"B · {chrome.label(wanted.b)} · layer {wanted.layer_b}",
    ]
    named = "; the named ones are a handful of concepts joined to their translations" if chosen.any() else ""
    caption = (
        f"Every point is a word in its sentence, coloured by language{named}. Both panels are one PCA frame, so "
        f"shorter lines in B mean that translations moved together. It shows {100 * frame.explained_a:.0f} % of A's "
        f"variance and {100 * (frame.explained_b or 0):.0f} % of B's: what looks near may be far in the other "
        "dimensions, so trust the numbers first."
    )
    chrome.figure(
        shared_scatter(corpus, shown, panels, titles, lines if chosen.any() else np.empty((0, 2), int), look=look),
        name="home-frame", data=lambda: scatter_table(shown, corpus, panels), caption=caption,
        sampled=chrome.sample_line(len(shown), shown.total, data.sample_note(wanted.corpus)),
    )  # fmt: skip


def _per_language(view: state.View, measure: str, scores: list[Scores]) -> None:
    """A and B on every language pair."""
    if not scores:
        st.subheader("No score here")
        st.write("Scores need two of the chosen languages in one row, and word links or whole sentences to compare.")
        return
    gains = sum(1 for item in scores if item.a.low is not None and compare(item.a, item.b).low > 0)
    st.subheader(f"B is clearly better on {gains} of {len(scores)} language pairs")
    what = "words whose nearest neighbour is their translation, %" if measure == "word_retrieval" else (
        "sentences whose nearest neighbour is their translation, %"
    )  # fmt: skip
    made = data.corpus(view.corpus).links_origin
    origin = {"made": " (links made with the text, not gold)", "gold": " (gold links)"}.get(made, "")
    chrome.figure(
        draw_scores(scores, axis=what), name="home-scores", data=lambda: score_rows(scores),
        caption=f"Dot: score on {chrome.plain(corpus_title(view.corpus))}{origin}; line: 95 % "
        "bootstrap interval over rows. Both directions, cosine. It does not show how near the misses are.",
        sampled=data.sample_note(view.corpus),
    )  # fmt: skip


def _links(view: state.View) -> None:
    """Three ways on, each with an example that shows something."""
    shared = state.as_query(view)
    other = next((tag for tag in view.languages if tag != "en"), "es")
    ways = (
        ("explore", "the words for bank lie, in every language", "words and their translations lie", {"word": "bank"}),
        ("heatmap", "one sentence pair agrees word by word", "", {"row": "t002", "source": "en", "target": other}),
        ("translate", "a word's nearest neighbours are in each language", "", {"row": "t002", "source": "en"}),
    )
    for name, tour, elsewhere, preset in ways:
        if not (Path(__file__).parent / f"{name}.py").exists():
            continue
        in_tour = view.corpus == "tour"
        st.page_link(
            f"pages/{name}.py", label=f"See where {tour if in_tour else elsewhere or tour}",
            icon=":material/arrow_forward:", query_params=shared | (preset if in_tour else {}),
        )  # fmt: skip


if __name__ == "__main__":
    render()
