"""Fit a method, judge it on development data and write the aligned encoder's folder."""

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from analysis.alignment.card import model_card
from analysis.alignment.method import AlignmentData, Method, Say, orient
from analysis.encoders.encoder import Encoder
from analysis.encoders.mapped import MAPS
from analysis.encoders.names import CARD, Kind, read_card, resolve
from analysis.encoders.tuned import ADAPTER, ADAPTER_CONFIG
from analysis.errors import InputError
from analysis.jobs.job import Job
from analysis.records import compare, fingerprint, versions
from analysis.scoring.evaluate import evaluate
from analysis.text.corpus import Bitext, Sentence
from analysis.text.dictionary import Dictionary
from analysis.text.languages import normalise_tag


@dataclass(frozen=True)
class Source:
    """Where training text comes from, for isogloss.json and the model card."""

    name: str
    origin: str = ""
    licence: str = ""


def align(
    method: Method, encoder: Encoder, bitexts: Sequence[Bitext], *, out: Path, settings: Any, seed: int = 0,
    monolingual: Mapping[str, tuple[Sentence, ...]] | None = None, dev: Sequence[Bitext] = (),
    dictionaries: Sequence[Dictionary] = (), sources: Sequence[Source] = (), command: str = "", say: Say = print,
    job: Job | None = None,
) -> Path:  # fmt: skip
    """Make an aligned encoder from a base encoder.

    Args:
        method: a registered method.
        encoder: the base.
        bitexts: training pairs, the anchor on either side.
        out: the folder to write: absent, empty, or an earlier encoder of this method and base, which is replaced.
        settings: the method's settings.
        seed: seed of everything random.
        monolingual: sentences without translation, by language.
        dictionaries: word translations.
        dev: development pairs; their scores stand in the card, and those with links choose layer and decoder.
        sources: the text's origins and licences.
        command: the command line, for the card.
        say: told how it goes.
        job: the run that keeps progress and checkpoints, None to keep none.

    Returns:
        The folder, which is an encoder name from now on.

    Raises:
        InputError: data the method cannot use, a setting out of range, or an output folder of something else.
        IsoglossError: the loss is not finite.
    """
    claim_encoder_folder(out, encoder, method.name)
    anchor = normalise_tag(getattr(settings, "anchor", "en"))
    if hasattr(settings, "anchor"):
        settings = replace(settings, anchor=anchor)
    data = AlignmentData(
        orient(bitexts, anchor), dict(monolingual or {}), anchor, tuple(dev), tuple(dictionaries)
    )  # fmt: skip
    fitted = method.fit(encoder, data, settings, seed=seed, say=say, job=job)
    languages = [tag for tag in fitted.languages if tag != anchor]
    card: dict[str, Any] = {
        "format": 1, "kind": fitted.kind, "method": method.name, "base": _base_name(encoder),
        "base_revision": encoder.revision, "default_layer": encoder.depth, "languages": list(fitted.languages),
        "settings": asdict(settings), "seed": seed, "summary": f"{method.title} for {len(languages)} languages",
        "command": command, "sources": [asdict(source) for source in sources],
        "data": [
            _data_record(bitext, settings, linked=fitted.card.get("links_used", 1) > 0) for bitext in data.bitexts
            if bitext.languages[0] in fitted.languages
        ],
        "text": [_text_record(tag, side) for tag, side in data.monolingual.items()],
        "dictionaries": [_dictionary_record(one) for one in data.dictionaries],
        "versions": versions(), "made": date.today().isoformat(), **fitted.card,
    }  # fmt: skip
    mark = f".isogloss-draft-{fingerprint({'out': str(out.absolute())})[:16]}-"
    for left in _parent(out).glob(f"{mark}*"):  # of this very folder, by a process that was killed while it wrote
        shutil.rmtree(left, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(prefix=mark, dir=_parent(out)))
    try:
        fitted.write(draft)
        write_cards(draft, card)
        if dev:
            card |= judge(encoder, draft, dev, say)
            write_cards(draft, card)
        _replace(draft, out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return out


def claim_encoder_folder(out: Path, base: Encoder, method: str) -> None:
    """Make sure that `out` may be written.

    Raises:
        InputError: it is a file, the base itself, or holds something other than an encoder of this method and base.
    """
    folder = resolve(base.name).folder
    if folder is not None and folder.resolve() == out.resolve():
        raise InputError(f"--out {str(out)!r} is the base encoder itself; give another folder")
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {str(out)!r} is a file; give a folder that is absent or empty")
    if not out.is_dir() or not any(out.iterdir()):
        _check_writable(out)
        return
    if not (out / CARD).exists():
        raise InputError(f"--out {str(out)!r} is not empty and no aligned encoder; give another folder")
    card = read_card(out)
    if (card.get("method"), card["base"]) != (method, _base_name(base)):
        raise InputError(
            f"--out {str(out)!r} holds another run: {card.get('method')} on {card['base']}; give another folder or "
            f"delete that one"
        )


def _check_writable(out: Path) -> None:
    """Make sure that a folder can be written before hours go into what it is for.

    Raises:
        InputError: it cannot.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".isogloss-", dir=_parent(out)):
            pass
    except OSError as error:
        raise InputError(f"--out {str(out)!r} cannot be written ({error.strerror}); give another folder") from error


def judge(encoder: Encoder, folder: Path, dev: Sequence[Bitext], say: Say) -> dict[str, Any]:
    """Development scores of base and aligned encoder, and the choice of layer and decoder, as isogloss.json has them.

    Args:
        encoder: the base.
        folder: the aligned encoder.
        dev: development pairs; those with links choose layer and decoder.
        say: told each score.
    """
    from analysis.encoders.load import load_encoder
    from analysis.links.tuning import choose

    aligned = load_encoder(str(folder))
    rows = []
    for bitext in dev:
        measure = "word_retrieval" if bitext.links is not None else "sentence_retrieval"
        before, after = (evaluate(measure, one, bitext) for one in (encoder, aligned))
        if before.score is None or after.score is None:
            continue
        change = compare(before, after)
        rows.append(
            {"data": bitext.name, "languages": list(bitext.languages), "measure": measure, "n": after.n,
             "base": before.score, "aligned": after.score, "difference": change.difference,
             "low": change.low, "high": change.high}
        )  # fmt: skip
        say(f"dev {bitext.name} {'-'.join(bitext.languages)}: {measure} {before.score:.1f} -> {after.score:.1f}")
    linked = [bitext for bitext in dev if bitext.links is not None]
    found: dict[str, Any] = {"development": rows}
    if linked:
        choice, _ = choose(aligned, linked)
        found["links"] = asdict(choice)
    return found


def _data_record(bitext: Bitext, settings: Any, *, linked: bool) -> dict[str, Any]:
    """What isogloss.json says of one bitext, and of its links if any were read."""
    refreshed = getattr(settings, "links", "") == "refreshed"
    own = "made by the base encoder, then anew at every epoch" if refreshed else "made by the base encoder"
    given = None if getattr(settings, "links", "data") != "data" else bitext.links_origin
    return {
        "name": bitext.name, "languages": list(bitext.languages), "pairs": len(bitext), "sha256": bitext.digest,
        "links": (given or own) if linked else "not read",
    }  # fmt: skip


def _text_record(tag: str, side: Sequence[Sentence]) -> dict[str, Any]:
    """What isogloss.json says of text without translations."""
    return {"language": tag, "sentences": len(side), "sha256": fingerprint({"text": [one.text for one in side]})}


def _dictionary_record(one: Dictionary) -> dict[str, Any]:
    """What isogloss.json says of a dictionary."""
    return {
        "name": one.name, "languages": list(one.languages), "entries": len(one.entries), "sha256": one.digest,
        "origin": one.origin, "licence": one.licence,
    }  # fmt: skip


def write_cards(folder: Path, card: Mapping[str, Any]) -> None:
    """Write isogloss.json and README.md of an aligned encoder."""
    (folder / CARD).write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", "utf-8")
    (folder / "README.md").write_text(model_card(card), "utf-8")


def _parent(out: Path) -> Path:
    """The folder that holds `out`, made if absent."""
    parent = out.absolute().parent
    parent.mkdir(parents=True, exist_ok=True)
    return parent


def _base_name(encoder: Encoder) -> str:
    """The base's name as it holds in every working folder."""
    found = resolve(encoder.name)
    by_path = (
        found.folder is not None
        and found.kind in (Kind.FOLDER, Kind.ALIGNED)
        and Path(encoder.name).expanduser().exists()
    )
    return str(found.folder.resolve()) if by_path and found.folder is not None else encoder.name


def _replace(draft: Path, out: Path) -> None:
    """Put the draft's files into `out` one by one, isogloss.json last; weights of another kind there are removed."""
    out.mkdir(parents=True, exist_ok=True)
    made = sorted((path for path in draft.iterdir()), key=lambda path: path.name == CARD)
    for path in made:
        path.chmod(0o644)
        path.replace(out / path.name)
    whole = {"model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json"}
    for stale in {MAPS, ADAPTER, ADAPTER_CONFIG, *whole} - {path.name for path in made}:
        (out / stale).unlink(missing_ok=True)
