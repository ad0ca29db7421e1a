"""The network that learns a task: an encoder that trains, and a head on one of its layers."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.encoders.encoder import Encoder
from analysis.errors import InputError
from analysis.training.settings import TrainSettings, check_reach
from analysis.training.trainee import Trainee
from analysis.transfer.encoding import Batch, Encoded, encode
from analysis.transfer.heads.head import Head, View
from analysis.transfer.item import Item
from analysis.transfer.maps import split_maps
from analysis.transfer.settings import TransferSettings

if TYPE_CHECKING:
    import torch

Change = Callable[["torch.Tensor", Sequence[Encoded]], "torch.Tensor"]
LEAST_TOKENS = 8  # the special tokens of a pair and a word or two of each text
TOKENS = 4096  # of one batch when items are only scored


@dataclass(frozen=True)
class Pass:
    """One forward pass.

    Attributes:
        outputs: what the head gave.
        embedded: (sequences, longest, dim) word embeddings of the first and of the second sequences, as the blocks'
            input layer got them, after any change.
        attentions: for each sequence side a tuple of (sequences, heads, longest, longest), one a block; () unless
            asked for.
        masks: (sequences, longest) which places hold a token, one a side.
    """

    outputs: Any
    embedded: "tuple[torch.Tensor, ...]"
    attentions: "tuple[tuple[torch.Tensor, ...], ...]"
    masks: "tuple[torch.Tensor, ...]"


class TaskNetwork:
    """An encoder that trains with a task's head on top.

    Args:
        encoder: the base; it is not changed.
        items: to learn from; they name the labels.
        settings: of the regime.
        make_head: `make_head(items, dim)` gives the head.
        seed: of the adapters' and the head's start.
        trains_encoder: whether the encoder trains; else only the head does.

    Attributes:
        trainee: the encoder that trains, beside its frozen base.
        head: the task's head.
        layer: the layer it reads.
        maps: what an encoder of closed-form maps does to the states, None for any other.
        parameters: all that trains, by name; the head's begin with `head.`.
    """

    def __init__(
        self, encoder: Encoder, items: Sequence[Item], settings: TransferSettings,
        make_head: Callable[[Sequence[Item], int], Head], *, seed: int, trains_encoder: bool = True,
    ) -> None:  # fmt: skip
        import torch

        if 0 < settings.max_tokens < LEAST_TOKENS:
            raise InputError(f"max_tokens={settings.max_tokens} leaves no room for text; give {LEAST_TOKENS} or more")
        self.encoder, self.settings = encoder, settings
        self.layer = encoder.depth if settings.layer < 0 else encoder.check_layers([settings.layer])[0]
        if trains_encoder:
            check_reach(encoder.depth, settings.blocks, [self.layer])
        body, self.maps = split_maps(encoder, self.layer, trains_encoder=trains_encoder)
        self.trainee = Trainee(body, _train_settings(settings, trains_encoder), seed=seed)
        self.accelerator = self.trainee.accelerator
        torch.manual_seed(seed)
        self.head = make_head(items, encoder.dim)
        self.head.module.to(self.accelerator.device)
        self.trains_encoder = trains_encoder
        encoders = self.trainee.parameters if trains_encoder else {}
        heads = {f"head.{name}": one for name, one in self.head.module.named_parameters() if one.requires_grad}
        self.parameters: dict[str, torch.nn.Parameter] = {**encoders, **heads}
        self.trains(True)

    def trains(self, on: bool) -> None:
        """Switch dropout on or off, the encoder's own only where the settings want it."""
        self.trainee.trains(on and self.settings.dropout and self.trains_encoder)
        self.head.module.train(on)

    def encode(self, items: Sequence[Item]) -> Batch:
        """Items as the network reads them."""
        settings = self.settings
        return encode(
            self.trainee.base, items, joint=self.head.joint, max_tokens=settings.max_tokens, pool=settings.word
        )  # fmt: skip

    @property
    def limit(self) -> int:
        """Most tokens of a sequence; what is longer is cut."""
        return min(self.settings.max_tokens or self.trainee.base.limit, self.trainee.base.limit)

    def cut(self, items: Sequence[Item]) -> int:
        """Of how many items the network reads a part only."""
        batch = self.encode(items)
        sides = (batch.first, batch.second or batch.first)
        return sum(bool(one.cut or other.cut) for one, other in zip(*sides, strict=True))

    def states(
        self, ids: Sequence[np.ndarray], layers: Sequence[int], segments: Sequence[np.ndarray] | None = None
    ) -> "dict[int, torch.Tensor]":
        """Hidden states of any token sequences in the network that trains, with gradients; see `Model.states`."""
        return self.trainee.states(ids, layers, segments)

    def view(self, batch: Batch) -> View:
        """The states of a batch at the head's layer."""
        import torch

        sides = [side for side in (batch.first, batch.second) if side]
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.trains_encoder):
            found = [
                self.states([one.ids for one in side], [self.layer], [one.segments for one in side])[self.layer]
                for side in sides
            ]
            if self.maps is not None:
                found = [self.maps(one, sides[n], batch.items, second=n == 1) for n, one in enumerate(found)]
        return View(batch, *found)

    def outputs(self, batch: Batch, change: Change | None = None) -> Any:
        """What the head says of a batch.

        Args:
            batch: encoded items.
            change: takes the (sequences, longest, dim) word embeddings of a side and its sequences, and gives others of
                the same shape that are read instead; called once a side.
        """
        if change is None:
            return self.head.outputs(self.view(batch))
        sides = iter([side for side in (batch.first, batch.second) if side])
        with self._embeddings(lambda _module, _args, found: change(found, next(sides))):
            return self.head.outputs(self.view(batch))

    def loss(self, batch: Batch, change: Change | None = None) -> "torch.Tensor":
        """The task's loss of a batch; `change` as for `outputs`."""
        return self.head.loss(self.outputs(batch, change), batch)

    def looked_into(self, batch: Batch, change: Change | None = None, *, attentions: bool = False) -> Pass:
        """A forward pass with what happens inside it; `change` as for `outputs`.

        Args:
            batch: encoded items.
            change: of the word embeddings.
            attentions: whether to keep the attention maps of all blocks.

        Raises:
            InputError: attention maps are asked for and the network gives none.
        """
        import torch

        sides = [side for side in (batch.first, batch.second) if side]
        embedded: list[torch.Tensor] = []
        maps: list[tuple[torch.Tensor, ...]] = []
        turn = iter(sides)

        def embed(_module: Any, _args: Any, found: "torch.Tensor") -> "torch.Tensor":
            """Change and keep the word embeddings."""
            side = next(turn)
            embedded.append(found if change is None else change(found, side))
            return embedded[-1]

        with ExitStack() as stack:
            stack.enter_context(self._embeddings(embed))
            if attentions:
                stack.enter_context(self._attention_maps(maps))
            outputs = self.head.outputs(self.view(batch))
        if attentions and not all(maps):
            raise InputError(f"encoder {self.encoder.name!r} gives no attention maps; use a BERT or RoBERTa encoder")
        return Pass(outputs, tuple(embedded), tuple(maps), tuple(token_mask(side) for side in sides))

    @contextmanager
    def _embeddings(self, hook: Any) -> Iterator[None]:
        """With a hook on what the table of word embeddings gives; T5 holds it twice and names the one it does not use."""
        network = self.trainee.network
        table = network.get_input_embeddings()
        same = [one for one in network.modules() if getattr(one, "weight", None) is table.weight]
        handles = [one.register_forward_hook(hook) for one in same]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    @contextmanager
    def _attention_maps(self, kept: list) -> Iterator[None]:
        """With every pass of the network asked for its attention maps, which are kept."""

        def ask(_module: Any, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
            """Ask for them."""
            return args, kwargs | {"output_attentions": True}

        def keep(_module: Any, _args: Any, _kwargs: Any, found: Any) -> None:
            """Keep them."""
            kept.append(tuple(getattr(found, "attentions", None) or ()))

        network = self.trainee.network
        if self.layer < self.encoder.depth:  # a pass that stops early never comes to its end
            raise InputError("attention maps need the head on the last layer; leave --set layer=-1")
        handles = (
            network.register_forward_pre_hook(ask, with_kwargs=True),
            network.register_forward_hook(keep, with_kwargs=True),
        )
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def predict(self, items: Sequence[Item], *, tick: Callable[[int, int], None] | None = None) -> list[Any]:
        """What the network predicts for each item, in their order; it does not depend on the order.

        Args:
            items: any items of the task.
            tick: called with items done and to do.
        """
        found: list[Any] = [None] * len(items)
        for rows, outputs, batch in self.passes(items, tick=tick):
            for row, said in zip(rows, self.head.predict(outputs, batch), strict=True):
                found[row] = said
        return found

    def passes(
        self, items: Sequence[Item], *, tick: Callable[[int, int], None] | None = None
    ) -> "Iterator[tuple[list[int], Any, Batch]]":
        """Rows, head outputs and items of batches of similar length, without dropout and gradients."""
        import torch

        whole = self.encode(items)
        sizes = [len(one.ids) for one in whole.first]
        if whole.second:
            sizes = [max(a, len(b.ids)) for a, b in zip(sizes, whole.second, strict=True)]
        order = sorted(range(len(items)), key=lambda row: (-sizes[row], row))
        done = 0
        self.trains(False)
        try:
            while order:
                count = max(1, TOKENS // max(1, sizes[order[0]]))
                rows, order = order[:count], order[count:]
                batch = whole.take(rows)
                with torch.no_grad():  # the encoder in the run's precision, the head in float32, as in training
                    outputs = self.outputs(batch)
                yield rows, outputs, batch
                done += len(rows)
                if tick:
                    tick(done, len(items))
        finally:
            self.trains(True)


def token_mask(side: Sequence[Encoded]) -> "torch.Tensor":
    """(sequences, longest) which places hold a token."""
    import torch

    mask = np.zeros((len(side), max(len(one.ids) for one in side)), dtype=bool)
    for row, one in enumerate(side):
        mask[row, : len(one.ids)] = True
    return torch.from_numpy(mask)


def _train_settings(settings: TransferSettings, trains_encoder: bool) -> TrainSettings:
    """What the trainee is told; an encoder that stands still gets the smallest adapter, which changes nothing."""
    return TrainSettings(
        adapter=settings.adapter if trains_encoder else "lora", rank=settings.rank if trains_encoder else 1,
        blocks=settings.blocks if trains_encoder else "all", dropout=settings.dropout and trains_encoder,
        precision=settings.precision,
    )  # fmt: skip
