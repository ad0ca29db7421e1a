"""How fast this machine is: tokens a second of each encoder, and what a measure took last time."""

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.encoders.encoder import Encoder
from analysis.encoders.vectors import Pool, Unit
from analysis.errors import IsoglossError
from analysis.store import cache_folder, write_text
from analysis.text.corpus import Sentence

SAMPLE_TOKENS = 400  # what an encoder is timed on
BYTES_A_TOKEN = 5.0  # where no tokenizer has been asked
PRODUCTS_A_SECOND = 5e9  # multiplications of a similarity matrix, where a measure has not been timed


@dataclass(frozen=True)
class Speed:
    """How fast an encoder is.

    Attributes:
        seconds: for a token, at full depth.
        tokens: for a byte of UTF-8, over the languages of the sample.
        load: seconds to load it.
        rough: whether it is a guess.
    """

    seconds: float
    tokens: float
    load: float
    rough: bool = False


def known_speed(encoder: Encoder) -> Speed | None:
    """What an earlier calibration of this revision found, None where there is none."""
    with suppress(KeyError, TypeError, ValueError):
        return Speed(**_notes()["encoders"][encoder.revision])
    return None


def calibrate(encoder: Encoder, sentences: Sequence[Sentence]) -> Speed:
    """Time an encoder on some hundred tokens of a text, and note it under the encoder's revision.

    Args:
        encoder: its weights are loaded.
        sentences: a sample of the text it will read.

    Raises:
        InputError: the encoder cannot be loaded.
    """
    begun = time.perf_counter()
    model = encoder.model
    load = time.perf_counter() - begun
    coded = model.tokenizer([one.text for one in sentences], add_special_tokens=True)["input_ids"]
    sizes = np.array([len(ids) for ids in coded])
    chosen = sentences[: 1 + int(np.searchsorted(np.cumsum(sizes), SAMPLE_TOKENS))]
    seconds = 0.0
    for _ in range(2):  # the first pass warms up
        begun = time.perf_counter()
        encoder.compute(chosen, Unit.WORD, Pool.MEAN, (encoder.depth,))
        seconds = time.perf_counter() - begun
    read = int(sizes[: len(chosen)].sum())
    found = Speed(seconds / max(1, read), float(sizes.sum()) / max(1, utf8_bytes(sentences)), load)
    note("encoders", encoder.revision, vars(found))
    return found


def utf8_bytes(sentences: Sequence[Sentence]) -> int:
    """Bytes of a text."""
    return sum(len(one.text.encode("utf-8", "replace")) for one in sentences)


def measure_seconds(measure: str, left: int, right: int, dim: int) -> float:
    """What computing a measure once will take.

    Args:
        measure: registered name.
        left: units of the first side.
        right: units of the second; of one text the same.
        dim: width of a vector.

    Returns:
        The seconds of the last time, scaled by the number of comparisons; else a guess from the size of one
        similarity matrix, gone through six times.
    """
    product = float(left) * right
    with suppress(TypeError, KeyError, ValueError, ZeroDivisionError):
        seconds, before = _notes()["measures"][measure]
        scale = product / float(before)
        return float(seconds) * (scale if scale > 1 else scale**0.5)
    return 0.05 + 6 * product * dim / PRODUCTS_A_SECOND


def note(kind: str, name: str, value: Any) -> None:
    """Write down a time, for later estimates; what cannot be written is not worth a failure."""
    notes = _notes()
    notes[kind] = {**notes[kind], name: value}
    with suppress(OSError, IsoglossError):
        write_text(cache_folder() / "scores" / "speed.json", json.dumps(notes))


def _notes() -> dict[str, Mapping[str, Any]]:
    """What has been written down."""
    try:
        found = json.loads((cache_folder() / "scores" / "speed.json").read_text("utf-8"))
        return {kind: dict(found.get(kind, {})) for kind in ("encoders", "measures")}
    except (OSError, ValueError, TypeError, AttributeError):
        return {"encoders": {}, "measures": {}}
