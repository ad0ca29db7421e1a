"""A monolingual teacher of the task: its soft labels, or its labels of more text (MonoX, Chi et al. 2019)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from analysis.alignment.method import Fidelity, Uses
from analysis.encoders.load import load_encoder
from analysis.errors import InputError
from analysis.settings import Setting
from analysis.text.corpus import Sentence
from analysis.transfer.encoding import Batch
from analysis.transfer.item import Item, Kind
from analysis.transfer.regime import Regime, Step, Strategy, Terms, Work
from analysis.transfer.settings import TransferSettings
from analysis.transfer.task import Task
from analysis.transfer.teacher import key, lessons

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class MonoxSettings(TransferSettings):
    """Settings of teacher and student."""

    variant: Annotated[
        str,
        Setting("what the student learns from: distil (the teacher's probabilities of the training items), pseudo (the "
                "labels, and the teacher's labels of --monolingual), or both (all of that, with the teacher's "
                "probabilities of all)", choices=("distil", "pseudo", "both"), source="Chi et al. 2020"),
    ] = "distil"  # fmt: skip
    teacher: Annotated[
        str,
        Setting("a well-kept encoder of the source language, such as hub:google-bert/bert-base-uncased, or a folder; "
                "empty: one is made of the encoder itself, by masked LM in the source language alone", encoder=True),
    ] = ""  # fmt: skip
    temperature: Annotated[
        float, Setting("divides the logits of both before the softmax", ge=0.01, source="not known; Hinton et al. 2015: "
                       "above 1")
    ] = 2.0  # fmt: skip
    gold: Annotated[
        float,
        Setting("weight of the given labels beside distillation when variant=distil; the other variants count labels "
                "with weight 1", ge=0, source="reconstructed: distillation alone"),
    ] = 0.0  # fmt: skip
    mix: Annotated[
        float, Setting("pseudo-labelled sentences of a step for each labelled item", ge=0.01, source="chosen here")
    ] = 1.0
    max_unlabelled: Annotated[
        int, Setting("unlabelled sentences, drawn at random; 0 means all", ge=0, advanced=True)
    ] = 20_000
    teacher_epochs: Annotated[
        float, Setting("the teacher's passes over the training items; 0 is the task's own number", ge=0, advanced=True)
    ] = 0.0
    teacher_mlm_steps: Annotated[
        int,
        Setting("steps of masked LM in the source language that make the teacher of the encoder itself; only where "
                "`teacher` is empty", ge=0, advanced=True, source="chosen here"),
    ] = 300  # fmt: skip
    teacher_mlm_batch: Annotated[int, Setting("sentences of such a step", ge=1, advanced=True)] = 32
    head_steps: Annotated[
        int,
        Setting("steps that warm up a masked-LM head, tied to the embeddings, where the encoder brings none", ge=0,
                advanced=True),
    ] = 150  # fmt: skip


class Monox(Strategy):
    """Let an encoder that knows one language well teach the multilingual one.

    In plain words: an encoder of English alone often learns an English task better than a multilingual one. It learns
    the task first; the multilingual student then learns what the teacher says, which is softer than labels and also to
    be had for text without labels.

        distil:  L = t^2 * CE(softmax(z_T / t), softmax(z_S / t))  +  gold * the task's loss
        pseudo:  L = the task's loss over labelled items and the teacher's labels of other sentences, in one mean
        both:    L = the loss of pseudo  +  t^2 * CE(softmax(z_T / t), softmax(z_S / t)) over both kinds of item

    z are (items, labels) or (words, labels) logits; t^2 keeps the gradient's size whatever the temperature is. Needs
    labelled items, and for pseudo and both --monolingual text of their language and a task of one sentence. A step of
    these reads `mix` more sentences for each item. Teacher and student read an item each with its own tokenizer; a word
    that one of them cuts off teaches nothing.

    The teacher is trained like the student, on all blocks and the last layer of its own encoder. With `teacher` empty it
    is the encoder itself after masked LM on the text of the source language (--monolingual, else the training texts):
    that shows the regime without another download; it cannot know much that the student does not, so that a gain needs
    a real teacher. Its logits are kept beside the run.

    Source: Chi, Dong, Wei, Mao and Huang 2019, Can monolingual pretrained models help cross-lingual classification?,
    arXiv 1911.03913, AACL 2020, reconstructed: both variants are in the abstract, their formulas are not checked.
    Temperature, the factor t^2 (Hinton, Vinyals and Dean 2015), hard pseudo-labels without a threshold, how they are
    mixed, both at once, and the teacher made here are choices of ours.
    Relatives: `plain` learns from labels alone and is to be compared with; regimes that read other languages (`joint`,
    `gem`) move the encoder where this one only trains it better.
    """

    def check(self, task: Task, encoder: Any) -> None:
        """Refuse pseudo-labels of what is not a single sentence with one label, and a teacher that cannot be named.

        Raises:
            InputError: either.
        """
        from analysis.encoders.names import resolve

        if self.settings.variant != "distil" and task.kind is not Kind.CLASS:
            raise InputError(
                f"variant={self.settings.variant!r} labels single sentences, and {task.name} is no task of these; use "
                "variant=distil"
            )
        if self.settings.teacher:
            resolve(self.settings.teacher)

    def prepare(self, work: Work) -> None:
        """Make the teacher and ask it.

        Raises:
            InputError: no text to label.
        """
        self.lessons = lessons(work, self._unlabelled(work) if self.settings.variant != "distil" else ())

    def _unlabelled(self, work: Work) -> Sequence[Sentence]:
        """Text of the source language without labels."""
        given = work.extras.monolingual
        text = [one for one in given.get(work.source, ()) if one.text.strip()]
        if not text:
            there = f"that given is in {', '.join(sorted(given))}" if given else "none is given"
            raise InputError(
                f"variant={self.settings.variant!r} needs --monolingual text in {work.source} ({there}); give some as "
                f"FILE:{work.source}, or use variant=distil"
            )
        most = self.settings.max_unlabelled
        if not most or len(text) <= most:
            return text
        rows = np.random.default_rng([work.seed, 29]).choice(len(text), most, replace=False)
        return [text[row] for row in np.sort(rows)]

    def mark(self) -> Any:
        """The teacher, which may be made anew under its old name while a run stands still."""
        return load_encoder(self.settings.teacher).revision if self.settings.teacher else None

    def items(self, items: Sequence[Item], rng: np.random.Generator) -> Sequence[Item]:
        """The items, and sentences that the teacher has labelled."""
        pool = self.lessons.unlabelled
        if not pool:
            return items
        rows = rng.choice(len(pool), min(len(pool), max(1, round(self.settings.mix * len(items)))), replace=False)
        return [*items, *(pool[row] for row in np.sort(rows))]

    def terms(self, step: Step) -> Terms:
        """The labels' cross-entropy and the teacher's, weighted."""
        network, settings = step.network, self.settings
        outputs, terms = network.outputs(step.batch), Terms()
        weight = settings.gold if settings.variant == "distil" else 1.0
        if weight:
            terms["task"] = weight * network.head.loss(outputs, step.batch)
        if settings.variant != "pseudo":
            terms["distil"] = soft_loss(outputs, self.taught(step.batch), settings.temperature)
        return terms

    def taught(self, batch: Batch) -> np.ndarray:
        """(decisions, labels) the teacher's logits of a batch, NaN for words that teacher or student cut off."""
        parts = []
        for item, one in zip(batch.items, batch.first, strict=True):
            found = self.lessons.of_item[key(item)]
            if isinstance(item.label, tuple):
                found = np.where(np.isin(np.arange(one.words), one.word)[:, None], found, np.nan)
            parts.append(found)
        return np.concatenate(parts)


def soft_loss(student: "torch.Tensor", teacher: np.ndarray, temperature: float) -> "torch.Tensor":
    """Cross-entropy of the student's probabilities under the teacher's, times the temperature squared.

    Args:
        student: (decisions, labels) logits with gradients.
        teacher: (decisions, labels) logits; rows of NaN do not count.
        temperature: divides both.

    Source: Hinton, Vinyals and Dean 2015, Distilling the knowledge in a neural network, section 2.
    """
    import torch
    from torch.nn.functional import log_softmax, softmax

    known = np.flatnonzero(np.isfinite(teacher).all(axis=1))
    if not len(known):
        return student.sum() * 0
    said = torch.from_numpy(teacher[known]).to(student.device, student.dtype)
    mine = student.index_select(0, torch.from_numpy(known).to(student.device))
    wanted = softmax(said / temperature, dim=1)
    return temperature**2 * -(wanted * log_softmax(mine / temperature, dim=1)).sum(dim=1).mean()


SPEC = Regime(
    name="monox",
    title="Monolingual teacher (MonoX)",
    summary="A teacher of the source language alone learns the task; its soft labels or pseudo-labels train the encoder.",
    citation="Chi et al. 2019, arXiv 1911.03913; AACL 2020",
    fidelity=Fidelity.RECONSTRUCTED,
    strategy=Monox,
    settings=MonoxSettings,
    uses=frozenset({Uses.MONOLINGUAL}),
    kinds=frozenset({Kind.CLASS, Kind.PAIR, Kind.TAGS}),
)
