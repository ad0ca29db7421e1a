"""Masked words predicted from the states of their translations (after WEAM, Yang et al. 2021)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from analysis.alignment.method import AlignmentData, Fidelity, Fitted, Method, Say, Uses
from analysis.alignment.trained import fit_trained
from analysis.encoders.encoder import Encoder
from analysis.errors import InputError
from analysis.settings import Setting
from analysis.training import subwords
from analysis.training.examples import Side
from analysis.training.masked_lm import MaskedLM, MaskedSettings
from analysis.training.masking import Masked, join_sides, joined_content
from analysis.training.objective import AnchoredSettings, Material, Objective, Step, Terms, anchors_of_states
from analysis.training.pooling import pool_tokens


@dataclass(frozen=True)
class WeamSettings(AnchoredSettings, MaskedSettings):
    """Settings of the exchanged words; each weight of 0 switches a term off."""

    multilingual: Annotated[
        float,
        Setting("weight of predicting masked subwords from their own states beside the translation", ge=0,
                source="Yang et al. 2021: 1, reconstructed"),
    ] = 1.0  # fmt: skip
    crosslingual: Annotated[
        float,
        Setting("weight of predicting masked subwords from the states of the words they are linked to", ge=0,
                source="Yang et al. 2021: 1, reconstructed"),
    ] = 1.0  # fmt: skip
    encoded: Annotated[
        str,
        Setting("where the states of linked words come from: joint is the joined, masked sequence, alone is the "
                "translation by itself, unmasked, which has never seen the sentence it predicts",
                choices=("joint", "alone"), source="Yang et al. 2021: joint, reconstructed"),
    ] = "alone"  # fmt: skip
    visible: Annotated[
        bool,
        Setting("predict across languages also the chosen subwords that stayed in the joined sequence as they were",
                advanced=True),
    ] = False  # fmt: skip
    one_to_one: Annotated[
        bool, Setting("keep only words that occur in one link", source="Cao et al. 2020", advanced=True)
    ] = False
    distil: Annotated[
        float,
        Setting("weight of distilling sentences: both languages' mean vector is drawn to the anchor's in the base", ge=0,
                source="Reimers and Gurevych 2020"),
    ] = 5.0  # fmt: skip
    anchor_relations: Annotated[
        float,
        Setting("weight of keeping the anchor's words' neighbours, wherever they move", ge=0,
                source="after relational distillation, Park et al. 2019"),
    ] = 2.0  # fmt: skip
    lr: Annotated[float, Setting("peak learning rate", ge=1e-9)] = 3e-4
    join: Annotated[
        int, Setting("join this many sentence pairs into one, so that short ones have context", ge=1, advanced=True)
    ] = 3


class Weam(Objective):
    """The objective; see `fit`."""

    reads_words = False

    def __init__(self, encoder: Encoder, settings: WeamSettings) -> None:
        self.layers = (encoder.depth,)
        self.settings, self.reads_frozen = settings, settings.reads_frozen
        self.reads_links = settings.crosslingual > 0
        self.module: Any = None
        if not (settings.multilingual or settings.crosslingual):
            raise InputError("both terms are switched off; give multilingual or crosslingual a weight above 0")
        if settings.layers != "last":
            raise InputError(f"layers={settings.layers!r} cannot be followed; weam predicts from the last layer: last")
        subwords.check_whole_words(settings, self.reads_links)

    def prepare(self, material: Material) -> None:
        """Make or find the masked-LM head."""
        from torch import nn

        self.head, self._limit = MaskedLM(material), material.trainee.base.limit
        parts = {} if self.head.module is None else {"head": self.head.module}
        self.module = nn.ModuleDict(parts).to(material.trainee.accelerator.device) if parts else None

    def __call__(self, step: Step) -> Terms:
        """The weighted terms of one step."""
        settings, layer = self.settings, self.layers[0]
        terms: Terms = {}
        found = self._masked(step)
        joint = settings.encoded == "joint"
        states: Any = step.run(found.ids, [layer])[layer] if settings.multilingual or joint else None
        if settings.multilingual:
            loss = self.head.loss(pool_tokens(states, found.row, found.place), found.gold)
            terms["multilingual"] = settings.multilingual * loss
        held = settings.reads_frozen or settings.anchor_weights
        apart = []
        if held or (settings.crosslingual and not joint):
            apart = [step.run([side.ids for side in sides], [layer]) for sides in step.batch]
        if settings.crosslingual:
            both = self._halves(states, step.batch) if joint else [one[layer] for one in apart]
            terms["crosslingual"] = settings.crosslingual * self._exchanged(step, found, both)
        return terms | (anchors_of_states(step, apart, settings, layer) if held else {})

    def _masked(self, step: Step) -> Masked:
        """Every pair as one masked sequence, cut at the window."""
        pairs = list(zip(*step.batch, strict=True))
        ids = [join_sides(*pair).ids[: self._limit] for pair in pairs]
        columns = [joined_content(*pair) for pair in pairs]
        return self.head.masked(ids, [one[one < self._limit] for one in columns], step.rng)

    def _halves(self, states: Any, batch: tuple[Sequence[Side], Sequence[Side]]) -> list[Any]:
        """The states of both sides within the joined sequences, each in the columns it has alone.

        What is not there (an opening token left out, the end of a pair that was cut) holds states of other columns.
        """
        import torch

        source, target = batch
        longest = [max(len(side.ids) for side in sides) for sides in batch]
        column = torch.arange(longest[1])[None] + torch.tensor(_shifts(source, target))[:, None]
        place = column.clamp(max=states.shape[1] - 1) + torch.arange(len(source))[:, None] * states.shape[1]
        gathered = states.flatten(0, 1).index_select(0, place.flatten().to(states.device))
        return [states[:, : longest[0]], gathered.reshape(len(target), longest[1], -1)]

    def _exchanged(self, step: Step, found: Masked, states: Sequence[Any]) -> Any:
        """Cross-entropy of the masked subwords of both sides, each read from the words it is linked to."""
        import torch

        source, target = step.batch
        shape = (states[0].shape[1], states[1].shape[1])
        links = subwords.linked_subwords(step.links, source, target, shape, states[0].device)
        shifts = _shifts(source, target)
        if self.settings.encoded == "joint":
            inside = torch.arange(shape[1])[None] + torch.tensor(shifts)[:, None] < self._limit
            links = links * inside[:, None].to(links.device)
        first = found.place < np.array([len(side.ids) for side in source])[found.row]
        hidden = np.array([found.ids[row][place] for row, place in zip(found.row, found.place, strict=True)])
        wanted = (hidden != found.gold) | self.settings.visible
        vectors, gold = [], []
        for mine, matrix, theirs, shift in (
            (first, links, states[1], np.zeros(len(source), np.int64)),
            (~first, links.transpose(1, 2), states[0], shifts),
        ):
            row, place = (one[mine & wanted] for one in (found.row, found.place))
            place = place - shift[row]
            linked = matrix[row, place].any(1).cpu().numpy()
            vectors.append(pool_tokens(exchange(matrix, theirs), row[linked], place[linked]))
            gold.append(found.gold[mine & wanted][linked])
        return self.head.loss(torch.cat(vectors), np.concatenate(gold))


def exchange(links: Any, states: Any) -> Any:
    """For each subword of one side the mean state of the subwords that its word is linked to on the other: P H.

    Args:
        links: (pairs, m, n) 1 where the words of two subwords are linked.
        states: (pairs, n, dim) of the other side; what stands in an unlinked column does not count.

    Returns:
        (pairs, m, dim), zeros for subwords without a link.
    """
    rows = links / links.sum(2, keepdim=True).clamp(min=1)
    return rows @ states.masked_fill(~links.any(1)[..., None], 0)


def _shifts(source: Sequence[Side], target: Sequence[Side]) -> np.ndarray:
    """(pairs,) how far a column of the second sentence moves when it follows the first."""
    return np.array([len(a.ids) - b.content[0] for a, b in zip(source, target, strict=True)], np.int64)


def fit(
    encoder: Encoder, data: AlignmentData, settings: WeamSettings, *, seed: int = 0, say: Say = print, job: Any = None
) -> Fitted:
    """Fine-tune so that a masked word can be predicted from the state of its translation.

    In plain words: a sentence and its translation are read as one sequence with some subwords masked. Each masked
    subword is predicted twice: from its own state, as ever, and from the states of the words it is linked to in the
    other language, by the same head, so that linked words come to have exchangeable states.

        H = f([source; target] with masks);  P = word links over subwords, each row summing to 1
        L = multilingual * MLM(H at masked subwords)
            + crosslingual * MLM((P H_target) at masked source subwords and (P' H_source) at masked target ones)

    P' is P rebuilt the other way, not its transpose; masked subwords of words without a link are skipped; both
    directions share one mean. Needs sentence pairs and a mask token; word links are made by the encoder where the data
    bring none.

    The leak: in the joint encoding the translation's states have seen the sentence they are to predict. Of a subword
    behind a mask, or replaced by a random one, there is nothing to be seen but its word's other subwords; but a tenth
    of the chosen subwords stay as they are, and these the translation could simply copy. They are left out of the
    cross-lingual term (`visible=true` keeps them). With `encoded=alone` there is no leak: the translation is read by
    itself and unmasked, as it is when the encoder is used, at the cost of one more pass.

    Args:
        encoder: the base encoder.
        data: sentence pairs with the anchor, and development pairs.
        settings: see `WeamSettings`.
        seed: of everything random.
        say: told how it goes.
        job: the run that keeps progress and checkpoints.

    Returns:
        The adapter or the weights.

    Raises:
        InputError: no usable pairs, no mask token, or settings the encoder cannot follow.
        IsoglossError: the loss is not finite.

    Source: after Yang, Ma, Cui, Ye, Che and Wang 2021, Bilingual alignment pre-training for zero-shot cross-lingual
    transfer. Only the abstract was at hand: the exchange matrix, the weights, what is masked and whether states are
    joint are reconstructed. There statistical links and multilingual BERT; here own links unless some are given, LoRA,
    a head tied to the embeddings where the encoder has none, `encoded=alone` (closer to how an encoder is used, and better
    on development data than `joint`), joined pairs, and terms that hold on to the base (`distil=0 anchor_relations=0
    join=1 encoded=joint` is the reading above).
    Relatives: `ppa` has the same masked prediction beside the translation with a contrast of sentences in place of
    links; `self_training` and `contrastive` compare the states of linked words directly and move them faster.
    """
    return fit_trained(SPEC, encoder, data, settings, seed=seed, say=say, job=job)


SPEC = Method(
    name="weam",
    title="Word exchange (after WEAM)",
    summary="Fine-tunes so that masked words can be predicted from the states of their translations.",
    citation="Yang, Ma, Cui, Ye, Che and Wang 2021, MRQA",
    fidelity=Fidelity.RECONSTRUCTED,
    needs=frozenset({Uses.DATA}),
    uses=frozenset({Uses.DATA, Uses.LINKS, Uses.DEV}),
    fit=fit,
    settings=WeamSettings,
    objective=Weam,
)
