"""Layers: how well the languages line up at each layer of A and of B, and how alike the layers are."""

import streamlit as st

from analysis.figures import cka as cka_figure
from analysis.figures import curves as curve_figure
from analysis.measures.curves import USUAL, Curve, compare_at, curve_table, pulls_apart, tell_curves
from analysis.registry import registered
from analysis.text.languages import language
from pages._parts import chrome, data, encode, state
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
            _encoder_maps(view, view.languages[0], 300)
        return
    place = st.container()
    with st.expander("Measures, decoder, sample"):
        keys, options = _settings(view, pair)
    with place, chrome.guard():
        _curves(view, pair, keys, options)
    st.divider()
    with chrome.guard():
        _maps(view, pair, options.limit)
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
    titles = {variant.key: variant.title for variant in parts.variants_of(view, pair, options)}
    usual = [key for key in USUAL if key in titles] or list(titles)[:4]
    box = state.seeded("measures", usual, parse=lambda text: text.split(","))
    st.session_state[box] = [key for key in st.session_state[box] if key in titles] or usual
    keys = st.multiselect("Measures that fit this corpus", list(titles), key=box, format_func=titles.__getitem__)
    offered = {key.partition("-")[0] for key in titles}
    missing = [spec.title for name, spec in registered("measures").items() if name not in offered]
    if missing:
        st.caption(f"Not offered, for lack of word links between these languages: {', '.join(missing)}.")
    _remember({"measures": (",".join(keys), ",".join(usual)), "decoder": (decoder, usually.decoder),
               "level": (level, usually.level), "pairs": (limit, LIMITS[1])})  # fmt: skip
    return keys, options


def _remember(values: dict[str, tuple[object, object]]) -> None:
    """Put values into the URL that are not the usual ones."""
    for key, (value, usual) in values.items():
        state.set_page_value(key, "" if value == usual else value)


def _curves(view: state.View, pair: parts.Pair, keys: list[str], options: parts.Options) -> None:
    """The figure of all chosen measures for one language pair, and the paired test at the chosen layers."""
    if not keys:
        st.info("No measure chosen: pick at least one under “Measures, decoder, sample”.")
        return
    curves = parts.all_curves(view, [(pair, key) for key in keys], options)
    st.markdown(f"## {chrome.plain(tell_curves(curves[0], curves[len(parts.sides(view)) - 1]))}")
    st.caption(f"Read off {curves[0].variant.title.lower()}; the other measures below may disagree.")
    if not any(result.score is not None for curve in curves for result in curve.results):
        st.info(chrome.plain(curves[0].note or "No layer has a score on this corpus."))
        return
    n = max(result.n for result in curves[0].results)
    chrome.figure(
        curve_figure.draw_curves(curves, columns=min(4, len(keys)), chosen={"A": view.layer_a, "B": view.layer_b}),
        name="layers", data=lambda: _columns(curve_table(curves)),
        caption="Each line is one encoder, its band the 95 % bootstrap interval over sentences, the large dot its best "
        f"layer, the dotted upright the layer of the sidebar; n = {n:,} in the first panel. {NO_CHOICE}",
        sampled=_sampled(view, pair, options.limit),
    )  # fmt: skip
    _table(view, curves)


def _sampled(view: state.View, pair: parts.Pair, limit: int) -> str:
    """What to say where not all rows are used."""
    of = len(data.corpus(view.corpus).pair(*pair))
    fewer = f"Drawn from it: {limit:,} of {of:,} sentence pairs." if limit < of else ""
    return " ".join(filter(None, (data.sample_note(view.corpus), fewer)))


def _columns(rows: list[dict]) -> dict[str, list]:
    """Records as columns."""
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}


def _table(view: state.View, curves: list[Curve]) -> None:
    """The scores at the layers of the sidebar, with B's change and its paired interval."""
    step = len(parts.sides(view))
    pairs = zip(curves[::step], curves[step - 1 :: step], strict=True)
    rows = [compare_at(a, b, view.layer_a, view.layer_b) for a, b in pairs]
    wide = [name for name in rows[0] if name.startswith(("A,", "B,", "B against", "from", "to"))]
    chrome.table(_columns(rows), column_config={name: st.column_config.NumberColumn(format="%.2f") for name in wide})
    spec, result = curves[0].variant.measure, curves[0].results[0]
    moved = chrome.chip(rows[0]["B against A"], 1 if result.unit == "percent" else 2, better_high=spec.higher_is_better)
    st.caption(
        f"{chrome.plain(rows[0]['measure'])} at the layers of the sidebar: B against A {moved}. "
        "“from” and “to” bound the paired 95 % interval over sentences."
    )


def _maps(view: state.View, pair: parts.Pair, limit: int) -> None:
    """CKA of layers with layers: between the languages in A and in B, or between the encoders."""
    kinds = {"languages": "between two languages, in A and in B", "encoders": "between A and B, the same words"}
    kind = st.segmented_control(
        "CKA", list(kinds), key=state.seeded("cka", "languages", list(kinds)), format_func=kinds.__getitem__,
        required=True,
    )  # fmt: skip
    _remember({"cka": (kind, "languages")})
    if kind == "encoders":
        _encoder_maps(view, pair[0], limit)
        return
    maps = [
        parts.language_map(name, data.encoder(name).revision, view.corpus, pair, view.pool, limit)
        for _, name in parts.sides(view)
    ]
    st.markdown(f"### {chrome.plain(cka_figure.tell_cka(maps[0], maps[-1], pair, encode.names(view.a, view.b)))}")
    axes = f"{pair[1]} layer", f"{pair[0]} layer"
    chosen = {"A": view.layer_a, "B": view.layer_b}
    panels = [
        cka_figure.Panel(f"{side}  {name}", *axes, found, outlined=(chosen[side], chosen[side]))
        for side, name, found in zip("AB", encode.names(view.a, view.b), maps, strict=False)
    ]
    moved = cka_figure.difference(maps[0], maps[-1]) if len(maps) > 1 else None
    if moved is not None:
        panels.append(cka_figure.Panel("B minus A", *axes, moved, difference=True))
    _show_maps(
        panels, "cka-languages",
        "Each cell compares translations at a layer of one language with a layer of the other; the outline is the "
        "layer of the sidebar. CKA cannot see a rotation, so it does not show whether translations lie close "
        "together: an aligning rotation leaves it as it is.",
    )  # fmt: skip


def _encoder_maps(view: state.View, tag: str, limit: int) -> None:
    """CKA within A, within B and between A and B over the same words of one language."""
    with st.spinner("Comparing the layers ..."):
        pairs = [(view.a, view.a)] if view.a == view.b else [(view.a, view.a), (view.b, view.b), (view.a, view.b)]
        maps = [
            parts.encoder_map(
                a, b, f"{data.encoder(a).revision} {data.encoder(b).revision}", view.corpus, tag, view.pool, limit
            )
            for a, b in pairs
        ]
    between = maps[-1]
    end = float(between.values[-1, -1])
    names = ("A", "A"), ("B", "B"), ("A", "B")
    a, b = encode.names(view.a, view.b)
    told = f"{a} and {b} see {language(tag).name} words with a CKA of {end:.2f} at their last layers"
    if view.a == view.b:
        told = f"How alike the layers of {a} are on {language(tag).name} words"
    st.markdown(f"### {chrome.plain(told if end == end else between.note)}")
    layer = {"A": view.layer_a, "B": view.layer_b}
    panels = [
        cka_figure.Panel(
            f"within {one}" if one == two else "between A and B", f"layer of {two}", f"layer of {one}", found,
            outlined=(layer[one], layer[two]),
        )
        for (one, two), found in zip(names, maps, strict=False)
    ]  # fmt: skip
    _show_maps(
        panels, "cka-encoders",
        f"Each cell compares the same {chrome.plain(language(tag).name)} words at two layers; encoders of another "
        "depth or width compare as well. It shows whether the geometry is the same, not whether it is good.",
    )  # fmt: skip


def _show_maps(panels: list[cka_figure.Panel], name: str, caption: str) -> None:
    """The heatmaps with n and the shuffled floor."""
    first = panels[0].map
    if first.values.size and first.values[-1, -1] != first.values[-1, -1]:
        st.info(chrome.plain(first.note or "One side does not vary, so CKA is not defined."))
        return
    told = (
        f"{str(first.estimator).capitalize()} linear CKA over n = {first.n:,} {first.items}; "
        f"shuffled pairs give {abs(first.floor_mean):.2f}. "
    )
    chrome.figure(
        cka_figure.draw_cka(panels), name=name, data=lambda: _columns(cka_figure.cka_rows(panels)),
        caption=told + caption, sampled=first.note,
    )  # fmt: skip


def _every_pair(view: state.View, source: str, options: parts.Options) -> None:
    """One measure, one small panel for each language of the sidebar."""
    rows = data.corpus(view.corpus).rows
    others = [tag for tag in view.languages if tag != source and any(source in row and tag in row for row in rows)]
    if len(others) < 2:
        return
    offered = parts.variants_of(view, (source, others[0]), options)
    titles = {variant.key: variant.title for variant in offered}
    if not titles:
        return
    usual = next((key for key in USUAL if key in titles), next(iter(titles)))
    key = st.selectbox(
        "Measure over all pairs",
        list(titles),
        key=state.seeded("over", usual, list(titles)),
        format_func=titles.__getitem__,
    )
    _remember({"over": (key, usual)})
    known = [tag for tag in others if parts.offers(view, (source, tag), options, key)]
    curves = parts.all_curves(view, [((source, tag), key) for tag in known], options)
    drawn = [curve for curve in curves if curve.best is not None]
    if not drawn:
        st.info("No language pair has a score for this measure.")
        return
    step = len(parts.sides(view))
    told = ", ".join(
        f"{name} pulls {sum(map(pulls_apart, curves[n::step]))} of {len(known)}"
        for n, name in enumerate(encode.names(view.a, view.b)[:step])
    )
    name = chrome.plain(language(source).name)
    st.markdown(f"### {chrome.plain(told)} pairs with {name} apart towards the last layer")
    chrome.figure(
        curve_figure.draw_pairs(drawn, columns=min(4, len(known)), chosen={"A": view.layer_a, "B": view.layer_b}),
        name="layers-languages", data=lambda: _columns(curve_table(curves)),
        caption=f"{chrome.plain(titles[key])} for each language with {name}, A dashed, B solid, bands of 95 %. "
        "Panels have different words and sentences, so compare shapes, not heights. " + NO_CHOICE,
        sampled=_sampled(view, (source, known[0]), options.limit),
    )  # fmt: skip


if __name__ == "__main__":
    render()
