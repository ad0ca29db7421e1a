"""A fine-tuned encoder: a base whose network carries a trained `peft` adapter, or a network of its own."""

import copy
import warnings
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from analysis.encoders.defaults import from_card, stored_link_defaults
from analysis.encoders.encoder import Encoder
from analysis.encoders.folder import check_folder, revision
from analysis.encoders.model import Model, load_model
from analysis.errors import InputError

ADAPTER = "adapter_model.safetensors"
ADAPTER_CONFIG = "adapter_config.json"


class TunedEncoder(Encoder):
    """A base encoder that was fine-tuned.

    Of kind `adapter`, the base's blocks are copied, the adapter is merged into them and the embeddings are shared
    with the base. Of kind `full`, the folder is a whole `transformers` encoder.

    Args:
        name: as the user gave it.
        base: the encoder it was trained from.
        folder: holds isogloss.json and the weights.
        card: the parsed isogloss.json.

    Raises:
        InputError: the weights are missing.
    """

    def __init__(self, name: str, base: Encoder, folder: Path, card: Mapping[str, Any]) -> None:
        kind = str(card["kind"])
        wanted = ADAPTER if kind == "adapter" else "model.safetensors"
        if not (folder / wanted).exists():
            raise InputError(f"encoder {name!r} has no {wanted}; train it anew or restore the file")
        own = revision(folder)
        super().__init__(
            name, revision=f"{base.revision}+{own}" if kind == "adapter" else own, depth=base.depth, dim=base.dim,
            folder=lambda: folder, prefix=base.prefix,
        )  # fmt: skip
        self.link_defaults = stored_link_defaults(name, self.revision) or from_card(card) or self.link_defaults
        if kind == "adapter" and card.get("base_revision") not in (None, base.revision):
            warnings.warn(f"{name} was trained on another revision of {base.name}; train it anew", stacklevel=2)
        self.base, self.kind = base.name, kind
        self.base_encoder, self.folder, self.card = base, folder, dict(card)
        self.default_layer = int(card.get("default_layer", base.depth))

    @cached_property
    def _loaded(self) -> Model:
        """The merged network, or the folder's own."""
        if self.kind == "full":
            check_folder(self.folder, self.name)
            return load_model(self.folder, self.name)
        return _with_adapter(self.base_encoder.model, self.folder, self.name)


def _with_adapter(base: Model, folder: Path, name: str) -> Model:
    """A copy of a model with an adapter merged into its weights.

    Raises:
        InputError: the adapter is broken or made for another network.
    """
    from peft import PeftModel
    from safetensors import SafetensorError, safe_open

    network, blocks = copy_network(base)
    try:
        with safe_open(str(folder / ADAPTER), "pt") as file:
            stored = {key for key in file.keys() if "lora_" in key}  # noqa: SIM118 - not a dict
        if any("lora_embedding" in key for key in stored):
            own_embeddings(network, blocks)  # merging must not change the base
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            adapted = PeftModel.from_pretrained(network, str(folder))
        here = {key for key, _ in adapted.named_parameters() if "lora_" in key}
        merged = adapted.merge_and_unload()
    except (SafetensorError, OSError, ValueError, RuntimeError, KeyError) as error:
        line = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise InputError(f"encoder {name!r}: its adapter cannot be loaded ({line}); train it anew") from error
    if len(stored) != len(here):
        raise InputError(f"encoder {name!r}: its adapter does not fit its base; train it anew on this base")
    merged.eval()
    for one in merged.parameters():
        one.requires_grad_(False)
    return replace(base, network=merged, blocks=blocks)


def own_embeddings(network: Any, blocks: Any, *, whole: bool = False) -> None:
    """Give a copied network subword embeddings of its own, which may then change without the base.

    Args:
        network: from `copy_network`.
        blocks: its blocks, which are its own already.
        whole: whether everything outside the blocks becomes its own, such as positions and norms.
    """
    from torch import nn

    inner = {id(one) for one in blocks.parameters()} if blocks is not None else set()
    table = network.get_input_embeddings()
    for module in network.modules() if whole else [table]:
        for name, one in list(module.named_parameters(recurse=False)):
            if id(one) not in inner:
                module.register_parameter(name, nn.Parameter(one.detach().clone(), one.requires_grad))


def copy_network(base: Model) -> tuple[Any, Any]:
    """A copy of a network that shares everything outside its blocks, and the copy's list of blocks (or None)."""
    if base.blocks is None:
        return copy.deepcopy(base.network), None
    path = next(path for path, module in base.network.named_modules() if module is base.blocks)
    inner = {id(one) for one in base.blocks.parameters()}
    shared = {id(one): one for one in base.network.parameters() if id(one) not in inner}
    network = copy.deepcopy(base.network, memo=dict(shared))
    return network, network.get_submodule(path)
