"""What can be said of an encoder folder without loading it: is it safe, how deep, how wide, which revision."""

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

from analysis.errors import InputError
from analysis.store import cache_folder, write_text

_DEPTH = ("num_hidden_layers", "n_layers", "num_layers", "n_layer")
_TOKENIZERS = (
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tokenizer.model",
)
_DIM = ("hidden_size", "dim", "d_model", "n_embd")


class Shape(NamedTuple):
    """Number of layers (embedding output not counted) and width of the hidden states."""

    depth: int
    dim: int


def read_config(folder: Path, name: str) -> dict[str, Any]:
    """The folder's config.json.

    Raises:
        InputError: it is missing or not a JSON object.
    """
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"encoder {name!r}: {path.name} cannot be read ({error}); it needs what save_pretrained() writes"
        ) from error
    if not isinstance(config, dict):
        raise InputError(f"encoder {name!r}: config.json is not an object; it needs what save_pretrained() writes")
    return config


def check_folder(folder: Path, name: str) -> None:
    """Refuse what would run code or cannot work: pickled weights, remote code, no weights at all.

    Raises:
        InputError: naming what is missing and the remedy.
    """
    config = read_config(folder, name)
    if not list(folder.glob("*.safetensors")):
        pickled = [path.name for path in folder.iterdir() if path.suffix in {".bin", ".pt", ".pkl", ".pth", ".ckpt"}]
        found = f"only {pickled[0]}, a pickle, which is never opened" if pickled else "no weights"
        raise InputError(f"encoder {name!r} has {found}; save it with safetensors (model.safetensors)")
    if not any((folder / file).exists() for file in _TOKENIZERS):
        raise InputError(f"encoder {name!r} has no tokenizer (tokenizer.json); save its fast tokenizer into the folder")
    if "auto_map" in config:
        from transformers import CONFIG_MAPPING

        if config.get("model_type") not in CONFIG_MAPPING:
            raise InputError(
                f"encoder {name!r} needs remote code, which is never run; use an architecture of transformers"
            )


def shape(folder: Path, name: str) -> Shape:
    """Depth and width from config.json.

    Raises:
        InputError: the file names neither.
    """
    config = read_config(folder, name)
    config = config.get("text_config", config)
    depth = next((config[key] for key in _DEPTH if isinstance(config.get(key), int)), None)
    dim = next((config[key] for key in _DIM if isinstance(config.get(key), int)), None)
    if depth is None or dim is None:
        raise InputError(
            f"encoder {name!r}: config.json names no depth or width; it must be a transformer text encoder"
        )
    return Shape(depth, dim)


def revision(folder: Path) -> str:
    """A hash of the folder's weights, configuration and tokenizer (12 hex digits).

    Hashing gigabytes takes seconds, so the hash of a file is remembered with its size and time of change.
    """
    memory = cache_folder() / "revisions.json"
    try:
        known = json.loads(memory.read_text("utf-8"))
    except (OSError, ValueError):
        known = {}
    state, changed = hashlib.sha256(), False
    names = {"config.json", "tokenizer.json", "tokenizer_config.json", "adapter_config.json"}
    for path in sorted(folder.iterdir()):
        if path.suffix != ".safetensors" and path.name not in names:
            continue
        stat = path.stat()
        key = f"{path.resolve()}:{stat.st_size}:{stat.st_mtime_ns}"
        if key not in known:
            with path.open("rb") as file:
                known[key], changed = hashlib.file_digest(file, "sha256").hexdigest(), True
        state.update(f"{path.name}:{known[key]}\n".encode())
    if changed:
        write_text(memory, json.dumps(known, indent=1))
    return state.hexdigest()[:12]
