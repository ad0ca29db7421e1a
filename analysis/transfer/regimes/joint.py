"""Task and word alignment at once, the language of the labels held in place (Efimov et al. 2022)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from analysis.alignment.method import Fidelity, Uses
from analysis.errors import InputError
from analysis.settings import Setting
from analysis.training import losses
from analysis.training.examples import Side
from analysis.training.pooling import pool_words
from analysis.training.steps import batch_links
from analysis.transfer.parallel import drawn, linked_pairs
from analysis.transfer.projection import cosine, gradients
from analysis.transfer.regime import Regime, Step, Strategy, Terms, Work
from analysis.transfer.settings import TransferSettings
from analysis.transfer.task import Task

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class JointSettings(TransferSettings):
    """Settings of the alignment beside the task; a weight of 0 switches a term off."""

    align: Annotated[
        float, Setting("weight of the squared distance between linked words", ge=0, source="Efimov et al. 2022: 0.01")
    ] = 0.01
    anchor: Annotated[
        float,
        Setting("weight of holding the words of the labels' language where the base has them", ge=0,
                source="Efimov et al. 2022: 1"),
    ] = 1.0  # fmt: skip
    pairs: Annotated[int, Setting("sentence pairs of a step", ge=1, source="Efimov et al. 2022: 16")] = 16
    max_pairs: Annotated[
        int,
        Setting("sentence pairs of each language, drawn at random; 0 means all", ge=0, advanced=True,
                source="Efimov et al. 2022: 30,000 beside XNLI"),
    ] = 30_000  # fmt: skip
    log_every: Annotated[
        int,
        Setting("steps between two measurements of the cosine of the task's gradient with each other term's, which "
                "take another way back; 0 means never", ge=0, advanced=True, source="asked for by Veitsman et al. 2026"),
    ] = 50  # fmt: skip


class Joint(Strategy):
    """Learn the task while linked words are drawn together and the labels' language is held.

    In plain words: learning a task on one language makes an encoder forget part of how languages lie. So every step
    also reads a few translated sentences: a word and its translation are drawn together, weakly, and the words of the
    labels' language are held where they were before the task, strongly. With the weights of the paper the second term
    is the larger one by far; the regime is close to plain learning with a brake. `align=0` and `anchor=0` tell the two
    apart.

        L = the task's loss  +  align * mean over links and dimensions of (f(s)_i - f(t)_j)^2
                             +  anchor * mean over all words of t and dimensions of (f(t)_j - f0(t)_j)^2

    Here t is the sentence in the language of the labels, s its translation and f0 the base without dropout. Needs
    sentence pairs of the labels' language with others; word links are made by the base where the data bring none. A
    step has (links, dim) and (words of t, dim) vectors of the last layer, whichever layer the head reads.

    Every `log_every` steps the cosine between the gradient of the task and that of each other term, over the
    encoder's trained weights, is written to the metrics (`kind` cosine); it does not depend on the weights of the
    terms.

    Source: Efimov, Boytsov, Arslanova and Braslavski 2022, The impact of cross-lingual adjustment of contextual word
    representations on zero-shot transfer, the continual regime, as coded: last layer, mean of subwords, special
    tokens as words, one-to-one links without equal strings, pairs without links dropped, 16 random pairs a step,
    weights 0.01 and 1. There all weights train (NLI 5e-5, 2 epochs, batches of 32) on WikiMatrix pairs of one
    language linked by fast_align; here LoRA by default, all languages of the data mixed as they come, and words
    linked by the encoder. The cosine: Veitsman, Liu and Schuetze 2026, who ask for it.
    Relatives: `plain` after the aligning method `efimov` does the two one after the other; `gem` lets the task's step
    through unless it goes against the alignment, whatever the weights.
    """

    def check(self, task: Task, encoder: object) -> None:
        """Refuse two weights of 0.

        Raises:
            InputError: nothing is left beside the task.
        """
        if not (self.settings.align or self.settings.anchor):
            raise InputError(
                "align and anchor are both 0, which leaves plain fine-tuning; give one of them, or `plain`"
            )

    def prepare(self, work: Work) -> None:
        """Tokenise and link the pairs.

        Raises:
            InputError: no usable pairs.
        """
        if not work.extras.bitexts:
            raise InputError("regime joint needs --data (sentence pairs, for example corpus:ui_chromium:train)")
        self.job = work.job
        self.examples = linked_pairs(work, self.settings.max_pairs)

    def terms(self, step: Step) -> Terms:
        """The task, the distance of linked words and the anchor, weighted."""
        return super().terms(step) | self.parallel(step, drawn(len(self.examples), self.settings.pairs, step.rng))

    def parallel(self, step: Step, rows: list[int]) -> Terms:
        """The two terms of these sentence pairs, weighted."""
        import torch

        source, target = ([side[row] for row in rows] for side in (self.examples.source, self.examples.target))
        here, terms = _words(step, target), Terms()
        if self.settings.align:
            links = torch.from_numpy(batch_links(self.examples, rows, source, target)).to(here.device)
            there = _words(step, source).index_select(0, links[:, 0])
            terms["align"] = self.settings.align * losses.mse(there, here.index_select(0, links[:, 1]))
        if self.settings.anchor:
            terms["anchor"] = self.settings.anchor * losses.mse(here, _frozen_words(step, target))
        return terms

    def backward(self, terms: Terms, step: Step) -> None:
        """The gradient of the sum, after a look at how the parts lie to each other."""
        every = self.settings.log_every
        if every and (step.number - 1) % every == 0:
            weights = list(step.network.trainee.parameters.values())
            parts = {name: gradients(term, weights, keep=True) for name, term in terms.items()}
            found = {name: cosine(parts["task"], part) for name, part in parts.items() if name != "task"}
            rounded = {name: None if value is None else round(value, 6) for name, value in found.items()}
            self.job.metric(step.number, kind="cosine", with_task=rounded, phase="train")
        super().backward(terms, step)


def _words(step: Step, sides: list[Side]) -> "torch.Tensor":
    """(words, dim) vectors of all words in the network that trains."""
    layer = step.network.encoder.depth
    return pool_words(step.network.states([side.ids for side in sides], [layer])[layer], sides)


def _frozen_words(step: Step, sides: list[Side]) -> "torch.Tensor":
    """(words, dim) vectors of all words in the base, without dropout and gradients."""
    import torch

    trainee, layer = step.network.trainee, step.network.encoder.depth
    with torch.no_grad(), trainee.frozen.lock, trainee.accelerator.autocast():
        return pool_words(trainee.frozen.states([side.ids for side in sides], [layer])[layer], sides)


SPEC = Regime(
    name="joint",
    title="Task and alignment at once (Efimov et al.)",
    summary="Learns the task while linked words of sentence pairs meet and the labels' language is held in place.",
    citation="Efimov et al. 2022, ECIR 2023",
    fidelity=Fidelity.CODE_CHECKED,
    strategy=Joint,
    settings=JointSettings,
    uses=frozenset({Uses.DATA}),
    needs=frozenset({Uses.DATA}),
)
