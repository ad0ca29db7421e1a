"""Translate: the nearest neighbours of a word in the other languages, by A and by B, in their sentences."""

import streamlit as st

from analysis.errors import InputError
from analysis.figures import dots
from analysis.neighbours.query import describe_word, read_query, tell_moves
from analysis.neighbours.translations import telling_position, telling_row
from analysis.text.identify import identify
from analysis.text.languages import language
from pages._parts import chrome, data, encode, lookup, state, words

TITLE = "Translate"
ORDER = 40
LENGTHS = (3, 5, 10, 20)
DETECT = "detect"
SOURCES = {"corpus": "a sentence of the corpus", "typed": "your own word or sentence"}


def render() -> None:
    """Draw the page for the view of the sidebar."""
    view = state.current()
    st.html(words.STYLE)
    with chrome.guard():
        word = _choose(view)
        place = st.container()
        with st.expander("Score, length of the lists, word types"):
            score, k, once, own = _settings()
        with place:
            if word is None:
                st.info("Click a word above, or put it in [brackets].")
            else:
                _answer(view, word, score, k, once, own)


def _choose(view: state.View) -> lookup.Word | None:
    """The word to look up: clicked in a sentence of the corpus, or typed."""
    kind = st.segmented_control(
        "Look up a word in", list(SOURCES), key=state.seeded("from", "corpus", list(SOURCES)),
        format_func=SOURCES.__getitem__, required=True,
    )  # fmt: skip
    state.set_page_value("from", "" if kind == "corpus" else kind)
    return _from_corpus(view) if kind == "corpus" else _own(view)


def _from_corpus(view: state.View) -> lookup.Word | None:
    """A word of a sentence of the corpus."""
    corpus = data.corpus(view.corpus)
    tags = list(view.languages)
    first = "en" if "en" in tags else tags[0]
    left, right = st.columns([2, 7])
    tag = left.selectbox(
        "Language", tags, key=state.seeded("source", first, tags), format_func=lambda tag: language(tag).name
    )
    state.set_page_value("source", tag)
    rows = lookup.row_names(corpus, tag)
    start = telling_row(corpus, tag)
    usual = next(name for name, n in rows.items() if n == start)
    name = right.selectbox(
        "Sentence", list(rows), key=state.seeded("row", usual, list(rows)),
        format_func=lambda name: f"{name}  {corpus.rows[rows[name]][tag].text[:110]}",
    )  # fmt: skip
    state.set_page_value("row", name)
    row = rows[name]
    sentence = corpus.rows[row][tag]
    usual_at = telling_position(sentence)
    asked = state.page_value("at", f"{tag} {name} {usual_at}").rpartition(" ")
    same = asked[0] == f"{tag} {name}" and asked[2].isdecimal() and len(asked[2]) < 7
    chosen = int(asked[2]) if same else usual_at
    chosen = chosen if chosen < len(sentence.spans) else 0
    picked = words.pick_word(sentence, f"{view.corpus} {row} {tag}", chosen)
    position = chosen if picked is None else picked
    state.set_page_value("at", f"{tag} {name} {position}")
    return lookup.Word(sentence, position, row)


def _own(view: state.View) -> lookup.Word | None:
    """A word somebody types, alone or in a sentence."""
    left, right = st.columns([2, 7])
    tags = [DETECT, *data.corpus(view.corpus).languages]
    tag = left.selectbox(
        "Language", tags, key=state.seeded("lang", DETECT, tags),
        format_func=lambda tag: "detect it" if tag == DETECT else language(tag).name,
    )  # fmt: skip
    text = right.text_input(
        "A word, or a sentence with the word in [brackets]",
        key=state.seeded("text", "We sat on the [bank] and watched the boats."), max_chars=2000,
    )  # fmt: skip
    state.set_page_value("text", text)
    state.set_page_value("lang", "" if tag == DETECT else tag)
    if not text.strip():
        raise InputError("nothing typed yet; type a word, or a sentence with its word in [brackets]")
    known = identify(text.replace("[", "").replace("]", "")).tag if tag == DETECT else tag
    query = read_query(text, known)
    if tag == DETECT:
        st.caption(f"Read as {chrome.plain(language(known).name)}; choose the language on the left if that is wrong.")
    asked = state.page_value("nth", -1, int)
    chosen = asked if 0 <= asked < len(query.sentence.spans) else query.position
    if len(query.sentence.spans) > 1:
        picked = words.pick_word(query.sentence, f"own {text}", chosen)
        chosen = chosen if picked is None else picked
    state.set_page_value("nth", "" if chosen is None or chosen == query.position else chosen)
    return None if chosen is None else lookup.Word(query.sentence, chosen)


def _settings() -> tuple[str, int, bool, bool]:
    """Score of the lists, their length, whether types are listed once, whether the own language is searched too."""
    one, two, three = st.columns([2, 2, 5])
    score = one.selectbox(
        "Lists ranked by", list(lookup.SCORES), key=state.seeded("score", "cosine", list(lookup.SCORES)),
        format_func=lookup.SCORES.__getitem__, help="CSLS lowers words that are close to everything (hubs).",
    )  # fmt: skip
    k = two.selectbox("Neighbours listed", LENGTHS, key=state.seeded("k", 5, LENGTHS, int))
    flag = lambda text: text == "1"  # noqa: E731
    once = three.checkbox(
        "List each word type once, by its best occurrence", key=state.seeded("once", False, None, flag)
    )
    own = three.checkbox("Search the word's own language too", key=state.seeded("own", False, None, flag))
    for key, value, usual in (("score", score, "cosine"), ("k", k, 5), ("once", int(once), 0), ("own", int(own), 0)):
        state.set_page_value(key, "" if value == usual else value)
    return score, k, once, own


def _answer(view: state.View, word: lookup.Word, score: str, k: int, once: bool, own: bool) -> None:
    """The headline, the ranks of the true translations, and the lists of each language."""
    tags = [tag for tag in view.languages if own or tag != word.sentence.language] or list(view.languages)
    if not lookup.has_background(view, word):
        st.caption(
            "CSLS needs words of the query's language in the corpus, and there are none: only the cosine is shown."
        )
    data.prepare((view.a, view.b), view.corpus, [word.sentence.language, *tags], pool=view.pool)
    found = [lookup.look_up(view, word, tag, score=score, k=k, once=once) for tag in tags]
    score = score if score in found[0].moves else "cosine"
    told = describe_word(word.sentence, word.position)
    known = [item.moves[score] for item in found if item.language != word.sentence.language]
    any_known = any(move.before and move.after for move in known)
    a, b = encode.names(view.a, view.b)
    named = (f"{a}, layer {view.layer_a}", f"{b}, layer {view.layer_b}")
    if any_known:
        st.markdown(f"## {chrome.plain(tell_moves(told, known, *named))}")
    else:
        st.markdown(f"## Nearest neighbours of {chrome.plain(told)}")
        st.caption("No true translation is known: the text is your own, or the word has no link in this corpus.")
    st.html(words.sentence_html(word.sentence, word.position))
    if not any(item.lists["A"] or item.lists["B"] for item in found):
        st.info("The encoders have no vector for this word (no subword touches it), so it has no neighbours.")
        return
    if any_known:
        _ranks(view, found, known, named, score, told)
    if word.row is not None:
        _movers(view, word, tags, score)
    for item in found:
        _lists(view, item, score, once)
    st.caption(
        "The true translation, where known, has a bar at its left, and is added below the list where it stands "
        "further down. ▲ and ▼: places gained and lost against A, whose rank stands in brackets. Neighbours are "
        "searched in the encoder's own space among all words of the language in this corpus; a near word that is no "
        f"translation may still be a good one. {chrome.plain(data.sample_note(view.corpus))} "
        f"{chrome.plain(lookup.background_note(view, word))}"
    )
    rows = _rows(view, word, found, score)
    st.download_button(
        "All lists as CSV", lambda: _as_csv(rows), "neighbours.csv", "text/csv", type="tertiary", on_click="ignore"
    )


def _movers(view: state.View, word: lookup.Word, tags: list[str], score: str) -> None:
    """The words of this language that move most, to click."""
    if (view.a, view.layer_a) == (view.b, view.layer_b):
        return
    corpus, source = data.corpus(view.corpus), word.sentence.language
    found = lookup.movers(view, source, tags, score)
    if not found:
        return
    labels = words.unique_labels([lookup.mover_label(corpus, source, move) for move in found], 80)
    names = {n: name for name, n in lookup.row_names(corpus, source).items()}

    def follow() -> None:
        chosen = st.session_state.get("movers")
        if chosen is not None:
            move = found[chosen]
            st.session_state["page row"] = names[move.row]
            state.set_page_value("row", names[move.row])
            state.set_page_value("at", f"{source} {names[move.row]} {move.position}")

    st.pills(
        "Words whose translation moves most from A to B, picked for that: not typical ones", range(len(found)),
        format_func=lambda n: labels[n], key="movers", on_change=follow,
    )  # fmt: skip


def _ranks(view: state.View, found: list, known: list, named: tuple[str, str], score: str, told: str) -> None:
    """The figure of ranks, and a table with both scores."""
    picture, table = st.columns(2, gap="medium")
    with picture:
        chrome.figure(
            dots.draw_ranks(known, *named), name="ranks", data=lambda: chrome.columns(dots.rank_rows(known, *named)),
            caption=f"Where the true translation of {chrome.plain(told)} stands among all words of each language, by "
            f"{lookup.SCORES[score]}: open circle A, dot B, 1 is best. It does not show what stands before it.",
            sampled=data.sample_note(view.corpus),
        )  # fmt: skip
    rows = []
    for item in found:
        move = item.moves[score]
        if not (move.before and move.after):
            continue
        row = {"": language(item.language).name, "translation": move.word}
        for kind, moved in item.moves.items():
            row |= {f"A {lookup.SCORES[kind]}": moved.before, f"B {lookup.SCORES[kind]}": moved.after}
        rows.append(row | {"of": move.of})
    with table:
        chrome.table(chrome.columns(rows))
        st.caption("Ranks by both scores: a gain by cosine that CSLS does not show comes from fewer hubs.")


def _lists(view: state.View, item: lookup.Found, score: str, once: bool) -> None:
    """The neighbours in one language by A and by B."""
    corpus = data.corpus(view.corpus)
    move = item.moves[score]
    moved = ""
    if move.before and move.after:
        moved = chrome.chip(move.before - move.after, 0, "places")
    what = "word types" if once else "words"
    st.markdown(f"**{chrome.plain(language(item.language).name)}**, {item.candidates:,} {what} {moved}")
    for column, side, name, layer in zip(
        st.columns(2, gap="medium"), "AB", encode.names(view.a, view.b), (view.layer_a, view.layer_b), strict=True
    ):
        column.caption(f"{side}  {chrome.plain(name)}, layer {layer}, {lookup.SCORES[score]}")
        column.html(words.neighbour_list(corpus, item.language, item.lists[side], side, "B" if side == "A" else "A"))


def _rows(view: state.View, word: lookup.Word, found: list, score: str) -> list[dict]:
    """One record a neighbour, for the CSV."""
    corpus = data.corpus(view.corpus)
    return [
        {
            "query": word.sentence.words[word.position], "query sentence": word.sentence.text, "side": side,
            "encoder": view.a if side == "A" else view.b, "layer": view.layer_a if side == "A" else view.layer_b,
            "language": item.language, "score by": score, "rank": line.rank, "score": line.score, "word": line.text,
            "rank on the other side": line.other_rank, "true translation": line.translation,
            "row": corpus.row_ids[line.row], "sentence": corpus.rows[line.row][item.language].text,
        }
        for item in found for side in "AB" for line in item.lists[side]
    ]  # fmt: skip


def _as_csv(rows: list[dict]) -> bytes:
    """Records as CSV."""
    import pandas

    return pandas.DataFrame(rows).to_csv(index=False).encode("utf-8-sig", "replace")


if __name__ == "__main__":
    render()
