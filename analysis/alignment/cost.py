"""What training a method would cost, before it starts."""

from collections.abc import Sequence
from typing import Any

from analysis.alignment.method import AlignmentData, Method, orient
from analysis.alignment.pairs import wanted_languages
from analysis.encoders.encoder import Encoder
from analysis.text.corpus import Bitext
from analysis.training.estimate import Estimate, estimate_run


def estimate(method: Method, encoder: Encoder, bitexts: Sequence[Bitext], settings: Any) -> Estimate | None:
    """Time one step of a run and reckon up the rest; None for a closed-form method, which takes a pass or two.

    Args:
        method: a registered method.
        encoder: the base.
        bitexts: training pairs, the anchor on either side.
        settings: of the method.

    Raises:
        InputError: data or settings the run would be refused for.
    """
    if method.objective is None:
        return None
    data = AlignmentData(orient(bitexts, settings.anchor), anchor=settings.anchor)
    languages = wanted_languages(data, settings.languages)
    return estimate_run(encoder, data.bitexts, languages, settings, method.objective)
