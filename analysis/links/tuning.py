"""Choose layer, decoder and level for word alignment on development data, and store the choice."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from analysis import store
from analysis.encoders.defaults import tuned_path
from analysis.encoders.encoder import Encoder, LinkDefaults, Progress
from analysis.encoders.names import CARD, Kind, read_card, resolve
from analysis.encoders.vectors import Unit, Vectors
from analysis.errors import InputError
from analysis.links.align import PairSimilarities, similarities, similarity_kind, word_links
from analysis.links.aligner import LEVELS
from analysis.links.decoder import Decoder
from analysis.links.timing import decode_timed
from analysis.registry import find, registered
from analysis.settings import parse_settings
from analysis.store import write_text
from analysis.text.corpus import Bitext
from analysis.text.pharaoh import Links

# Part of the key of finished layers in the cache: raise it when a decoder's rule changes.
SWEEP = 1


@dataclass(frozen=True)
class Trial:
    """One combination and how it did.

    Attributes:
        layer, decoder, level: the combination.
        settings: the decoder's settings that differ from their defaults, as `key=value`.
        f1: mean F1 over the development data, in percent.
        seconds_per_1000: time to decode 1,000 of these sentence pairs, without encoding them.
    """

    layer: int
    decoder: str
    level: str
    settings: tuple[str, ...]
    f1: float
    seconds_per_1000: float


@dataclass(frozen=True)
class Plan:
    """What is tried: every decoder with each of the settings it wants tried, at each of these layers."""

    decoders: tuple[tuple[Decoder, tuple[str, ...]], ...]
    layers: tuple[int, ...]

    def key(self, encoder: Encoder, bitext: Bitext, level: str, layer: int) -> dict[str, Any]:
        """Everything that decides the scores of one layer."""
        trials = [[one.name, asdict(parse_settings(one.settings, tried))] for one, tried in self.decoders]
        return {
            "kind": "tuning", "sweep": SWEEP, "encoder": encoder.name, "revision": encoder.revision,
            "text": bitext.digest, "level": level, "layer": layer, "trials": trials,
        }  # fmt: skip


def make_plan(encoder: Encoder, decoders: Sequence[str] | None = None, layers: Iterable[int] | None = None) -> Plan:
    """What to try.

    Args:
        encoder: whose layers they are.
        decoders: names of decoders, None for all.
        layers: layers, None for all but the embedding output.

    Raises:
        InputError: a decoder or a layer that does not exist.
    """
    wanted = registered("decoders").values() if not decoders else [find("decoders", n) for n in dict.fromkeys(decoders)]
    return Plan(
        tuple((decoder, tried) for decoder in wanted for tried in decoder.tried),
        encoder.check_layers(range(1, encoder.depth + 1) if layers is None else layers),
    )


def sweep(
    encoder: Encoder, bitexts: Sequence[Bitext], *, plan: Plan | None = None, progress: Progress | None = None,
    encoding: Progress | None = None,
) -> list[Trial]:  # fmt: skip
    """Every layer, decoder (with the settings it wants tried) and level, best first.

    The score is F1 of sure and possible links (Och and Ney 2003), averaged over the bitexts. Each finished layer
    is kept in the cache, so that an interrupted sweep goes on where it was.

    Args:
        encoder: the encoder.
        bitexts: development pairs with gold links.
        plan: what to try, everything if None.
        progress: called with the number of layers done and to do, over all bitexts and levels.
        encoding: called with the number of tokens done and to do, for each side that is encoded.

    Raises:
        InputError: data without links.
    """
    if not bitexts or any(bitext.links is None for bitext in bitexts):
        raise InputError("development data without word links; give links with --links FILE or data that has them")
    for bitext in bitexts:
        if not any(pair.sure for pair in bitext.links or ()):
            raise InputError(f"{bitext.name} has no sure word link to choose by; give links such as 0-0 1-2")
    plan = plan or make_plan(encoder)
    found: dict[tuple[int, str, str, tuple[str, ...]], list[np.ndarray]] = {}
    total, done = len(bitexts) * len(LEVELS) * len(plan.layers), 0
    for bitext in bitexts:
        for level in LEVELS:
            for layer, scores in _layers(encoder, bitext, level, plan, encoding):
                for (decoder, tried), row in zip(plan.decoders, scores, strict=True):
                    found.setdefault((layer, decoder.name, level, tried), []).append(row)
                done += 1
                if progress:
                    progress(done, total)
    trials = [Trial(*key, *np.mean(rows, axis=0).tolist()) for key, rows in found.items()]
    return sorted(trials, key=lambda trial: -trial.f1)


def _layers(
    encoder: Encoder, bitext: Bitext, level: str, plan: Plan, encoding: Progress | None
) -> Iterator[tuple[int, np.ndarray]]:
    """For each layer the (trials, 2) F1 and seconds; the text is encoded once, if any layer is not in the cache."""
    sides: list[Vectors] = []
    whole = plan.layers == tuple(range(1, encoder.depth + 1))
    for layer in plan.layers:
        key = plan.key(encoder, bitext, level, layer)
        stored = store.get(key)
        if stored is None:
            sides = sides or [
                encoder.vectors(side, unit=Unit(level), layers=None if whole else plan.layers, progress=encoding)
                for side in (bitext.source, bitext.target)
            ]
            stored = {"scores": _scores(sides[0], sides[1], layer, bitext, plan)}
            store.put(key, stored)
        yield layer, np.asarray(stored["scores"])


def _scores(source: Vectors, target: Vectors, layer: int, bitext: Bitext, plan: Plan) -> np.ndarray:
    """F1 and seconds for 1,000 pairs of every trial at one layer, (trials, 2); similarities are made once."""
    made: dict[str, list[PairSimilarities]] = {}
    rows = []
    for decoder, tried in plan.decoders:
        options = parse_settings(decoder.settings, tried)
        kind = similarity_kind(options)
        if kind not in made:
            vectors = source.layer(layer), source.units, target.layer(layer), target.units
            made[kind] = list(similarities(*vectors, len(bitext), kind=kind))
        links, seconds = decode_timed(decoder, [pair.matrix for pair in made[kind]], options)
        found = word_links(zip(made[kind], links, strict=True))
        rows.append((corpus_f1(found, bitext.links or ()), seconds or 0.0))
    return np.array(rows)


def corpus_f1(found: Sequence[Links], gold: Sequence[Links]) -> float:
    """F1 in percent over all pairs that have gold links: precision against possible, recall of sure ones."""
    pairs = [(one.sure, other) for one, other in zip(found, gold, strict=True) if other.possible]
    hits_possible = sum(len(links & other.possible) for links, other in pairs)
    hits_sure = sum(len(links & other.sure) for links, other in pairs)
    precision = hits_possible / max(1, sum(len(links) for links, _ in pairs))
    recall = hits_sure / max(1, sum(len(other.sure) for _, other in pairs))
    return 200 * precision * recall / (precision + recall) if precision + recall else 0.0


def best_of_each(trials: Sequence[Trial]) -> list[Trial]:
    """The best trial of each decoder, best first.

    Args:
        trials: as `sweep` gives them, best first.
    """
    best: dict[str, Trial] = {}
    for trial in trials:
        best.setdefault(trial.decoder, trial)
    return list(best.values())


def choose(
    encoder: Encoder, bitexts: Sequence[Bitext], *, plan: Plan | None = None, progress: Progress | None = None,
    encoding: Progress | None = None,
) -> tuple[LinkDefaults, list[Trial]]:  # fmt: skip
    """The best combination as the encoder's defaults, with all trials; arguments as for `sweep`.

    Raises:
        InputError: data without links.
    """
    trials = sweep(encoder, bitexts, plan=plan, progress=progress, encoding=encoding)
    data = ", ".join(f"{bitext.name} {'-'.join(bitext.languages)}" for bitext in bitexts)
    best = trials[0]
    options = parse_settings(find("decoders", best.decoder).settings, best.settings)
    named = {setting.partition("=")[0] for setting in best.settings}
    kept = {key: value for key, value in asdict(options).items() if key in named}
    return LinkDefaults(best.layer, best.decoder, best.level, kept, f"F1 {best.f1:.1f} on {data}"), trials


def store_choice(encoder: Encoder, choice: LinkDefaults) -> str:
    """Write the choice into the encoder's isogloss.json, else into the cache folder under its name and revision.

    A base encoder has no isogloss.json, and the folder of an aligned one may be read-only. What the cache folder
    holds comes first when the encoder is loaded, so it is removed when the choice goes into isogloss.json.

    Returns:
        The path that was written.
    """
    found = resolve(encoder.name)
    path = tuned_path(encoder.name, encoder.revision)
    if found.kind is Kind.ALIGNED and found.folder is not None:
        card = read_card(found.folder) | {"links": asdict(choice)}
        try:
            write_text(found.folder / CARD, json.dumps(card, indent=1, ensure_ascii=False) + "\n")
        except OSError:
            pass
        else:
            path.unlink(missing_ok=True)
            return str(found.folder / CARD)
    write_text(
        path, json.dumps({"encoder": encoder.name, "revision": encoder.revision, "links": asdict(choice)}, indent=1)
    )
    return str(path)
