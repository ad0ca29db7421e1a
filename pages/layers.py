"""Layers: how well the languages line up at each layer of A and of B, and how alike the layers are."""

import streamlit as st

from analysis.comparison.curve_words import tell_curves, tells_apart
from analysis.comparison.curves import USUAL, Curve, compare_at, curve_table, pulls_apart
from analysis.figures import curves as curve_figure
from analysis.registry import registered
from analysis.scoring.measure import Material
from analysis.text.languages import language
from pages._parts import chrome, data, encode, layer_maps, state
from pages._parts import layer_curves as parts

TITLE = "Layers"
ORDER = 30
LIMITS = (100, 300, 1000)
LEVELS = ("word", "subword")
NO_CHOICE = (
    "A best layer read off here is chosen on the very pairs it is scored on, so it flatters itself: choose layers on "
    "development data, and report a test set at the layer chosen there."
)


def render() -> None:
    """Draw the page for the view of the sidebar."""
    view = state.current()
    pair = _choose_pair(view)
    if pair is None:
        st.info("Curves and CKA between languages need two languages that share rows: choose them in the sidebar.")
        with chrome.guard():
            layer_maps.between_encoders(view, view.languages[0], 300)
        return
    place = st.container()
    with st.expander("Measures, decoder, sample"):
        keys, options = _settings(view, pair)
    with place, chrome.guard():
        _curves(view, pair, keys, options)
    st.divider()
    with chrome.guard():
        layer_maps.panel(view, pair, options.limit)
    st.divider()
    with chrome.guard():
        _every_pair(view, pair[0], options)


def _choose_pair(view: state.View) -> parts.Pair | None:
    """The two languages, English and the first other one to begin with."""
    tags = list(view.languages)
    if len(tags) < 2:
        return None
    name = lambda tag: language(tag).name  # noqa: E731
    left, right, _ = st.columns([2, 2, 5])
    first = "en" if "en" in tags else tags[0]
    source = left.selectbox("Language", tags, key=state.seeded("source", first, tags), format_func=name)
    rows = data.corpus(view.corpus).rows
    others = [tag for tag in tags if tag != source and any(source in row and tag in row for row in rows)]
    if not others:
        chrome.error(f"no row has {name(source)} and another of the languages chosen; choose others")
        return None
    second = "ru" if "ru" in others else others[0]
    target = right.selectbox("with", others, key=state.seeded("target", second, others), format_func=name)
    state.set_page_value("source", source)
    state.set_page_value("target", target)
    return source, target


def _settings(view: state.View, pair: parts.Pair) -> tuple[list[str], parts.Options]:
    """Which measures, with which decoder and level, on at most how many sentence pairs."""
    decoders = list(registered("decoders"))
    usually = data.encoder(view.a).link_defaults
    one, two, three = st.columns(3)
    decoder = one.selectbox(
        "Decoder of links", decoders, key=state.seeded("decoder", usually.decoder, decoders),
        format_func=lambda name: registered("decoders")[name].title,
    )  # fmt: skip
    level = two.selectbox(
        "Links between", LEVELS, key=state.seeded("level", usually.level, LEVELS), format_func=lambda x: f"{x}s"
    )
    limit = three.selectbox("Sentence pairs at most", LIMITS, key=state.seeded("pairs", LIMITS[1], LIMITS, int))
    stored = usually.settings if decoder == usually.decoder else {}
    options = parts.Options(decoder, level, limit, " ".join(f"{key}={value}" for key, value in stored.items()))
    found = _materials(view, pair, options)
    titles = {variant.key: variant.title for variant in parts.variants_of(found, options)}
    usual = [key for key in USUAL if key in titles] or list(titles)[:4]
    box = state.seeded("measures", usual, parse=lambda text: text.split(","))
    st.session_state[box] = [key for key in st.session_state[box] if key in titles] or usual
    keys = st.multiselect(
        f"Measures that fit this corpus ({len(titles)})", list(titles), key=box, format_func=titles.__getitem__,
        wrap=True, help="Each is computed at every layer of A and of B; only the usual ones until you add more.",
    )  # fmt: skip
    for reason, names in _reasons(parts.misfits(view, found)).items():
        st.caption(f"Not offered: {chrome.plain(', '.join(names))} ({chrome.plain(reason)}).")
    parts.remember({"measures": (",".join(keys), ",".join(usual)), "decoder": (decoder, usually.decoder),
               "level": (level, usually.level), "pairs": (limit, LIMITS[1])})  # fmt: skip
    return keys, options


def _materials(view: state.View, pair: parts.Pair, options: parts.Options) -> tuple[Material, ...]:
    """What the corpus has for measures; nothing, and one line, where the languages share no row."""
    with chrome.guard():
        return parts.of_pair(view, pair, options)
    return ()


def _reasons(misfits: dict[str, str]) -> dict[str, list[str]]:
    """The measures that are not offered, by reason."""
    found: dict[str, list[str]] = {}
    for name, reason in misfits.items():
        found.setdefault(reason, []).append(name)
    return found


def _curves(view: state.View, pair: parts.Pair, keys: list[str], options: parts.Options) -> None:
    """The figure of all chosen measures for one language pair, and the paired test at the chosen layers."""
    if not keys:
        st.info("No measure chosen: pick at least one under “Measures, decoder, sample”.")
        return
    curves, missing = parts.all_curves(view, [(pair, key) for key in keys], options, languages=view.languages)
    for line in missing:
        st.caption(chrome.plain(line))
    if not curves:
        st.info("None of the measures chosen can be computed for A or B; choose others.")
        return
    a, b = parts.by_side(view, curves)[0]
    st.markdown(f"## {chrome.plain(tell_curves(a or curves[0], b or curves[0]))}")
    st.caption(f"Read off {chrome.plain(curves[0].variant.title)}; the other measures below may disagree.")
    if not any(curve.scored for curve in curves):
        st.info(chrome.plain(curves[0].note or "No layer has a score on this corpus."))
        return
    n = max(result.n for result in curves[0].results)
    chrome.figure(
        curve_figure.draw_curves(curves, columns=min(4, len(keys)), chosen={"A": view.layer_a, "B": view.layer_b}),
        name="layers", data=lambda: chrome.columns(curve_table(curves)),
        caption="Each line is one encoder, its band the 95 % bootstrap interval over sentences, the large dot its best "
        f"layer, the dotted upright the layer of the sidebar; n = {n:,} in the first panel. {NO_CHOICE}",
        sampled=_sampled(view, pair, options.limit),
    )  # fmt: skip
    _table(view, curves)
    _hidden(curves)


def _hidden(curves: list[Curve]) -> None:
    """What each of the measures is and does not show."""
    with st.expander("What these measures show, and what they do not"):
        for spec in {curve.variant.measure.name: curve.variant.measure for curve in curves}.values():
            way = {True: "higher is better", False: "lower is better", None: "neither end is better, so no best layer"}
            told = f"{spec.summary} {spec.unit.capitalize()}; {way[spec.higher_is_better]}. {spec.hides}"
            st.markdown(
                f"**{chrome.plain(spec.title)}**  \n{chrome.plain(told)}  \n:small[{chrome.plain(spec.citation)}]"
            )


def _sampled(view: state.View, pair: parts.Pair, limit: int) -> str:
    """What to say where not all rows are used."""
    of = len(data.corpus(view.corpus).pair(*pair))
    fewer = f"Drawn from it: {limit:,} of {of:,} sentence pairs." if limit < of else ""
    return " ".join(filter(None, (data.sample_note(view.corpus), fewer)))


def _table(view: state.View, curves: list[Curve]) -> None:
    """The scores at the layers of the sidebar, with B's change and its paired interval."""
    rows = [compare_at(a, b, view.layer_a, view.layer_b) for a, b in parts.by_side(view, curves)]
    wide = [name for name in rows[0] if name.startswith(("A,", "B,", "B against", "from", "to"))]
    chrome.table(
        chrome.columns(rows), column_config={name: st.column_config.NumberColumn(format="%.2f") for name in wide}
    )
    spec, result = curves[0].variant.measure, curves[0].results[0]
    moved = chrome.chip(rows[0]["B against A"], 1 if result.unit == "percent" else 2, better_high=spec.higher_is_better)
    st.caption(
        f"{chrome.plain(rows[0]['measure'])} at the layers of the sidebar: B against A {moved}. "
        "“from” and “to” bound the paired 95 % interval over sentences."
    )


def _every_pair(view: state.View, source: str, options: parts.Options) -> None:
    """One measure, one small panel for each language of the sidebar."""
    rows = data.corpus(view.corpus).rows
    others = [tag for tag in view.languages if tag != source and any(source in row and tag in row for row in rows)]
    if len(others) < 2:
        return
    texts = {tag: parts.materials(view.corpus, (source, tag), (), options.limit)[:1] for tag in others}
    offered = {tag: {variant.key: variant for variant in parts.variants_of(texts[tag], options)} for tag in others}
    titles = {key: variant.title for key, variant in offered[others[0]].items()}
    if not titles:
        return
    usual = next((key for key in USUAL if key in titles), next(iter(titles)))
    box = state.seeded("over", usual, list(titles))
    key = st.selectbox("Measure over all pairs", list(titles), key=box, format_func=titles.__getitem__)
    parts.remember({"over": (key, usual)})
    known = [tag for tag in others if key in offered[tag]]
    curves, _ = parts.all_curves(view, [((source, tag), key) for tag in known], options)
    drawn = [curve for curve in curves if curve.scored]
    if not drawn:
        st.info("No language pair has a score for this measure.")
        return
    st.markdown(f"### {chrome.plain(_told(view, curves, known, language(source).name))}")
    chrome.figure(
        curve_figure.draw_pairs(drawn, columns=min(4, len(known)), chosen={"A": view.layer_a, "B": view.layer_b}),
        name="layers-languages", data=lambda: chrome.columns(curve_table(curves)),
        caption=f"{chrome.plain(titles[key])} for each language with {chrome.plain(language(source).name)}, A dashed, "
        "B solid, bands of 95 %. Panels have different words and sentences, so compare shapes, not heights. "
        + NO_CHOICE,
        sampled=_sampled(view, (source, known[0]), options.limit),
    )  # fmt: skip


def _told(view: state.View, curves: list[Curve], known: list[str], source: str) -> str:
    """What the curves of all pairs say: how many are pulled apart, or just what is shown."""
    variant = curves[0].variant
    if not tells_apart(variant.measure):
        return f"{variant.title} by layer for each language with {source}"
    shown = zip("AB", encode.names(view.a, view.b), strict=True)
    sides = {side: [curve for curve in curves if curve.side == side] for side, _ in parts.sides(view)}
    told = ", ".join(
        f"{name} pulls {sum(map(pulls_apart, sides[s]))} of {len(known)}" for s, name in shown if s in sides
    )
    return f"{told} pairs with {source} apart towards the last layer"


if __name__ == "__main__":
    render()
