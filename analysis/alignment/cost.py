"""What training a method would cost, before it starts."""

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.alignment.method import AlignmentData, Method, orient
from analysis.alignment.trained import training_data
from analysis.encoders.encoder import Encoder
from analysis.text.corpus import Bitext, Sentence
from analysis.text.dictionary import Dictionary
from analysis.training.estimate import Estimate, estimate_run


def estimate(
    method: Method, encoder: Encoder, bitexts: Sequence[Bitext], settings: Any, *,
    monolingual: Mapping[str, tuple[Sentence, ...]] | None = None, dictionaries: Sequence[Dictionary] = (),
) -> Estimate | None:  # fmt: skip
    """Time one step of a run and reckon up the rest; None for a closed-form method, which takes a pass or two.

    Args:
        method: a registered method.
        encoder: the base.
        bitexts: training pairs, the anchor on either side.
        settings: of the method.
        monolingual: sentences without translation, by language.
        dictionaries: word translations.

    Raises:
        InputError: data or settings the run would be refused for.
    """
    if method.objective is None:
        return None
    data = AlignmentData(
        orient(bitexts, settings.anchor), dict(monolingual or {}), settings.anchor, dictionaries=tuple(dictionaries)
    )
    return estimate_run(encoder, training_data(data, settings), settings, method.objective)
