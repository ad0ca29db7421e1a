"""Sentence pairs and text beside the labels, ready for training: tokens, word links, masks."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.alignment.efimov import EfimovSettings
from analysis.alignment.method import orient
from analysis.errors import InputError
from analysis.jobs.job import Job
from analysis.text.corpus import Bitext, Sentence
from analysis.training.data import TrainingData, make_examples
from analysis.training.examples import Examples, Side, prepare, select
from analysis.training.links import link, only_linked
from analysis.training.masked_lm import MaskedLM, MaskedSettings
from analysis.training.masking import content
from analysis.training.objective import Material
from analysis.training.pooling import pool_tokens
from analysis.training.settings import TrainSettings
from analysis.transfer.network import TaskNetwork
from analysis.transfer.regime import Work

if TYPE_CHECKING:
    import torch


def linked_pairs(work: Work, max_pairs: int) -> Examples:
    """Pairs with word links, chosen as `analysis.alignment.efimov` chooses them; the labels' language is the target.

    Links of the data are used where they bring some, else the base makes them. Only one-to-one links stay, of these
    none between equal strings; a pair without any is left out; the special tokens are two linked words.

    Args:
        work: the pairs, the network and the job.
        max_pairs: of each language, drawn at random; 0 means all.

    Raises:
        InputError: pairs without the language of the labels, or nothing left.
    """
    anchor = work.source
    for bitext in work.extras.bitexts:
        if anchor not in bitext.languages:
            raise InputError(
                f"{bitext.name} is {'-'.join(bitext.languages)} and lacks {anchor!r}, the language of the labels; give "
                f"pairs of {anchor} with other languages"
            )
    settings = EfimovSettings(max_pairs=max_pairs, precision=work.settings.precision)
    examples, bitexts = _prepared(work, orient(work.extras.bitexts, anchor), settings)
    tell = lambda done, total: work.job.progress(done, total, "Linking words")  # noqa: E731
    nothing = InputError(
        "no sentence pair of --data has a one-to-one link between two different words; give longer or more pairs"
    )
    try:
        linked = link(examples, bitexts, work.network.trainee, work.network.encoder, settings, progress=tell)
    except InputError as error:  # its remedies are settings of the aligning methods
        raise nothing from error
    kept, _ = only_linked(linked, bitexts)
    if not len(kept):
        raise nothing
    work.job.say(f"{len(kept):,} of {sum(len(one) for one in work.extras.bitexts):,} sentence pairs have word links")
    return kept


def plain_pairs(work: Work, max_pairs: int) -> Examples:
    """Pairs of any two languages without word links; the labels' language is the target where it is there.

    Args:
        work: the pairs, the network and the job.
        max_pairs: of each language, drawn at random; 0 means all.

    Raises:
        InputError: nothing is left.
    """
    anchor = work.source
    turned = [orient([one], anchor)[0] if anchor in one.languages else one for one in work.extras.bitexts]
    return _prepared(work, turned, TrainSettings(max_pairs=max_pairs))[0]


def _prepared(work: Work, bitexts: Sequence[Bitext], settings: TrainSettings) -> tuple[Examples, list[Bitext]]:
    """Draw and tokenise."""
    languages = [one.languages[0] for one in bitexts]
    return prepare(work.network.trainee.base, select(bitexts, languages, settings, work.seed), settings)


def drawn(count: int, size: int, rng: np.random.Generator) -> list[int]:
    """Some of `count` rows, each at most once, ascending."""
    return sorted(rng.choice(count, min(size, count), replace=False).tolist())


def text_beside(work: Work) -> dict[str, tuple[Sentence, ...]]:
    """Sentences by language: those without translation, else both sides of the pairs."""
    found: dict[str, tuple[Sentence, ...]] = dict(work.extras.monolingual)
    if not found:
        for one in work.extras.bitexts:
            for tag, side in zip(one.languages, (one.source, one.target), strict=True):
                found[tag] = found.get(tag, ()) + side
    return found


def masked_lm(
    network: TaskNetwork, text: Mapping[str, tuple[Sentence, ...]], *, masked: float, head_steps: int,
    max_sentences: int, seed: int, job: Job,
) -> tuple[MaskedLM, tuple[Side, ...]]:  # fmt: skip
    """A masked-LM head for the network that trains, and the sentences to mask.

    Args:
        network: the encoder that trains.
        text: sentences by language.
        masked: share of a sentence's subwords that is masked.
        head_steps: of the warm-up of a made head, where the checkpoint has none.
        max_sentences: of each language, drawn at random; 0 means all.
        seed: of the draw.
        job: told what is being done.

    Raises:
        InputError: no mask token, no usable sentence, or no head that could be made.
    """
    precision = network.settings.precision
    settings = MaskedSettings(masked=masked, head_steps=head_steps, max_pairs=max_sentences, precision=precision)
    data = TrainingData(languages=tuple(text), monolingual=text, anchor="")
    examples = make_examples(network.trainee.base, data, settings, seed, text=True).examples
    return MaskedLM(Material(network.encoder, network.trainee, examples, {}, (), settings, seed, job)), examples.source


def masked_loss(head: Any, network: TaskNetwork, sides: Sequence[Side], rng: np.random.Generator) -> "torch.Tensor":
    """Cross-entropy of masked subwords of some sentences at the last layer, in nats, with gradients."""
    found = head.masked([side.ids for side in sides], [content(side) for side in sides], rng)
    layer = network.encoder.depth
    states = network.states(found.ids, [layer])[layer]
    return head.loss(pool_tokens(states, found.row, found.place), found.gold)
