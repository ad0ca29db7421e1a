"""Where the points of a picture stand: PCA at once, UMAP by a process of its own that takes its place when ready."""

import time

import numpy as np
import streamlit as st

from analysis.projection.jobs import Failed, Pending, Projection, request
from pages._parts import chrome, pictures

POLL = 2.0  # seconds between two looks at a job
SETTLED = 1.0  # seconds a view has to stand before a job starts for it


def project(wanted: pictures.Picture, method: str) -> tuple[list[np.ndarray], str, str]:
    """Coordinates of A and B, what the caption says of them, and which method they are by.

    Args:
        wanted: the picture.
        method: PCA or UMAP; PCA stands in while UMAP is computed.
    """
    if method == "UMAP":
        found = _umap(wanted)
        if found is not None:
            note = "One AlignedUMAP frame: near neighbours are kept, distances between groups and axes mean nothing."
            return [found.a, found.b if found.b is not None else found.a], note, "UMAP"
    frame = pictures.pca(wanted)
    shares = f"{100 * frame.explained_a:.0f} % of A's variance and {100 * (frame.explained_b or 0):.0f} % of B's"
    kind = "One PCA of both" if frame.joint else "A PCA of each, B turned onto A over the same points"
    return [frame.a, frame.b if frame.b is not None else frame.a], f"{kind}; it shows {shares}.", "PCA"


def _umap(wanted: pictures.Picture) -> Projection | None:
    """The AlignedUMAP of A and B if it is ready; else a line that waits for it, or says why there is none."""
    found = _ask(wanted)
    if isinstance(found, Projection):
        return found
    if isinstance(found, Pending):
        _wait(wanted)
        return None
    st.warning(chrome.plain(f"UMAP failed: {found.reason}. The picture is PCA."))
    if st.button("Try UMAP again"):
        _ask(wanted, retry=True)
        st.rerun()
    return None


def _ask(wanted: pictures.Picture, *, retry: bool = False) -> Projection | Pending | Failed:
    """Ask for the projection of a view that has stood for a moment: a slider on its way passes many."""
    key, now = wanted.key(), time.monotonic()
    before, since = st.session_state.get("umap asked", ({}, 0.0))
    if before != key:
        st.session_state["umap asked"] = (key, now)
        return Pending(0.0)
    if now - since < SETTLED:
        return Pending(0.0)
    a, b = pictures.matrices(wanted)
    return request(key, {"a": a, "b": b}, retry=retry)


@st.fragment(run_every=POLL)
def _wait(wanted: pictures.Picture) -> None:
    """The line that stands while UMAP is computed, and reruns the page when it is there."""
    found = _ask(wanted)
    if not isinstance(found, Pending):
        st.rerun()
    st.caption(
        f":material/hourglass_top: UMAP is being computed, {found.seconds:.0f} s so far; the picture is PCA until then."
    )
