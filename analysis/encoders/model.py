"""A loaded `transformers` model: from windows of ids to hidden states, stopping at the deepest layer asked for."""

import inspect
import threading
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.errors import InputError

if TYPE_CHECKING:
    import torch

TOKENS_PER_BATCH = 4096


class _Deepest(Exception):  # noqa: N818 - a signal, not an error
    """Raised inside a forward pass once the deepest wanted layer's input is known."""


@dataclass
class Model:
    """A model in evaluation mode with its fast tokenizer.

    Attributes:
        network: the encoder; a sequence-to-sequence model is reduced to its encoder.
        tokenizer: its fast tokenizer.
        depth: number of layers, embedding output not counted.
        limit: most ids of one window, special tokens included.
        first_position: what the model calls position 0, or None where positions cannot be given or are relative.
        lock: one forward pass at a time, because hooks and weights are shared by all visitors.
    """

    network: Any
    tokenizer: Any
    depth: int
    limit: int
    first_position: int | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    blocks: Any = None

    @cached_property
    def knows_segments(self) -> bool:
        """Whether tokenizer and network tell the first text of a pair from the second, as BERT's do."""
        highest = max(self.tokenizer("a", "a").get("token_type_ids", ()), default=0)
        return 0 < highest < getattr(self.network.config, "type_vocab_size", 0)

    def hidden_states(
        self, batch: Sequence[np.ndarray], layers: Sequence[int], positions: Sequence[np.ndarray] | None = None
    ) -> dict[int, "torch.Tensor"]:
        """Hidden states of some windows at some layers, without gradients; see `states`."""
        import torch

        with torch.inference_mode():
            return {layer: state.cpu() for layer, state in self.states(batch, layers, positions).items()}

    def states(
        self, batch: Sequence[np.ndarray], layers: Sequence[int], positions: Sequence[np.ndarray] | None = None,
        segments: Sequence[np.ndarray] | None = None,
    ) -> dict[int, "torch.Tensor"]:  # fmt: skip
        """Hidden states of some windows at some layers, with gradients where the network has any.

        Args:
            batch: input ids of each window.
            layers: 0 (embedding output) to `depth`.
            positions: position of each id, counted from 0; None means from 0 on in every window.
            segments: 0 or 1 for each id, the text of a pair it belongs to; None, or a model that knows none, means 0.

        Returns:
            For each layer a (windows, longest, dim) float32 tensor; positions past a window's end are undefined.
        """
        import torch

        longest = max(len(ids) for ids in batch)
        pad = self.tokenizer.pad_token_id if self.tokenizer.pad_token_id is not None else 0
        ids = torch.full((len(batch), longest), pad, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, window in enumerate(batch):
            ids[row, : len(window)] = torch.from_numpy(window)
            mask[row, : len(window)] = 1
        inputs = {"input_ids": ids, "attention_mask": mask}
        if positions is not None and self.first_position is not None:
            inputs["position_ids"] = torch.zeros_like(ids) + self.first_position
            for row, window in enumerate(positions):
                inputs["position_ids"][row, : len(window)] += torch.from_numpy(window)
        if segments is not None and self.knows_segments:
            inputs["token_type_ids"] = torch.zeros_like(ids)
            for row, window in enumerate(segments):
                inputs["token_type_ids"][row, : len(window)] = torch.from_numpy(window)
        inputs = {key: value.to(self.network.device) for key, value in inputs.items()}
        if max(layers) < self.depth and self.blocks is not None:
            return self._stopping_early(inputs, layers)
        states = self.network(**inputs, output_hidden_states=True).hidden_states
        return {layer: states[layer].float() for layer in layers}

    def _stopping_early(self, inputs: dict[str, Any], layers: Sequence[int]) -> dict[int, "torch.Tensor"]:
        """The inputs of the blocks after the wanted layers; the blocks past the deepest one never run."""
        states: dict[int, Any] = {}
        deepest = max(layers)

        def remember(layer: int) -> Any:
            """A hook that keeps the input of block `layer`, which is the output of layer `layer`."""

            def hook(_module: Any, args: tuple, kwargs: dict) -> None:
                states[layer] = (args[0] if args else kwargs["hidden_states"]).float()
                if layer == deepest:
                    raise _Deepest

            return hook

        with ExitStack() as hooks:
            for layer in set(layers):
                handle = self.blocks[layer].register_forward_pre_hook(remember(layer), with_kwargs=True)
                hooks.callback(handle.remove)
            with suppress(_Deepest):
                self.network(**inputs)
        return states


def load_model(folder: Path, name: str) -> Model:
    """Load a folder of `config.json`, `*.safetensors` and a fast tokenizer.

    Args:
        folder: where the files lie.
        name: what the user called it, for messages.

    Raises:
        InputError: pickled weights only, remote code, no fast tokenizer, missing weights, or a model that
            gives no hidden states.
    """
    from analysis.encoders.folder import check_folder

    check_folder(folder, name)
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    try:
        network, missing = _network(folder)
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            str(folder), local_files_only=True, trust_remote_code=False
        )
    except Exception as error:  # whatever transformers raises about a folder is said in one line
        raise InputError(f"encoder {name!r} cannot be loaded: {_first_line(error)}") from error
    if not getattr(tokenizer, "is_fast", False):
        raise InputError(f"encoder {name!r} has no fast tokenizer (tokenizer.json); convert its tokenizer first")
    if missing:
        raise InputError(
            f"encoder {name!r} lacks weights ({', '.join(sorted(missing)[:3])}, ...); its file is not whole"
        )
    # A sentence that contains "<s>" or "[MASK]" is text, not a command to the model.
    tokenizer.split_special_tokens = True
    network.eval()
    model = Model(
        network, tokenizer, network.config.num_hidden_layers, _limit(network, tokenizer), _first_position(network)
    )
    _check_states(model, name)
    return model


def _network(folder: Path) -> tuple[Any, set[str]]:
    """The encoder and the names of its weights that the file lacks, poolers and decoders aside."""
    import torch
    from transformers import MODEL_FOR_TEXT_ENCODING_MAPPING, AutoConfig, AutoModel, AutoModelForTextEncoding

    config = AutoConfig.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    whole = getattr(config, "is_encoder_decoder", False)
    half = whole or any(name.endswith("EncoderModel") for name in config.architectures or ())
    auto = AutoModelForTextEncoding if half and type(config) in MODEL_FOR_TEXT_ENCODING_MAPPING else AutoModel
    network, report = auto.from_pretrained(
        str(folder), config=config, local_files_only=True, trust_remote_code=False, use_safetensors=True,
        output_loading_info=True, dtype=torch.float32,
    )  # fmt: skip
    missing = {key for key in report["missing_keys"] if "pooler" not in key and not key.startswith("decoder.")}
    if auto is AutoModel and whole:
        network = network.get_encoder()
    return network, missing


def _limit(network: Any, tokenizer: Any) -> int:
    """Most ids the model takes at once, by its position table and its tokenizer's word for it."""
    limits = [8192]
    if tokenizer.model_max_length and tokenizer.model_max_length < 10**6:
        limits.append(int(tokenizer.model_max_length))
    positions = getattr(network.config, "max_position_embeddings", None) or getattr(network.config, "n_positions", None)
    if positions and positions > 0:
        limits.append(int(positions) - _padding_shift(network))
    return min(limits)


def _padding_shift(network: Any) -> int:
    """Position of the first id in the position table: RoBERTa and its kin count from the padding index + 1."""
    table = getattr(getattr(network, "embeddings", None), "position_embeddings", None)
    return table.padding_idx + 1 if table is not None and table.padding_idx is not None else 0


def _first_position(network: Any) -> int | None:
    """What the model calls position 0, or None where it takes no positions or knows only relative ones."""
    table = getattr(getattr(network, "embeddings", None), "position_embeddings", None)
    takes = "position_ids" in inspect.signature(network.forward).parameters
    return _padding_shift(network) if takes and table is not None else None


def _check_states(model: Model, name: str) -> None:
    """Find the list of blocks and make sure that stopping early gives what a full pass gives."""
    import torch

    probe = [np.asarray(model.tokenizer("a b c")["input_ids"], dtype=np.int64)]
    try:
        full = model.hidden_states(probe, range(model.depth + 1))
    except Exception as error:  # any failure of a forward pass means the model is not usable here
        raise InputError(f"encoder {name!r} gives no hidden states: {_first_line(error)}") from error
    lists = [m for m in model.network.modules() if isinstance(m, torch.nn.ModuleList) and len(m) == model.depth]
    for blocks in lists:
        model.blocks = blocks
        try:
            early = [model.hidden_states(probe, [layer])[layer] for layer in range(model.depth)]
        except (KeyError, AttributeError):
            continue
        if all(torch.equal(state, full[layer]) for layer, state in enumerate(early)):
            return
    model.blocks = None


def _first_line(error: Exception) -> str:
    """The first line of an error's text, or its type."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
