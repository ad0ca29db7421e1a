"""The shared-frame picture that home and explore show, and its numbers, each computed once per view."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from analysis.encoders.encoder import Encoder
from analysis.projection.faithfulness import Displacement, displacement, knn_kept, neighbours_of_units, trustworthiness
from analysis.projection.mixing import language_mixing
from analysis.projection.pca import Frame, shared_pca
from analysis.projection.units import Shown, choose_units, gather, translation_lines
from analysis.records import Result
from pages._parts import data
from pages._parts.state import View

LIMIT = 1500


@dataclass(frozen=True)
class Picture:
    """Everything that decides a picture: the view, and which units it shows.

    Attributes:
        a, b: names of the encoders; `revision_a`, `revision_b` their revisions.
        corpus, languages, layer_a, layer_b, pool: of the view.
        unit: word or sentence.
        limit: most units.
        concepts_only: only words that express a concept.
    """

    a: str
    b: str
    revision_a: str
    revision_b: str
    corpus: str
    languages: tuple[str, ...]
    layer_a: int
    layer_b: int
    pool: str
    unit: str = "word"
    limit: int = LIMIT
    concepts_only: bool = True

    def key(self) -> dict[str, Any]:
        """What names a projection job: all of this and the text itself."""
        return vars(self) | {"languages": list(self.languages), "text": data.corpus(self.corpus).digest}


def picture(view: View, *, unit: str = "word", limit: int = LIMIT, concepts_only: bool = True) -> Picture:
    """The picture of a view; its vectors are computed first, under a progress line."""
    data.prepare((view.a, view.b), view.corpus, view.languages, unit=unit, pool=view.pool)
    revisions = data.encoder(view.a).revision, data.encoder(view.b).revision
    return Picture(
        view.a, view.b, *revisions, view.corpus, view.languages, view.layer_a, view.layer_b, view.pool,
        unit, limit, concepts_only,
    )  # fmt: skip


@st.cache_resource(max_entries=16, show_spinner=False)
def units(wanted: Picture) -> tuple[Shown, np.ndarray]:
    """The units and the lines between translations.

    Raises:
        InputError: the corpus has none of the languages.
    """
    corpus = data.corpus(wanted.corpus)
    shown = choose_units(
        corpus, wanted.languages, unit=wanted.unit, limit=wanted.limit, concepts_only=wanted.concepts_only
    )
    return shown, translation_lines(corpus, shown, wanted.languages, unit=wanted.unit)


@st.cache_resource(max_entries=8, show_spinner=False)
def matrices(wanted: Picture) -> tuple[np.ndarray, np.ndarray]:
    """The vectors of the units in A and in B."""
    shown, _ = units(wanted)
    return _matrix(wanted, shown, wanted.a, wanted.layer_a), _matrix(wanted, shown, wanted.b, wanted.layer_b)


def _matrix(wanted: Picture, shown: Shown, name: str, layer: int) -> np.ndarray:
    """The vectors of the units in one encoder."""
    tags = dict.fromkeys(shown.language) or data.corpus(wanted.corpus).languages[:1]
    found: Mapping[str, np.ndarray] = {
        tag: data.vectors(name, wanted.corpus, tag, wanted.unit, wanted.pool, layers=[layer]).values[0] for tag in tags
    }
    return gather(shown, found)


@st.cache_resource(max_entries=32, show_spinner=False)
def pca(wanted: Picture) -> Frame:
    """Both encoders by PCA in one frame."""
    a, b = matrices(wanted)
    same = _root(data.encoder(wanted.a)) == _root(data.encoder(wanted.b)) and wanted.layer_a == wanted.layer_b
    return shared_pca(a, b, joint=same and a.shape[1] == b.shape[1])


def _root(encoder: Encoder) -> str:
    """The encoder that an aligned one stands on: vectors on one root at one layer mean the same by a dimension."""
    return encoder.base or encoder.name


@st.cache_data(max_entries=64, show_spinner=False)
def mixing(wanted: Picture) -> tuple[Result, Result]:
    """How far neighbours are in other languages, in A and in B."""
    shown, _ = units(wanted)
    a, b = (language_mixing(matrix, shown.language, shown.row) for matrix in matrices(wanted))
    return a, b


@st.cache_data(max_entries=64, show_spinner="Checking how faithful the picture is ...")
def quality(
    wanted: Picture, method: str, _points: tuple[np.ndarray, np.ndarray]
) -> list[tuple[float | None, float | None]]:
    """Trustworthiness and kept neighbours of each panel; `method` names the projection that gave the points."""
    return [
        (trustworthiness(matrix, points), knn_kept(matrix, points))
        for matrix, points in zip(matrices(wanted), _points, strict=True)
    ]


@st.cache_data(max_entries=32, show_spinner=False)
def moves(wanted: Picture, k: int = 10) -> Displacement:
    """How far each unit moved from A to B relative to its neighbours."""
    return displacement(*matrices(wanted), k=k)


@st.cache_data(max_entries=32, show_spinner=False)
def nearest_unit(wanted: Picture) -> tuple[np.ndarray, np.ndarray]:
    """The nearest other unit of each unit in A and in B."""
    a, b = (
        neighbours_of_units(matrix, 1)[:, 0] if len(matrix) > 2 else np.zeros(len(matrix), int)
        for matrix in matrices(wanted)
    )
    return a, b
