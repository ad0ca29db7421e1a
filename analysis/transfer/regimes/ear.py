"""Push embeddings away, pull attention back, keep the label (Ding et al. 2022)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from analysis.alignment.method import Fidelity
from analysis.errors import InputError
from analysis.settings import Setting
from analysis.transfer.encoding import Encoded, text_mask
from analysis.transfer.network import TaskNetwork
from analysis.transfer.regime import Regime, Step, Strategy, Terms, Work
from analysis.transfer.settings import TransferSettings
from analysis.transfer.task import Task

if TYPE_CHECKING:
    import torch

MEASURED = 2000  # items whose embeddings say how long one is
NARROWED = 4  # a learned generator is this many times narrower than the embeddings


@dataclass(frozen=True)
class EarSettings(TransferSettings):
    """Settings of the three parts."""

    generator: Annotated[
        str,
        Setting("where the virtual embeddings come from: a small network that learns to make them, or one step up the "
                "task's loss, which costs a third pass", choices=("learned", "adversarial"),
                source="not known of Ding et al. 2022"),
    ] = "learned"  # fmt: skip
    radius: Annotated[
        float,
        Setting("farthest that an embedding is pushed, as a share of the mean length of the embeddings; an adversarial push "
                "goes all the way, so that less of it suits", ge=0.001, le=10, source="reconstructed; not in the paper"),
    ] = 0.5  # fmt: skip
    push: Annotated[
        float,
        Setting("weight of pushing embeddings away; it trains a learned generator and is constant for an adversarial one",
                ge=0, source="reconstructed; Ding et al. 2022 do not say in what was read"),
    ] = 1.0  # fmt: skip
    pull: Annotated[
        float,
        Setting("weight of the mean squared difference of the attention maps; 0 spares reading them", ge=0,
                source="reconstructed; squares of attention are small (on `bundled`, pushed by half a length: at random "
                       "0.0002, adversarial 0.001, learned 0.0001), so that 100 pulls gently"),
    ] = 100.0  # fmt: skip
    robust: Annotated[
        float, Setting("weight of the task's loss on pushed embeddings", ge=0, source="summed in Ding et al. 2022: 1")
    ] = 1.0


class Ear(Strategy):
    """Learn the task also from embeddings that are no word's, as another language's would be.

    In plain words: the embeddings of the source language's subwords are moved away from where they are, as if they
    were those of another language (push); the encoder learns to attend between them as between the ones it knows
    (pull), and to give the same label (robust). Only labelled items of the source language are read.

        E'   = E + d,   ||d_i|| <= radius * n for every subword i, d = 0 at special tokens and padding
        L    = loss(f(E), y) + robust * loss(f(E'), y)
               + push * mean over i of max(0, radius - ||d_i|| / n)
               + pull * mean over blocks of MSE(A(E), A(E'))

        learned:      d = g(E), a network of two layers, trained by L
        adversarial:  d_i = radius * n * u_i / ||u_i||,   u = gradient of loss(f(E + d), y) by d, at d = 0

    n is the mean length of the training text's embeddings. The push is that of the formula below up to a constant:
    -a dist below the bound, flat at it. A(.) are the attention maps of all blocks and heads; the MSE is over pairs of
    tokens that are both there. Both passes drop the same units, so that only d makes a difference between them.

    Needs nothing but the items; an encoder that gives attention maps, with the head at its last layer, unless pull=0.
    E and d are (sequences, longest, width of the embeddings), a map is (sequences, heads, longest, longest).

    Source: Ding, Liu, Fang, Mao, Zhao, Zhu, Liu, Tian and Chen 2022, Embedding-push, attention-pull and robust targets;
    formula reconstructed from what the three parts are said to do: loss(E) + loss(E') - a dist(E, E') + b sum over
    layers of MSE(Att, Att'). Weights, generator and layers of the paper are not known. Of one's own are the bound,
    which the push needs to end, the mean in place of the sum over layers, and that special tokens, which all
    languages share, stay.
    Relatives: `robust` also trains on moved embeddings and asks nothing of attention; where a dictionary is at hand,
    `cosda` puts real words of other languages there instead of virtual ones.
    """

    def check(self, task: Task, encoder: Any) -> None:
        """Refuse a head below the last layer, for such a pass gives no attention maps."""
        settings = self.settings
        if settings.pull and 0 <= settings.layer < encoder.depth:
            raise InputError(
                f"layer={settings.layer} is below the last of {encoder.depth}, where attention maps are not at hand; "
                "leave layer=-1, or set pull=0"
            )

    def prepare(self, work: Work) -> None:
        """Measure the embeddings and make the generator."""
        import torch

        network = work.network
        if self.settings.pull:
            # Fused attention, which other devices use, has no maps to give.
            network.trainee.network.set_attn_implementation("eager")
            with torch.no_grad():
                network.looked_into(network.encode(work.train.items[:1]), attentions=True)
        self.length = mean_length(network, work)
        if self.settings.generator == "learned":
            width = network.trainee.network.get_input_embeddings().weight.shape[1]
            hidden = max(2, width // NARROWED)
            parts = torch.nn.Linear(width, hidden), torch.nn.GELU(), torch.nn.Linear(hidden, width)
            self.module = torch.nn.Sequential(*parts).to(network.accelerator.device)

    def terms(self, step: Step) -> Terms:
        """The task as it is and on pushed embeddings, the push and the pull."""
        import torch

        settings, network, batch = self.settings, step.network, step.batch
        same = int(step.rng.integers(2**62))
        torch.manual_seed(same)
        change = self._generated if settings.generator == "learned" else self._ascended(step)
        torch.manual_seed(same)
        plain = network.looked_into(batch, attentions=bool(settings.pull))
        torch.manual_seed(same)
        pushed = network.looked_into(batch, change, attentions=bool(settings.pull))
        moved = [b - a for a, b in zip(plain.embedded, pushed.embedded, strict=True)]
        sides = [side for side in (batch.first, batch.second) if side]
        places = [_texts(side, one) for side, one in zip(sides, moved, strict=True)]
        terms = {"task": network.head.loss(plain.outputs, batch)}
        if settings.robust:
            terms["robust"] = settings.robust * network.head.loss(pushed.outputs, batch)
        if settings.push:
            terms["push"] = settings.push * unpushed(moved, places, self.length, settings.radius)
        if settings.pull:
            masks = [mask.to(network.accelerator.device) for mask in plain.masks]
            terms["pull"] = settings.pull * apart(plain.attentions, pushed.attentions, masks)
        return terms

    def _generated(self, found: "torch.Tensor", side: Sequence[Encoded]) -> "torch.Tensor":
        """Embeddings with what the generator adds to them, within the bound."""
        import torch

        unit = self.length / found.shape[-1] ** 0.5  # so that the generator reads and writes numbers about 1
        with torch.autocast(found.device.type, enabled=False):
            wanted = unit * self.module(found.float() / unit)
            reach = self.settings.radius * self.length
            norm = torch.linalg.vector_norm(wanted, dim=-1, keepdim=True)
            added = wanted * (reach / norm.clamp(min=reach)) * _texts(side, found)[..., None]
        return found + added.to(found.dtype)

    def _ascended(self, step: Step) -> "Callable[[torch.Tensor, Sequence[Encoded]], torch.Tensor]":
        """A change by one step up the task's loss, as far as the bound allows for every subword."""
        import torch

        starts: list[torch.Tensor] = []

        def still(found: "torch.Tensor", _side: Sequence[Encoded]) -> "torch.Tensor":
            """Embeddings as they are, with something to take the gradient by."""
            starts.append(torch.zeros_like(found, requires_grad=True))
            return found + starts[-1]

        uphill = iter(torch.autograd.grad(step.network.loss(step.batch, still), starts))
        reach = self.settings.radius * self.length

        def climb(found: "torch.Tensor", side: Sequence[Encoded]) -> "torch.Tensor":
            """Embeddings after the step."""
            direction = torch.nn.functional.normalize(next(uphill), dim=-1)
            return found + reach * direction * _texts(side, found)[..., None]

        return climb


def mean_length(network: TaskNetwork, work: Work) -> float:
    """The mean norm of the embeddings of the training text's subwords, every occurrence counted."""
    import torch

    batch = network.encode(work.train.items[:MEASURED])
    parts = [
        one.ids[start:stop] for one in (*batch.first, *batch.second) for start, stop in (one.content, one.second)
    ]  # fmt: skip
    ids, counts = np.unique(np.concatenate(parts), return_counts=True)
    if not len(ids):
        raise InputError(f"{work.train.name} has no text, so there is no embedding to push; give sentences with words")
    with torch.no_grad():
        table = network.trainee.network.get_input_embeddings()
        norms = table(torch.from_numpy(ids).to(network.accelerator.device)).float().norm(dim=-1).cpu().numpy()
    return float(np.average(norms, weights=counts))


def _texts(side: Sequence[Encoded], like: "torch.Tensor") -> "torch.Tensor":
    """`text_mask` as a tensor of `like`'s length and type."""
    import torch

    return torch.from_numpy(text_mask(side, like.shape[1])).to(like.device, like.dtype)


def unpushed(
    moved: "Sequence[torch.Tensor]", places: "Sequence[torch.Tensor]", length: float, radius: float
) -> "torch.Tensor":
    """How much farther subwords could be pushed: the mean of max(0, radius - ||d|| / length).

    Args:
        moved: (sequences, longest, width) what was added, a tensor a side.
        places: (sequences, longest) 1 where a subword of a text stands.
        length: of a usual embedding.
        radius: the bound, in such lengths.
    """
    import torch

    left = [
        (radius - torch.linalg.vector_norm(one[place > 0].float(), dim=-1) / length).clamp(min=0)
        for one, place in zip(moved, places, strict=True)
    ]  # fmt: skip
    whole = torch.cat(left)
    return whole.sum() / max(1, len(whole))


def apart(
    maps: "Sequence[Sequence[torch.Tensor]]", others: "Sequence[Sequence[torch.Tensor]]",
    masks: "Sequence[torch.Tensor]",
) -> "torch.Tensor":  # fmt: skip
    """The mean squared difference of attention maps between places that hold tokens; mean over blocks and sides.

    Args:
        maps: for each side a (sequences, heads, longest, longest) map a block.
        others: the same of the other pass.
        masks: (sequences, longest) which places of a side hold a token.
    """
    import torch

    found = []
    for one, other, mask in zip(maps, others, masks, strict=True):
        both = (mask[:, :, None] & mask[:, None, :])[:, None]
        for a, b in zip(one, other, strict=True):
            square = torch.where(both, (a.float() - b.float()) ** 2, 0.0)
            found.append(square.sum() / (both.sum() * a.shape[1]))
    return torch.stack(found).mean()


SPEC = Regime(
    name="ear",
    title="Embedding push, attention pull, robust targets (Ding et al.)",
    summary="Trains also on embeddings pushed away from the source language's, with attention and label held.",
    citation="Ding et al. 2022, COLING",
    fidelity=Fidelity.RECONSTRUCTED,
    strategy=Ear,
    settings=EarSettings,
)
