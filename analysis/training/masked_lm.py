"""Masked-language modelling while an alignment trains, with a head of its own where the encoder brings none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from analysis import store
from analysis.encoders.encoder import Encoder
from analysis.errors import InputError
from analysis.records import fingerprint
from analysis.settings import Setting
from analysis.training.encode import Progress
from analysis.training.examples import Side, sides_of
from analysis.training.masking import Masked, content, join_sides, joined_content, mask
from analysis.training.objective import Material
from analysis.training.pooling import pool_tokens
from analysis.training.settings import TrainSettings

if TYPE_CHECKING:
    import torch

HEAD_RATE = 1e-3  # peak learning rate of a head made here; ten times as much unlearns it
HEAD_TOKENS = 2048  # of one step of the warm-up


@dataclass(frozen=True)
class MaskedSettings(TrainSettings):
    """Settings of every method that predicts masked subwords."""

    masked: Annotated[float, Setting("share of a sentence's subwords that is masked", ge=0.01, le=0.9,
                                     source="Devlin et al. 2019", advanced=True)] = 0.15  # fmt: skip
    head_steps: Annotated[
        int,
        Setting("steps that warm up a masked-LM head, tied to the embeddings, where the encoder brings none; the "
                "network stands still meanwhile", ge=0, advanced=True),
    ] = 150  # fmt: skip


class MaskedLM:
    """Predicts masked subwords from hidden states.

    Where the encoder's checkpoint has a masked-LM head, that one is used and stands still. Else a head is made: a
    linear map, GELU and a norm in front of scores against the encoder's own subword embeddings (tied), with a bias,
    first trained alone for `head_steps` on the text of the run while the network stands still, then together with it.
    Scores are computed for the subwords that occur in the text, not for the whole vocabulary.

    Args:
        material: the network, the text, `MaskedSettings`.
        made: whether a head is made even where the checkpoint has one.
        layer: whose states a made head is warmed up on, the last if None; a checkpoint's head reads the last.

    Attributes:
        module: the made head, for the objective's `module`; None for a head of the encoder's own.
        pieces: (kept,) ascending ids of the subwords that are scored.

    Raises:
        InputError: the tokenizer has no mask token or knows no subword of the text, or a head has to be made for an
            encoder whose embeddings are narrower than its states.
    """

    def __init__(self, material: Material, *, made: bool = False, layer: int | None = None) -> None:
        model = material.trainee.base
        self._layer = model.depth if layer is None else layer
        settings: Any = material.settings
        mask_id = model.tokenizer.mask_token_id
        if mask_id is None:
            raise InputError(
                f"the tokenizer of {material.encoder.name!r} has no mask token, which masked-language modelling needs; "
                "use an encoder that was trained to fill masks"
            )
        self.mask_id, self.share, self._limit = int(mask_id), float(settings.masked), model.limit
        self._sides = _sides(material)
        seen = np.unique(np.concatenate([[], *(side.ids[content(side)] for side in self._sides)]).astype(np.int64))
        self.pieces = seen[~np.isin(seen, model.tokenizer.all_special_ids)]
        if not len(self.pieces):
            raise InputError(
                f"the tokenizer of {material.encoder.name!r} knows no subword of the text, so there is nothing to mask; "
                "use an encoder for its languages"
            )
        self._network: Any = material.trainee.network
        self._own = None if made else _checkpoint_head(material.encoder)
        self.module: Any = None
        self.warm_up_tokens = 0
        if self._own is None:
            self._check_width(material.encoder)
            self.module = _make_head(self._network.get_input_embeddings().weight, self.pieces)
            self.warm_up_tokens = HEAD_TOKENS * settings.head_steps
            if material.job is not None and settings.head_steps:
                self._warm_up(material)

    def _check_width(self, encoder: Encoder) -> None:
        """Refuse an encoder whose embeddings a made head cannot be tied to."""
        width = self._network.get_input_embeddings().weight.shape[1]
        if width != encoder.dim:
            raise InputError(
                f"{encoder.name!r} has embeddings of {width} numbers and states of {encoder.dim}, so that no masked-LM "
                "head can be tied to them; use a checkpoint that brings its own head, or a method without masks"
            )

    def masked(
        self, sequences: Sequence[np.ndarray], maskable: Sequence[np.ndarray], rng: np.random.Generator
    ) -> Masked:
        """Sequences with masks; see `mask`."""
        return mask(sequences, maskable, rng, share=self.share, mask_id=self.mask_id, pieces=self.pieces)

    def mlm(self, step: Any, sides: Sequence[Side], layer: int) -> "torch.Tensor":
        """Predict masked subwords of sentences by themselves.

        Args:
            step: runs the network and draws.
            sides: the sentences.
            layer: whose states are read, as a rule the last.

        Source: Devlin et al. 2019, BERT, section 3.1.
        """
        found = self.masked([side.ids for side in sides], [content(side) for side in sides], step.rng)
        return self.loss(pool_tokens(step.run(found.ids, [layer])[layer], found.row, found.place), found.gold)

    def tlm(self, step: Any, first: Sequence[Side], second: Sequence[Side], layer: int) -> "torch.Tensor":
        """Predict masked subwords of sentences beside their translations, which can be looked at.

        Args:
            step: runs the network and draws.
            first: the sentences that come first.
            second: their translations.
            layer: whose states are read, as a rule the last.

        Source: Lample and Conneau 2019, section 3.3.
        """
        both = list(zip(first, second, strict=True))
        # Each side fits the window, both together may not.
        joined = [join_sides(*pair).ids[: self._limit] for pair in both]
        maskable = [columns[columns < self._limit] for columns in (joined_content(*pair) for pair in both)]
        found = self.masked(joined, maskable, step.rng)
        return self.loss(pool_tokens(step.run(found.ids, [layer])[layer], found.row, found.place), found.gold)

    def loss(self, states: "torch.Tensor", gold: np.ndarray) -> "torch.Tensor":
        """Cross-entropy of the masked subwords, in nats.

        Args:
            states: (masked, dim) hidden states at their places.
            gold: (masked,) their ids; those that are no subword of the text (an unknown one) are left out.
        """
        import torch
        from torch.nn.functional import cross_entropy

        known, place = self.known(gold)
        if not len(known):
            return states.sum() * 0
        states = states.index_select(0, torch.from_numpy(known).to(states.device))
        return cross_entropy(self.scores(states), torch.from_numpy(place).to(states.device))

    def known(self, gold: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which of some subwords are scored, and their places among `pieces`.

        Args:
            gold: (n,) ids.

        Returns:
            (known,) indices into `gold` and as many into `pieces`.
        """
        place = np.searchsorted(self.pieces, gold).clip(max=len(self.pieces) - 1)
        known = np.flatnonzero(self.pieces[place] == gold)
        return known, place[known]

    def scores(self, states: "torch.Tensor") -> "torch.Tensor":
        """(n, kept) scores of the text's subwords for (n, dim) hidden states."""
        import torch

        kept = torch.from_numpy(self.pieces).to(states.device)
        if self._own is not None:
            return self._own(states).index_select(1, kept)
        self.module.to(states.device)
        table = self._network.get_input_embeddings()(kept)  # with what LoRA has changed of them
        return self.features(states) @ table.T.float() + self.module["output"]["bias"]

    def features(self, states: "torch.Tensor") -> "torch.Tensor":
        """(n, dim) what a made head compares with the embeddings, for (n, dim) hidden states."""
        import torch

        self.module.to(states.device)
        with torch.autocast(states.device.type, enabled=False):
            norm, dense = self.module["norm"], self.module["dense"]
            return norm(torch.nn.functional.gelu(dense(states.float())))

    def _warm_up(self, material: Material) -> None:
        """Train the made head alone; seeds of one text share the result by the cache."""
        import torch

        settings: Any = material.settings
        job, steps = material.job, settings.head_steps
        key = {
            "kind": "masked-LM head", "version": 2, "layer": self._layer, "encoder": material.encoder.name,
            "revision": material.encoder.revision, "steps": steps, "precision": material.trainee.precision,
            "share": self.share, "text": fingerprint(
                {"ids": sorted({side.ids.tobytes().hex() for side in self._sides})}
            ),
        }  # fmt: skip
        stored = store.get(key)
        if stored is None:
            if job is not None:
                job.say(
                    f"the encoder has no masked-LM head: one tied to its embeddings is warmed up for {steps} steps on "
                    f"{len(self._sides):,} sentences and {len(self.pieces):,} kinds of subword"
                )
            told = (lambda done, total: job.progress(done, total, "Warming up the masked-LM head")) if job else None
            self._train_head(material, steps, told)
            stored = {name: value.detach().cpu().numpy() for name, value in self.module.state_dict().items()}
            store.put(key, stored)
        self.module.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in stored.items()})

    def _train_head(self, material: Material, steps: int, progress: Progress | None) -> None:
        """A few steps of Adam on the head over states of the frozen base, with a rate that falls to 0."""
        import torch

        trainee, rng = material.trainee, np.random.default_rng(0)
        optimiser = torch.optim.AdamW(self.module.parameters(), lr=HEAD_RATE, weight_decay=0.0)
        # Each sentence once and in an order of its own, so that the result depends on the text alone.
        drawn = [one for _, one in sorted({side.ids.tobytes(): side for side in self._sides}.items())]
        for step in range(steps):
            for group in optimiser.param_groups:
                group["lr"] = HEAD_RATE * (1 - step / steps)
            sides, tokens = [], 0
            while tokens < HEAD_TOKENS:
                sides.append(drawn[rng.integers(len(drawn))])
                tokens += len(sides[-1].ids)
            found = self.masked([side.ids for side in sides], [content(side) for side in sides], rng)
            with torch.no_grad(), trainee.frozen.lock, trainee.accelerator.autocast():
                states = trainee.frozen.states(found.ids, [self._layer])[self._layer]
            loss = self.loss(pool_tokens(states, found.row, found.place), found.gold)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            if progress:
                progress(step + 1, steps)
        optimiser.zero_grad()


def _sides(material: Material) -> list[Side]:
    """All sentences of the run's text, translated or not."""
    examples = material.examples
    found = [*examples.source] if examples.source is examples.target else [*examples.source, *examples.target]
    if examples.source is not examples.target:
        for sentences in material.monolingual.values():
            made = sides_of(material.trainee.base, sentences, "mean")
            found += [side for side in made if 0 < len(side.ids) <= material.trainee.base.limit]
    return [side for side in found if side.content[1] > side.content[0]]


def _make_head(table: "torch.Tensor", pieces: np.ndarray) -> Any:
    """A linear map that starts as the identity, a norm, and a bias for every scored subword."""
    import torch
    from torch import nn

    dim = table.shape[1]
    head: Any = nn.ModuleDict(
        {"dense": nn.Linear(dim, dim), "norm": nn.LayerNorm(dim),
         "output": nn.ParameterDict({"bias": nn.Parameter(torch.zeros(len(pieces)))})}
    )  # fmt: skip
    with torch.no_grad():
        head["dense"].weight.copy_(torch.eye(dim))
        head["dense"].bias.zero_()
    return head


def _checkpoint_head(encoder: Encoder) -> "Callable[[torch.Tensor], torch.Tensor] | None":
    """The head of the encoder's own checkpoint as a function of (n, dim) states, or None where it has none."""
    from transformers.modeling_outputs import BaseModelOutput

    from analysis.scoring.masked_lm import headed_folder, load_masked_lm

    try:
        headed_folder(encoder)
    except InputError:
        return None
    model = load_masked_lm(encoder)
    for one in model.parameters():
        one.requires_grad_(False)
    given: dict[str, Any] = {}
    # The whole of the head, whatever a family calls it: the network below it hands on the states it is given.
    model.base_model.forward = lambda *_args, **_options: BaseModelOutput(last_hidden_state=given["states"])

    def scores(states: "torch.Tensor") -> "torch.Tensor":
        """(n, vocabulary) scores."""
        given["states"] = states[None]
        ids = states.new_zeros((1, len(states))).long()
        return model.to(states.device)(input_ids=ids, return_dict=True).logits[0]

    return scores
