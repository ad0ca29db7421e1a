"""Learning a task so that small changes of its words do not matter (Huang et al. 2021)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from analysis.alignment.method import Fidelity, Uses
from analysis.errors import InputError
from analysis.settings import Setting
from analysis.text.dictionary import Dictionary
from analysis.text.linked import type_of
from analysis.transfer.encoding import Encoded, text_mask
from analysis.transfer.item import Item, Kind
from analysis.transfer.network import Change
from analysis.transfer.regime import Regime, Step, Strategy, Terms, Work
from analysis.transfer.settings import TransferSettings
from analysis.transfer.switching import Listed, merged, switch_item, words_of
from analysis.transfer.task import Task

if TYPE_CHECKING:
    import torch

OWN = {"adversarial": 0.1, "noise": 1.0}  # epsilon where none is set


@dataclass(frozen=True)
class RobustSettings(TransferSettings):
    """Settings of the changes."""

    variant: Annotated[
        str,
        Setting("how words change: by random noise, by the noise that hurts most, or into synonyms (needs --dictionary)",
                choices=("noise", "adversarial", "synonyms"),
                source="README of Huang et al. 2021: synonyms most consistent; noise needs no data"),
    ] = "noise"  # fmt: skip
    epsilon: Annotated[
        float,
        Setting("largest change of a word embedding, as a multiple of their mean norm; 0 is the variant's own: noise 1, "
                "adversarial 0.1", ge=0),
    ] = 0.0  # fmt: skip
    clean: Annotated[
        float, Setting("weight of the loss of the unchanged items beside that of the changed ones (noise, adversarial)",
                       ge=0, source="0: Huang et al. 2021")
    ] = 0.0  # fmt: skip
    inner_steps: Annotated[
        int, Setting("gradient steps that look for the worst change (adversarial)", ge=1, advanced=True)
    ] = 3
    inner_lr: Annotated[
        float, Setting("length of such a step, as a share of epsilon (adversarial)", ge=1e-6, advanced=True)
    ] = 0.5
    synonyms: Annotated[
        int, Setting("most synonyms of a word; the likeliest are kept (synonyms)", ge=1, advanced=True)
    ] = 10


class Robust(Strategy):
    """Learn from items whose words are changed a little, so that what is near a word is answered like it.

    In plain words: a translation's embedding is taken as a disturbed embedding of the source word. An encoder whose
    answers hold under disturbance should hold under translation, and no other language is needed to train it.

        adversarial  L = max over d with |d_t| <= r of loss(E + d): d starts at 0; inner_steps times
                     d_t <- P(d_t + inner_lr * r * g_t / |g_t|), g the gradient of the loss and P the projection on
                     the ball; the weights then step on the loss at the last d, held still
        noise        L = loss(E + d), d_t uniform in the ball |d_t| <= r, new at each step
        synonyms     L = loss of the item with every word drawn uniformly from {word} and its synonyms
        all          r = epsilon * the mean norm of the table of word embeddings;  + clean * loss(E) if wanted

    E and d are (sequences, longest, dim) at the output of the table of word embeddings, t runs over the tokens of the
    texts; special tokens and padding are not changed. An adversarial step costs inner_steps + 1 passes.

    Needs nothing beside the items, but for `variant=synonyms` dictionaries: of the language of the labels with itself
    (`en-en.txt`, a synonym and a word a line, read both ways), or of it with others, by which two words are synonyms if
    they share a translation, ranked by sum over translations f of p(f | word) p(synonym | f) with all entries of a word
    equally likely (the pivoting of Bannard and Callison-Burch 2005; it is rough: German Gut makes estate a synonym of
    good). Labels of words stay with their places; of a question only itself is changed.

    Source: Huang, Ahmad, Peng and Chang 2021, Improving zero-shot cross-lingual transfer learning via robust training
    (EMNLP). The synonyms are as coded (perturb.py), but drawn anew whenever an item is read instead of offline (10
    copies of an item for PAWS-X, 3 for XNLI), looked up without regard to case, and from dictionaries instead of
    counter-fitted vectors. The other two are reconstructed: epsilon as a multiple of the mean norm, which makes it hold
    for any encoder, the start at 0, the normed gradient steps and all defaults are chosen here. In the bundled
    encoder the embeddings of one-token translations lie 1.1 to 1.2 mean norms apart (medians over XLing German,
    Finnish and Russian), those of unrelated words 1.4, hence 1 for noise; 0.1 for adversarial is not tuned. Dropout
    draws anew in every inner step. Of their generalised setting, the two texts of a pair in two languages,
    `--mixed` scores the pairs of the source language with each other one.
    Relatives: `cosda` replaces words by their translations; `plain` is what this is to be compared with.
    """

    settings: RobustSettings

    def __init__(self, settings: RobustSettings) -> None:
        super().__init__(settings)
        self.radius, self.kind, self.table = 0.0, Kind.CLASS, Listed()

    def check(self, task: Task, encoder: Any) -> None:
        """Refuse settings of another variant.

        Raises:
            InputError: clean or epsilon with synonyms.
        """
        for name in ("clean", "epsilon"):
            value = getattr(self.settings, name)
            if value and self.settings.variant == "synonyms":
                raise InputError(
                    f"{name}={value:g} is not for variant=synonyms; leave it at 0 or use noise, adversarial"
                )

    def prepare(self, work: Work) -> None:
        """Measure the embeddings, or collect the synonyms, and say what is changed.

        Raises:
            InputError: synonyms without a dictionary, a dictionary without synonyms, or one that would not be used.
        """
        dictionaries = work.extras.dictionaries
        if self.settings.variant != "synonyms":
            if dictionaries:
                raise InputError(
                    f"variant={self.settings.variant!r} does not use --dictionary; leave it out or --set variant=synonyms"
                )
            table = work.network.trainee.network.get_input_embeddings().weight
            norm = float(table.detach().float().norm(dim=-1).mean())
            epsilon = self.settings.epsilon or OWN[self.settings.variant]
            self.radius = epsilon * norm
            work.job.say(f"word embeddings change by at most {self.radius:.4g} ({epsilon:g} x mean norm {norm:.4g})")
            return
        if not dictionaries:
            raise InputError(
                "variant='synonyms' needs --dictionary: synonyms (en-en.txt) or translations (set:bli_xling:en-de:train)"
            )
        self.kind, self.table = work.task.kind, synonyms(dictionaries, work.source, self.settings.synonyms)
        words = [type_of(word) for word in words_of(work.train.items, self.kind)]
        counts = [len(self.table[word]) for word in words if word in self.table]
        if not counts:
            named = ", ".join(one.name for one in dictionaries)
            raise InputError(
                f"{named}: no word of {work.train.name} has a synonym there; give more or larger dictionaries with "
                f"several {work.source} words for one translation, or a list of synonyms {work.source}-{work.source}"
            )
        rate = sum(count / (count + 1) for count in counts) / len(words)
        work.job.say(
            f"{100 * len(counts) / len(words):.1f}% of {len(words):,} words have synonyms, {np.mean(counts):.1f} on "
            f"average; {100 * rate:.1f}% of all words will be replaced"
        )

    def items(self, items: Sequence[Item], rng: np.random.Generator) -> Sequence[Item]:
        """The items, with synonyms if that is the variant."""
        if self.settings.variant != "synonyms":
            return items

        def draw(word: str) -> str | None:
            """The word itself or one of its synonyms."""
            listed = self.table.get(type_of(word), ())
            at = int(rng.integers(len(listed) + 1))
            return listed[at - 1] if at else None

        return [switch_item(item, draw, self.kind) for item in items]

    def terms(self, step: Step) -> Terms:
        """The loss of the changed items, and that of the unchanged ones if wanted."""
        if self.settings.variant == "synonyms":
            return super().terms(step)
        make = self._noise if self.settings.variant == "noise" else self._adversary
        found = {"perturbed": step.network.loss(step.batch, make(step))}
        if self.settings.clean:
            found["task"] = self.settings.clean * step.network.loss(step.batch)
        return found

    def _noise(self, step: Step) -> Change:
        """Adds a point of the ball to every token's embedding."""
        import torch

        generator = torch.Generator().manual_seed(int(step.rng.integers(2**62)))

        def change(embedded: "torch.Tensor", sequences: Sequence[Encoded]) -> "torch.Tensor":
            """See `network.Change`."""
            noise = in_ball(embedded.shape, self.radius, generator).to(embedded)
            return embedded + noise * _inner_tokens(sequences, embedded)

        return change

    def _adversary(self, step: Step) -> Change:
        """Adds the change that was found to raise the loss most."""
        import torch

        deltas: dict[int, torch.Tensor] = {}  # by the identity of a side, which lives as long as the batch
        masks: dict[int, torch.Tensor] = {}

        def change(embedded: "torch.Tensor", sequences: Sequence[Encoded]) -> "torch.Tensor":
            """See `network.Change`."""
            key = id(sequences)
            if key not in deltas:
                deltas[key] = torch.zeros_like(embedded).requires_grad_()
                masks[key] = _inner_tokens(sequences, embedded)
            return embedded + deltas[key] * masks[key]

        for _ in range(self.settings.inner_steps):
            loss = step.network.loss(step.batch, change)
            slopes = torch.autograd.grad(loss, list(deltas.values()))
            for (key, delta), slope in zip(list(deltas.items()), slopes, strict=True):
                deltas[key] = self._climbed(delta.detach(), slope).requires_grad_()
        for key, delta in deltas.items():
            deltas[key] = delta.detach()
        return change

    def _climbed(self, delta: "torch.Tensor", slope: "torch.Tensor") -> "torch.Tensor":
        """One step uphill for every token, and back into the ball."""
        tiny = 1e-12  # where a token has no gradient it stays
        moved = delta + self.settings.inner_lr * self.radius * slope / slope.norm(dim=-1, keepdim=True).clamp(min=tiny)
        return moved * (self.radius / moved.norm(dim=-1, keepdim=True).clamp(min=tiny)).clamp(max=1)


def in_ball(shape: Sequence[int], radius: float, generator: "torch.Generator") -> "torch.Tensor":
    """Vectors that are uniform in a ball of the last dimension: a direction, and radius * u^(1/dim)."""
    import torch

    direction = torch.randn(*shape, generator=generator)
    length = radius * torch.rand(*shape[:-1], 1, generator=generator) ** (1 / shape[-1])
    return length * direction / direction.norm(dim=-1, keepdim=True)


def _inner_tokens(sequences: Sequence[Encoded], like: "torch.Tensor") -> "torch.Tensor":
    """(sequences, longest, 1) one at the tokens of the texts, zero at special tokens and padding."""
    import torch

    return torch.from_numpy(text_mask(sequences, like.shape[1])[:, :, None]).to(like)


def synonyms(dictionaries: Iterable[Dictionary], source: str, most: int) -> Listed:
    """The synonyms of each word: those that are listed, then those found by way of other languages.

    Args:
        dictionaries: of the source language with itself or with another one.
        source: the language of the labels.
        most: synonyms of a word, the likeliest first.

    Raises:
        InputError: a dictionary without the source language.
    """
    direct: list[Dictionary] = []
    scores: dict[str, dict[str, float]] = {}
    for one in dictionaries:
        if source not in one.languages:
            raise InputError(
                f"{one.name} is {'-'.join(one.languages)} and lacks {source!r}, the language of the training data; give "
                f"a dictionary with it, such as {source}-{source} or {source}-{one.languages[1]}"
            )
        if one.languages == (source, source):
            direct += [one, one.flipped()]
            continue
        _pivot(one.flipped() if one.languages[1] == source else one, scores)
    listed = merged(direct)
    found = {}
    for word in sorted({*listed, *scores}):
        ranked = sorted(scores.get(word, {}).items(), key=lambda pair: (-pair[1], pair[0]))
        kept: dict[str, str] = {}
        for other in (*listed.get(word, ()), *(other for other, _ in ranked)):
            kept.setdefault(type_of(other), other)
        kept.pop(word, None)
        if kept:
            found[word] = tuple(kept.values())[:most]
    return found


def _pivot(dictionary: Dictionary, scores: dict[str, dict[str, float]]) -> None:
    """Add to each word's scores the probabilities of those that share a translation with it, itself included."""
    back = dictionary.flipped().translations()
    for word, pivots in dictionary.translations().items():
        mine = scores.setdefault(word, {})
        for pivot in pivots:
            others = back[type_of(pivot)]
            for other in others:
                mine[other] = mine.get(other, 0.0) + 1 / len(pivots) / len(others)


SPEC = Regime(
    name="robust",
    title="Robust training",
    summary="Fine-tunes on items whose words are changed by noise, by an adversary or into synonyms.",
    citation="Huang et al. 2021, EMNLP",
    fidelity=Fidelity.RECONSTRUCTED,
    strategy=Robust,
    settings=RobustSettings,
    uses=frozenset({Uses.DICTIONARY}),
)
