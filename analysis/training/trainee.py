"""The network that trains: a copy of the base with LoRA adapters (peft) or with all weights free."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.encoders.encoder import Encoder
from analysis.encoders.mapped import MappedEncoder
from analysis.encoders.model import Model
from analysis.encoders.tuned import ADAPTER, copy_network, own_embeddings
from analysis.errors import InputError
from analysis.training.settings import TrainSettings, trained_blocks

if TYPE_CHECKING:
    import numpy as np
    import torch

ALPHA_PER_RANK = 2  # LoRA's scale; only its product with the learning rate matters


class Trainee:
    """A copy of an encoder's network whose changes are trained, beside the frozen base.

    The copy shares the base's embeddings unless they train, so a run holds little more than the blocks twice.

    Args:
        encoder: the base; it is not changed.
        settings: `adapter`, `rank`, `blocks`, `embeddings`, `dropout`, `precision`.
        seed: of the adapters' start.
        held: the encoder that anchors hold on to, of the same tokens and width; None for the base.

    Raises:
        InputError: an encoder without weights of its own, or without blocks to train.
    """

    def __init__(self, encoder: Encoder, settings: TrainSettings, *, seed: int, held: Encoder | None = None) -> None:
        import torch
        from accelerate import Accelerator
        from accelerate.state import AcceleratorState

        if isinstance(encoder, MappedEncoder):
            raise InputError(
                f"{encoder.name} is closed-form maps on {encoder.base}, which cannot be fine-tuned; give {encoder.base}"
            )
        AcceleratorState._reset_state(reset_partial_state=True)
        self.precision = resolve_precision(settings.precision)
        self.accelerator = Accelerator(mixed_precision="bf16" if self.precision == "bfloat16" else "no")
        self.settings, self.base = settings, encoder.model
        network, blocks = _copy(self.base, encoder.name)
        if settings.embeddings:
            own_embeddings(network, blocks, whole=settings.adapter == "full")
        torch.manual_seed(seed)
        wanted = trained_blocks(self.base.depth, settings.blocks)
        self.peft = _adapt(network, blocks, wanted, settings) if settings.adapter == "lora" else None
        if self.peft is None:
            _free(blocks, wanted)
            if settings.embeddings:
                _free_rest(network, blocks)
        self.network = network.to(self.accelerator.device)
        if self.accelerator.device.type == "cpu":
            # The way back through PyTorch's fused attention takes half of a step on a CPU; plain products do not.
            self.network.set_attn_implementation("eager")
        self.live = replace(self.base, network=self.network, blocks=blocks)
        self.frozen = self._still(encoder)
        self.held = self.frozen if held is None or held is encoder else self._still(held)
        self.parameters = {name: one for name, one in self.network.named_parameters() if one.requires_grad}
        self.trains(settings.dropout)

    def _still(self, encoder: Encoder) -> Model:
        """An encoder's model on this run's device; its own stays where other users of the encoder expect it."""
        if self.accelerator.device.type == "cpu":
            return encoder.model
        network, blocks = _copy(encoder.model, encoder.name)
        return replace(encoder.model, network=network.to(self.accelerator.device), blocks=blocks)

    def trains(self, dropout: bool) -> None:
        """Switch the encoder's own dropout on or off."""
        self.network.train(dropout)

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """Without dropout and gradients, in the run's precision."""
        import torch

        self.network.eval()
        try:
            with torch.no_grad(), self.accelerator.autocast():
                yield
        finally:
            self.trains(self.settings.dropout)

    def states(
        self, ids: "Sequence[np.ndarray]", layers: Sequence[int], segments: "Sequence[np.ndarray] | None" = None
    ) -> "dict[int, torch.Tensor]":
        """Hidden states of the network that trains, with gradients; see `Model.states`."""
        with self.accelerator.autocast():
            return self.live.states(ids, layers, segments=segments)

    @contextmanager
    def borrowing(self, weights: "Mapping[str, torch.Tensor]") -> "Iterator[None]":
        """With other values in the weights that train and without gradients, such as a moving average of them.

        Args:
            weights: for every name of `parameters` a tensor of its shape.
        """
        import torch

        own = {name: one.data for name, one in self.parameters.items()}
        for name, one in self.parameters.items():
            one.data = weights[name]
        try:
            with torch.no_grad():
                yield
        finally:
            for name, one in self.parameters.items():
                one.data = own[name]

    def distance(self) -> "torch.Tensor":
        """The norm of what training changed, over all weights, with gradients (Wu and Dredze 2020, root not squared)."""
        import torch

        if self.peft is None:
            start = dict(self.base.network.named_parameters())
            parts = [((one - start[name].to(one.device)) ** 2).sum() for name, one in self.parameters.items()]
        else:
            parts = [(delta**2).sum() for delta in _deltas(self.network)]
        return torch.sqrt(torch.stack(parts).sum() + 1e-12)

    def save(self, folder: Path, base_name: str) -> None:
        """Write the trained network as `peft` or `transformers` reads it, the change scaled by `strength`.

        Args:
            folder: where to.
            base_name: what adapter_config.json names as its base.
        """
        network = self.network
        if self.peft is not None:
            config = self.peft.peft_config["default"]
            before = config.lora_alpha, config.base_model_name_or_path
            config.lora_alpha = config.lora_alpha * self.settings.strength
            config.base_model_name_or_path, config.inference_mode = base_name, True
            self.peft.save_pretrained(folder, safe_serialization=True, save_embedding_layers=False)
            config.lora_alpha, config.base_model_name_or_path = before
            config.inference_mode = False
            (folder / "README.md").unlink(missing_ok=True)
            if self.settings.stored == "float16":
                _halve(folder / ADAPTER)
            return
        if self.settings.strength < 1:
            network = copy.deepcopy(network)
            start = dict(self.base.network.named_parameters())
            for name, one in network.named_parameters():
                one.data.lerp_(start[name].to(one.device), 1 - self.settings.strength)
        network.save_pretrained(folder, safe_serialization=True)
        self.base.tokenizer.save_pretrained(folder)


def resolve_precision(wanted: str) -> str:
    """`auto` as bfloat16 where the processor has instructions for it, else float32."""
    import torch

    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    tests = [getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")]
    return "bfloat16" if any(test() for test in tests if test) else "float32"


def _halve(path: Path) -> None:
    """Store a file of weights in 16 bits; `peft` reads them back into what the base has."""
    from safetensors.torch import load_file, save_file

    save_file({name: one.half() for name, one in load_file(path).items()}, path, metadata={"format": "pt"})


def _copy(base: Model, name: str) -> tuple[Any, Any]:
    """A copy of a network with nothing free to train, and its list of blocks.

    Raises:
        InputError: no list of blocks was found in the network.
    """
    network, blocks = copy_network(base)
    if blocks is None:
        raise InputError(f"encoder {name!r} has no list of transformer blocks that could be trained; use another base")
    for one in network.parameters():
        one.requires_grad_(False)
    return network, blocks


def _adapt(network: Any, blocks: Any, wanted: Sequence[int], settings: TrainSettings) -> Any:
    """Put LoRA matrices beside every linear map of the wanted blocks (Hu et al. 2022)."""
    import warnings

    import torch
    from peft import LoraConfig, get_peft_model

    inside = {id(module) for at in wanted for module in blocks[at - 1].modules() if isinstance(module, torch.nn.Linear)}
    if settings.embeddings:
        inside.add(id(network.get_input_embeddings()))
    names = [name for name, module in network.named_modules() if id(module) in inside]
    if not names:
        raise InputError("the encoder's blocks hold no linear maps that LoRA could adapt; use --set adapter=full")
    config = LoraConfig(
        r=settings.rank, lora_alpha=ALPHA_PER_RANK * settings.rank, lora_dropout=0.0, target_modules=names
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return get_peft_model(network, config)


def _free(blocks: Any, wanted: Sequence[int]) -> None:
    """Let all weights of the wanted blocks train."""
    for at in wanted:
        for one in blocks[at - 1].parameters():
            one.requires_grad_(True)


def _free_rest(network: Any, blocks: Any) -> None:
    """Let the embeddings and whatever else lies outside the blocks train; a pooler is no part of an encoder."""
    inner = {id(one) for one in blocks.parameters()}
    for name, one in network.named_parameters():
        if id(one) not in inner and "pooler" not in name:
            one.requires_grad_(True)


def _deltas(network: Any) -> "Iterator[torch.Tensor]":
    """The change that each adapter makes to its weight."""
    for module in network.modules():
        if hasattr(module, "lora_A") and hasattr(module, "scaling"):
            for key in module.lora_A:
                yield module.lora_B[key].weight @ module.lora_A[key].weight * module.scaling[key]
            for key in module.lora_embedding_A:
                yield module.lora_embedding_B[key] @ module.lora_embedding_A[key] * module.scaling[key]
