"""Keep a share of what training changed: the point between base and trained encoder that a user prefers."""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from analysis.alignment.run import judge, write_cards
from analysis.encoders.load import load_encoder
from analysis.encoders.tuned import ADAPTER, ADAPTER_CONFIG, TunedEncoder
from analysis.errors import InputError
from analysis.text.corpus import Bitext


def rescale(
    name: str, strength: float, out: Path, *, dev: Sequence[Bitext] = (), say: Callable[[str], None] = print
) -> Path:
    """Write an adapter with its change to every weight multiplied.

    In plain words: 1 is the trained encoder, 0 its base, and between them lies a curve of what is gained against
    what is forgotten, which costs no training to walk along.

    Args:
        name: an encoder with a LoRA adapter.
        strength: 0 to 1; the share of the change that stays.
        out: folder of the new encoder; absent or empty.
        dev: development pairs; their scores stand in the card, and those with links choose layer and decoder.
        say: told the scores.

    Returns:
        The folder.

    Raises:
        InputError: an encoder without an adapter, a strength outside 0 to 1, or a folder that is not empty.

    Source: linear interpolation of weights, Wortsman et al. 2022, Robust fine-tuning of zero-shot models.
    """
    encoder = load_encoder(name)
    if not isinstance(encoder, TunedEncoder) or encoder.kind != "adapter":
        raise InputError(f"encoder {name!r} has no LoRA adapter; valid: one trained with adapter=lora")
    if not 0 <= strength <= 1:
        raise InputError(f"--share {strength} is out of range of strength; valid: 0 to 1")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"--out {str(out)!r} is not an empty folder; give another folder")
    config = json.loads((encoder.folder / ADAPTER_CONFIG).read_text("utf-8"))
    config["lora_alpha"] = config["lora_alpha"] * strength
    card = {key: value for key, value in encoder.card.items() if key not in ("development", "links", "recommended")}
    card["settings"] = card["settings"] | {"strength": card["settings"].get("strength", 1.0) * strength}
    card["summary"] = f"{card['summary']}, {strength:.0%} of its change"
    then = f"python -m analysis strength --encoder {name} --share {strength:g} --out {out}"
    card["command"] = "\n".join(filter(None, (card.get("command"), then)))
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(encoder.folder / ADAPTER, out / ADAPTER)
    (out / ADAPTER_CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", "utf-8")
    write_cards(out, card)
    if dev:
        write_cards(out, card | judge(encoder.base_encoder, out, dev, say))
    return out
