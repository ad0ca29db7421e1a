"""One adapter out of several: an encoder that was aligned in one run after another, as a change of its first base."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.alignment.run import judge, write_cards
from analysis.encoders.encoder import Encoder
from analysis.encoders.load import load_encoder
from analysis.encoders.tuned import ADAPTER, ADAPTER_CONFIG, TunedEncoder
from analysis.errors import InputError
from analysis.text.corpus import Bitext

if TYPE_CHECKING:
    import torch

STAGE = ("method", "settings", "seed", "steps", "planned_steps", "kept_step", "pairs", "links_used", "link_layer",
         "precision")  # fmt: skip


def join_adapters(
    name: str, out: Path, *, rank: int = 0, dev: Sequence[Bitext] = (), say: Callable[[str], None] = print
) -> Path:
    """Write the adapters of a chain of runs as one adapter on the base of the first run.

    In plain words: an encoder that was aligned on top of an aligned one needs all the folders below it. The changes
    of two runs add up to one change of the same kind, whose rank is the sum of theirs, so nothing is lost by it:
    W + s1 B1 A1 + s2 B2 A2 = W + [s1 B1, s2 B2] [A1; A2]. A smaller rank keeps the largest singular values of each
    weight's change, which is the nearest change of that rank.

    Args:
        name: an encoder with a LoRA adapter, on one with a LoRA adapter, and so on.
        out: folder of the new encoder; absent or empty.
        rank: of the new adapter, 0 for the sum of all ranks.
        dev: development pairs; their scores stand in the card, and those with links choose layer and decoder.
        say: told the scores.

    Returns:
        The folder.

    Raises:
        InputError: an encoder of one run only, a run with other weights than an adapter, a rank out of range, or a
            folder that is not empty.

    Source: Hu et al. 2022, LoRA, section 4.1: the change of a weight is a product, scaled by alpha / rank; Eckart and
    Young 1936 for the nearest change of a smaller rank.
    """
    chain = _chain(name)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"--out {str(out)!r} is not an empty folder; give another folder")
    base = chain[0].base_encoder
    configs = [json.loads((one.folder / ADAPTER_CONFIG).read_text("utf-8")) for one in chain]
    most = sum(config["r"] for config in configs)
    if not 0 <= rank <= most:
        raise InputError(f"--rank {rank} is out of range; valid: 1 to {most}, or 0 for all of it")
    modules = sorted({module for config in configs for module in config["target_modules"]})
    config = configs[0] | {"r": rank or most, "lora_alpha": rank or most, "target_modules": modules}
    card = _joined_card([one.card for one in chain], name, out, rank)
    out.mkdir(parents=True, exist_ok=True)
    _write_adapter(chain, configs, out / ADAPTER, rank)
    (out / ADAPTER_CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", "utf-8")
    write_cards(out, card)
    if dev:
        write_cards(out, card | judge(base, out, dev, say))
    return out


def _chain(name: str) -> list[TunedEncoder]:
    """The encoders of the runs, the first one first.

    Raises:
        InputError: there are not two, or one of them is no adapter.
    """
    found: list[TunedEncoder] = []
    encoder: Encoder = load_encoder(name)
    while isinstance(encoder, TunedEncoder):
        if encoder.kind != "adapter":
            raise InputError(f"{encoder.name!r} is no LoRA adapter; valid: runs with adapter=lora, one on another")
        found.insert(0, encoder)
        encoder = encoder.base_encoder
    if len(found) < 2:
        raise InputError(f"encoder {name!r} comes from one run or none; valid: one that was aligned on an aligned one")
    return found


def _write_adapter(chain: Sequence[TunedEncoder], configs: Sequence[Mapping[str, Any]], path: Path, rank: int) -> None:
    """The matrices side by side, their scales in the outer ones; zeros where a run did not change a weight."""
    import torch
    from safetensors.torch import load_file, save_file

    parts = [load_file(one.folder / ADAPTER) for one in chain]
    joined: dict[str, torch.Tensor] = {}
    for key in sorted({key for part in parts for key in part}):
        inner = _is_inner(key)
        sides = []
        for part, config in zip(parts, configs, strict=True):
            scale = 1.0 if inner else config["lora_alpha"] / config["r"]
            there = next(one[key] for one in parts if key in one)
            shape = (config["r"], *there.shape[1:]) if inner else (*there.shape[:-1], config["r"])
            sides.append((part[key].float() if key in part else torch.zeros(shape)) * scale)
        joined[key] = torch.cat(sides, dim=0 if inner else -1)
    for key in [key for key in joined if _is_inner(key)] if rank else []:
        other = _outer(key)
        joined[key], joined[other] = _nearest(joined[key], joined[other], rank)
    stored = next(iter(parts[0].values())).dtype
    save_file({key: one.to(stored).contiguous() for key, one in joined.items()}, path, metadata={"format": "pt"})


def _is_inner(key: str) -> bool:
    """Whether a tensor is the one next to what comes in, (rank, in)."""
    return key.rpartition("lora_")[2].startswith(("A", "embedding_A"))


def _outer(key: str) -> str:
    """The name of the tensor (out, rank) that belongs to an inner one."""
    head, _, tail = key.rpartition("lora_")
    return f"{head}lora_{tail.replace('A', 'B', 1)}"


def _nearest(inner: "torch.Tensor", outer: "torch.Tensor", rank: int) -> "tuple[torch.Tensor, torch.Tensor]":
    """Factors (rank, in) and (out, rank) of the matrix of this rank that is nearest to `outer @ inner`."""
    import torch

    (left, small), (right, other) = (torch.linalg.qr(one.double()) for one in (outer, inner.T))
    u, values, vh = torch.linalg.svd(small @ other.T)
    root = values[:rank].sqrt()
    return (root[:, None] * (vh[:rank] @ right.T)).float(), (left @ u[:, :rank] * root).float()


def _joined_card(cards: Sequence[Mapping[str, Any]], name: str, out: Path, rank: int) -> dict[str, Any]:
    """What isogloss.json says of all runs together; scores against another base than the first say nothing."""
    last = {key: value for key, value in cards[-1].items() if key not in ("development", "links", "recommended")}
    then = f"python -m analysis join --encoder {name} --out {out}" + (f" --rank {rank}" if rank else "")
    lists = {
        key: list({json.dumps(one, sort_keys=True): one for card in cards for one in card.get(key, ())}.values())
        for key in ("sources", "data", "text", "dictionaries")
    }
    return last | lists | {
        "base": cards[0]["base"], "base_revision": cards[0]["base_revision"],
        "languages": sorted({tag for card in cards for tag in card["languages"]}),
        "summary": ", then ".join(str(card["summary"]) for card in cards),
        "command": "\n".join(filter(None, (*(card.get("command") for card in cards), then))),
        "stages": [{key: card[key] for key in STAGE if key in card} for card in cards],
    }  # fmt: skip
