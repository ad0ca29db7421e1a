"""CKA maps of the layers page: layers with layers, between two languages or between two encoders."""

import streamlit as st

from analysis.figures import cka as cka_figure
from analysis.text.languages import language
from pages._parts import chrome, data, encode, state
from pages._parts import layer_curves as parts


def panel(view: state.View, pair: parts.Pair, limit: int) -> None:
    """CKA of layers with layers: between the languages in A and in B, or between the encoders."""
    kinds = {"languages": "between two languages, in A and in B", "encoders": "between A and B, the same words"}
    kind = st.segmented_control(
        "CKA", list(kinds), key=state.seeded("cka", "languages", list(kinds)), format_func=kinds.__getitem__,
        required=True,
    )  # fmt: skip
    parts.remember({"cka": (kind, "languages")})
    if kind == "encoders":
        between_encoders(view, pair[0], limit)
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


def between_encoders(view: state.View, tag: str, limit: int) -> None:
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
        cka_figure.draw_cka(panels), name=name, data=lambda: chrome.columns(cka_figure.cka_rows(panels)),
        caption=told + caption, sampled=first.note,
    )  # fmt: skip
