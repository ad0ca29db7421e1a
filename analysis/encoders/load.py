"""From a name to an encoder: the one function behind page, command line and Python."""

from functools import cache
from pathlib import Path

from analysis.encoders import bundled
from analysis.encoders.defaults import stored_link_defaults
from analysis.encoders.encoder import Encoder
from analysis.encoders.folder import check_folder, revision, shape
from analysis.encoders.hub import hub_folder
from analysis.encoders.names import EncoderName, Kind, read_card, resolve
from analysis.errors import InputError


def load_encoder(name: str, *, prefix: str = "") -> Encoder:
    """The encoder with this name; its weights are loaded when they are needed.

    Args:
        name: `bundled`, `hub:ORG/NAME[@REVISION]`, a folder, `BASE+NAME` or `random:BASE[#SEED]`.
        prefix: put before every sentence when sentence vectors are made ("query: " for e5 encoders).

    Raises:
        InputError: a name that cannot exist, or a folder that is no encoder.
        IsoglossError: the hub is out of reach.
    """
    found = resolve(name)
    if found.kind is Kind.ALIGNED:
        return _aligned(found, prefix)
    if found.kind is Kind.RANDOM:
        from analysis.encoders.random_weights import RandomEncoder

        return RandomEncoder(name, _base(found.base, prefix), int(found.revision or 0))
    if found.kind is Kind.BUNDLED:
        return Encoder(
            name, revision=bundled.REVISION, depth=bundled.DEPTH, dim=bundled.DIM, folder=bundled.bundled_folder,
            link_defaults=stored_link_defaults(name, bundled.REVISION), prefix=prefix,
        )  # fmt: skip
    if found.kind is Kind.HUB:
        folder = hub_folder(name, found.repo, found.revision)
        return _from_folder(name, folder, folder.name[:12], prefix)
    assert found.folder is not None
    return _from_folder(name, found.folder, revision(found.folder), prefix)


def _from_folder(name: str, folder: Path, commit: str, prefix: str) -> Encoder:
    """An encoder from a `transformers` folder."""
    check_folder(folder, name)
    depth, dim = shape(folder, name)
    defaults = stored_link_defaults(name, commit)
    return Encoder(
        name, revision=commit, depth=depth, dim=dim, folder=lambda: folder, link_defaults=defaults, prefix=prefix
    )


def _aligned(found: EncoderName, prefix: str) -> Encoder:
    """An aligned encoder on its base."""
    from analysis.encoders.mapped import MappedEncoder
    from analysis.encoders.tuned import TunedEncoder

    assert found.folder is not None
    card = read_card(found.folder)
    kind = card.get("kind", "maps")
    if kind not in ("maps", "adapter", "full"):
        raise InputError(
            f"encoder {found.name!r} is of kind {kind!r}; valid here: maps, adapter, full; update Isogloss"
        )
    below, seen = resolve(found.base), {found.folder.resolve()}
    while below.kind is Kind.ALIGNED and below.folder is not None:
        if below.folder.resolve() in seen:
            raise InputError(f"encoder {found.name!r} stands on itself by way of {found.base!r}; align it anew")
        seen.add(below.folder.resolve())
        below = resolve(below.base)
    base = _base(found.base, prefix)
    return (MappedEncoder if kind == "maps" else TunedEncoder)(found.name, base, found.folder, card)


@cache
def _base(name: str, prefix: str) -> Encoder:
    """Bases are shared: several aligned encoders on one base load its weights once."""
    return load_encoder(name, prefix=prefix)
