"""Keep a share of what training changed: the point between base and trained encoder that a user prefers."""

import json
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from analysis.alignment.run import judge, write_cards
from analysis.encoders.load import load_encoder
from analysis.encoders.tuned import ADAPTER, ADAPTER_CONFIG, TunedEncoder
from analysis.errors import InputError
from analysis.text.corpus import Bitext
from analysis.training.settings import trained_blocks


def rescale(
    name: str, strength: float, out: Path, *, blocks: str = "all", dev: Sequence[Bitext] = (),
    say: Callable[[str], None] = print,
) -> Path:  # fmt: skip
    """Write an adapter with its change to every weight multiplied.

    In plain words: 1 is the trained encoder, 0 its base, and between them lies a curve of what is gained against
    what is forgotten, which costs no training to walk along. What is read at the last layer and forgotten there can
    be softened in the upper blocks alone, so that links read off a layer below them keep all of their gain.

    Args:
        name: an encoder with a LoRA adapter.
        strength: 0 to 1; the share of the change that stays.
        out: folder of the new encoder; absent or empty.
        blocks: the transformer blocks whose change is multiplied, `all` or `A-B` (1 is the lowest); others stay.
        dev: development pairs; their scores stand in the card, and those with links choose layer and decoder.
        say: told the scores.

    Returns:
        The folder.

    Raises:
        InputError: an encoder without an adapter, a strength outside 0 to 1, blocks it does not have, or a folder
            that is not empty.

    Source: linear interpolation of weights, Wortsman et al. 2022, Robust fine-tuning of zero-shot models.
    """
    encoder = load_encoder(name)
    if not isinstance(encoder, TunedEncoder) or encoder.kind != "adapter":
        raise InputError(f"encoder {name!r} has no LoRA adapter; valid: one trained with adapter=lora")
    if not 0 <= strength <= 1:
        raise InputError(f"--share {strength} is out of range of strength; valid: 0 to 1")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"--out {str(out)!r} is not an empty folder; give another folder")
    chosen = trained_blocks(encoder.depth, blocks)
    whole = len(chosen) == encoder.depth
    config = json.loads((encoder.folder / ADAPTER_CONFIG).read_text("utf-8"))
    config["lora_alpha"] = config["lora_alpha"] * (strength if whole else 1)
    card = {key: value for key, value in encoder.card.items() if key not in ("development", "links", "recommended")}
    if whole:
        card["settings"] = card["settings"] | {"strength": card["settings"].get("strength", 1.0) * strength}
    card["summary"] = f"{card['summary']}, {strength:.0%} of its change" + ("" if whole else f" in blocks {blocks}")
    then = f"python -m analysis strength --encoder {name} --share {strength:g} --out {out}"
    then += ("" if whole else f" --blocks {blocks}") + "".join(f" --dev {one.name}" for one in dev)
    card["command"] = "\n".join(filter(None, (card.get("command"), then)))
    out.mkdir(parents=True, exist_ok=True)
    if whole:
        shutil.copyfile(encoder.folder / ADAPTER, out / ADAPTER)
    else:
        _soften(encoder.folder / ADAPTER, out / ADAPTER, strength, chosen)
    (out / ADAPTER_CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", "utf-8")
    write_cards(out, card)
    if dev:
        write_cards(out, card | judge(encoder.base_encoder, out, dev, say))
    return out


def _soften(source: Path, target: Path, strength: float, blocks: Sequence[int]) -> None:
    """Multiply the outer matrix of every change in some blocks.

    Raises:
        InputError: no change lies in these blocks.
    """
    from safetensors.torch import load_file, save_file

    changes = load_file(source)
    found = {name: _BLOCK.search(name) for name in changes if "lora_B" in name}
    inside = [name for name, block in found.items() if block and int(block[1]) + 1 in blocks]
    if not inside:
        raise InputError(f"{source.parent} changes nothing in blocks {blocks[0]}-{blocks[-1]}; leave out --blocks")
    for name in inside:
        changes[name] = (changes[name].float() * strength).to(changes[name].dtype)
    save_file(changes, target, metadata={"format": "pt"})


_BLOCK = re.compile(r"\.(?:layers?|blocks?|h)\.(\d+)\.")  # as transformers names its blocks, counted from 0
