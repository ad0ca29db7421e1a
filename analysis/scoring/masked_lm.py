"""A masked language model below whose head an encoder's network is put, and its loss on masked tokens."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.encoders import tokens as tk
from analysis.encoders.encoder import Encoder
from analysis.encoders.folder import read_config
from analysis.encoders.model import TOKENS_PER_BATCH
from analysis.errors import InputError
from analysis.text.corpus import Sentence


@dataclass(frozen=True)
class MaskedText:
    """A text with some of its tokens masked, cut into windows.

    Attributes:
        inputs: ids of each window, with mask tokens.
        gold: (masked,) the ids that were masked, window by window.
        place: for each window the positions that are masked.
        sentence: (masked,) sentence of each masked token.
    """

    inputs: tuple[np.ndarray, ...]
    gold: np.ndarray
    place: tuple[np.ndarray, ...]
    sentence: np.ndarray


def headed_folder(encoder: Encoder) -> Encoder:
    """The encoder itself, or the nearest below it, whose checkpoint has a masked-LM head.

    Args:
        encoder: a base, an aligned or a random encoder.

    Raises:
        InputError: neither it nor what it stands on has one.
    """
    below: Encoder | None = encoder
    while below is not None:
        # An aligned encoder's folder may hold an adapter or maps only.
        if (below.folder_of_weights() / "config.json").exists():
            config = read_config(below.folder_of_weights(), below.name)
            if any(str(name).endswith("ForMaskedLM") for name in config.get("architectures") or ()):
                return below
        below = getattr(below, "base_encoder", None)
    raise InputError(
        f"encoder {encoder.name!r} has no masked-LM head (config.json names no ...ForMaskedLM); use one that has, such "
        "as hub:FacebookAI/xlm-roberta-base, or an encoder aligned from it"
    )


def load_masked_lm(encoder: Encoder) -> Any:
    """The `transformers` masked language model of an encoder: the head of its checkpoint on the encoder's network.

    Args:
        encoder: its network, trained, aligned or random, replaces the checkpoint's; maps of an aligned encoder are no
            part of the network.

    Returns:
        A model in evaluation mode.

    Raises:
        InputError: no head, a head without weights, or a head that does not fit the network.
    """
    import torch
    from transformers import AutoModelForMaskedLM

    owner = headed_folder(encoder)
    try:
        model, report = AutoModelForMaskedLM.from_pretrained(
            str(owner.folder_of_weights()), local_files_only=True, trust_remote_code=False, use_safetensors=True,
            output_loading_info=True, dtype=torch.float32,
        )  # fmt: skip
    except (OSError, RuntimeError, ValueError) as error:
        line = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise InputError(
            f"encoder {owner.name!r}: its masked-LM head cannot be loaded ({line}); save it anew"
        ) from error
    missing = sorted(key for key in report["missing_keys"] if "pooler" not in key)
    if missing:
        raise InputError(f"encoder {owner.name!r} lacks the weights of its masked-LM head ({missing[0]}, ...)")
    body = {key: value for key, value in encoder.model.network.state_dict().items() if "pooler" not in key}
    here = {key: value for key, value in model.base_model.state_dict().items() if "pooler" not in key}
    if body.keys() != here.keys() or any(body[key].shape != here[key].shape for key in body):
        raise InputError(f"the network of {encoder.name!r} does not fit the head of {owner.name!r}; align it anew")
    model.base_model.load_state_dict(body, strict=False)
    return model.eval()


def mask_tokens(encoder: Encoder, sentences: Sequence[Sentence], share: float, seed: int) -> MaskedText:
    """Replace a share of each sentence's tokens by the mask token, at least one.

    Which ones depends on the tokenizer and on the seed, not on weights, so that an aligned encoder and its base are
    asked the same. A token of a long sentence is masked in the one window in which it has most context.

    Args:
        encoder: gives the tokenizer and the longest window.
        sentences: the text.
        share: of the tokens of each sentence, special ones not counted.
        seed: seed of the choice.

    Raises:
        InputError: the tokenizer has no mask token.
    """
    tokenizer = encoder.model.tokenizer
    if tokenizer.mask_token_id is None:
        raise InputError(f"the tokenizer of {encoder.name!r} has no mask token; use an encoder trained to fill masks")
    generator = np.random.default_rng(seed)
    coded = tk.tokenise(tokenizer, [tk.readable(one.text) for one in sentences]) if len(sentences) else []
    inputs, gold, places, owner = [], [np.empty(0, np.int64)], [], [np.empty(0, np.int64)]
    for number, one in enumerate(coded):
        count = len(one.ids)
        chosen = generator.permutation(count)[: max(1, round(share * count))]
        for window in tk.windows(one, number, encoder.model.limit) if count else ():
            place = window.kept[np.isin(window.token, chosen)]
            if len(place):
                masked = window.ids.copy()
                masked[place] = tokenizer.mask_token_id
                inputs.append(masked)
                gold.append(window.ids[place])
                places.append(place)
                owner.append(np.full(len(place), number))
    return MaskedText(tuple(inputs), np.concatenate(gold), tuple(places), np.concatenate(owner))


def losses(model: Any, text: MaskedText, pad: int) -> np.ndarray:
    """The negative log-likelihood of each masked token, in nats.

    Args:
        model: a masked language model.
        text: what is masked.
        pad: id of the padding token.

    Returns:
        (masked,) float64, in the order of `text.gold`.
    """
    import torch

    offsets = np.cumsum([0, *(len(place) for place in text.place)])
    found = np.empty(len(text.gold))
    with torch.inference_mode():
        for batch in _batches(text):
            ids = torch.full((len(batch), max(len(text.inputs[n]) for n in batch)), pad, dtype=torch.long)
            wanted, mask = torch.zeros_like(ids, dtype=torch.bool), torch.zeros_like(ids)
            for row, n in enumerate(batch):
                ids[row, : len(text.inputs[n])] = torch.from_numpy(text.inputs[n])
                mask[row, : len(text.inputs[n])] = 1
                wanted[row, torch.from_numpy(text.place[n])] = True
            at = np.concatenate([np.arange(offsets[n], offsets[n + 1]) for n in batch])
            scores = _head_scores(model, ids, mask, wanted).log_softmax(dim=1)
            # Windows name their masked places in ascending order, as `wanted` does.
            gold = torch.from_numpy(text.gold[at])
            found[at] = -scores[torch.arange(len(gold)), gold].double().numpy()
    return found


def _batches(text: MaskedText) -> Iterator[list[int]]:
    """Windows of similar length, as many at once as hold a bounded number of tokens."""
    order = sorted(range(len(text.inputs)), key=lambda n: -len(text.inputs[n]))
    while order:
        size = max(1, TOKENS_PER_BATCH // len(text.inputs[order[0]]))
        yield order[:size]
        order = order[size:]


def _head_scores(model: Any, ids: Any, mask: Any, wanted: Any) -> Any:
    """(masked, vocabulary) scores: the head sees the masked places only, since a vocabulary is large."""

    def narrow(_module: Any, _inputs: Any, output: Any) -> Any:
        """The network's output at the masked places, as one window."""
        output["last_hidden_state"] = output["last_hidden_state"][wanted][None]
        return output

    handle = model.base_model.register_forward_hook(narrow)
    try:
        return model(input_ids=ids, attention_mask=mask, return_dict=True).logits[0].float()
    finally:
        handle.remove()
