"""Choose layer, decoder and level for word alignment on development data, and store the choice."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from analysis.encoders.defaults import tuned_path
from analysis.encoders.encoder import Encoder, LinkDefaults
from analysis.encoders.names import CARD, Kind, read_card, resolve
from analysis.encoders.vectors import Unit
from analysis.errors import InputError
from analysis.links.align import decode_pairs
from analysis.links.aligner import LEVELS
from analysis.registry import registered
from analysis.settings import parse_settings
from analysis.store import write_text
from analysis.text.corpus import Bitext
from analysis.text.pharaoh import Links


@dataclass(frozen=True)
class Trial:
    """One combination with its mean F1 over the development data, in percent; `settings` as `key=value`."""

    layer: int
    decoder: str
    level: str
    settings: tuple[str, ...]
    f1: float


def sweep(encoder: Encoder, bitexts: Sequence[Bitext]) -> list[Trial]:
    """Every layer, decoder (with the settings it wants tried) and level, best first.

    The score is F1 of sure and possible links (Och and Ney 2003), averaged over the bitexts.

    Args:
        encoder: the encoder.
        bitexts: development pairs with gold links.

    Raises:
        InputError: data without links.
    """
    if not bitexts or any(bitext.links is None for bitext in bitexts):
        raise InputError("development data without word links; give links with --links FILE or data that has them")
    scores: dict[tuple[int, str, str, tuple[str, ...]], list[float]] = {}
    for bitext in bitexts:
        for key, value in _scores(encoder, bitext):
            scores.setdefault(key, []).append(value)
    trials = [Trial(*key, float(np.mean(values))) for key, values in scores.items()]
    return sorted(trials, key=lambda trial: -trial.f1)


def _scores(encoder: Encoder, bitext: Bitext) -> Iterator[tuple[tuple[int, str, str, tuple[str, ...]], float]]:
    """F1 of every combination on one bitext; each level is encoded once for all layers."""
    for level in LEVELS:
        source, target = (encoder.vectors(side, unit=Unit(level)) for side in (bitext.source, bitext.target))
        for layer in range(1, encoder.depth + 1):
            for name, decoder in registered("decoders").items():
                for tried in decoder.tried:
                    options = parse_settings(decoder.settings, tried)
                    found = decode_pairs(
                        source, target, len(bitext), layer=layer, decoder=decoder, settings=options, level=level
                    )
                    yield (layer, name, level, tried), corpus_f1(found, bitext.links or ())


def corpus_f1(found: Sequence[Links], gold: Sequence[Links]) -> float:
    """F1 in percent over all pairs that have gold links: precision against possible, recall of sure ones."""
    pairs = [(one.sure, other) for one, other in zip(found, gold, strict=True) if other.possible]
    hits_possible = sum(len(links & other.possible) for links, other in pairs)
    hits_sure = sum(len(links & other.sure) for links, other in pairs)
    precision = hits_possible / max(1, sum(len(links) for links, _ in pairs))
    recall = hits_sure / max(1, sum(len(other.sure) for _, other in pairs))
    return 200 * precision * recall / (precision + recall) if precision + recall else 0.0


def choose(encoder: Encoder, bitexts: Sequence[Bitext]) -> tuple[LinkDefaults, list[Trial]]:
    """The best combination as the encoder's defaults, with all trials.

    Raises:
        InputError: data without links.
    """
    trials = sweep(encoder, bitexts)
    data = ", ".join(f"{bitext.name} {'-'.join(bitext.languages)}" for bitext in bitexts)
    best = trials[0]
    options = parse_settings(registered("decoders")[best.decoder].settings, best.settings)
    named = {setting.partition("=")[0] for setting in best.settings}
    kept = {key: value for key, value in asdict(options).items() if key in named}
    return LinkDefaults(best.layer, best.decoder, best.level, kept, f"F1 {best.f1:.1f} on {data}"), trials


def store_choice(encoder: Encoder, choice: LinkDefaults) -> str:
    """Write the choice into the encoder's isogloss.json, else into the cache folder under its name and revision.

    Returns:
        The path that was written.
    """
    found = resolve(encoder.name)
    if found.kind is Kind.ALIGNED and found.folder is not None:
        card = read_card(found.folder) | {"links": asdict(choice)}
        try:
            write_text(found.folder / CARD, json.dumps(card, indent=1, ensure_ascii=False) + "\n")
        except OSError:
            pass
        else:
            return str(found.folder / CARD)
    path = tuned_path(encoder.name, encoder.revision)
    write_text(
        path, json.dumps({"encoder": encoder.name, "revision": encoder.revision, "links": asdict(choice)}, indent=1)
    )
    return str(path)
