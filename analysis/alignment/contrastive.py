"""Contrast over words: a word should be nearer to its translation than to any other word of the batch."""

from dataclasses import dataclass
from typing import Annotated, Any

from analysis.alignment.method import AlignmentData, Fidelity, Fitted, Method, Say, Uses
from analysis.alignment.trained import fit_trained
from analysis.encoders.encoder import Encoder
from analysis.settings import Setting
from analysis.training import losses
from analysis.training.objective import AnchoredSettings, Objective, Step, Terms, anchors
from analysis.training.settings import loss_layers

PROJECTED = 128


@dataclass(frozen=True)
class ContrastiveSettings(AnchoredSettings):
    """Settings of the word-level contrast; the defaults gain much and forget little (docs/results.md)."""

    join: Annotated[
        int, Setting("join this many sentence pairs into one, so that short ones have context", ge=1, advanced=True)
    ] = 3
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

    layers: Annotated[
        str, Setting("layers the loss compares: numbers, last, middle (two thirds of the depth), or all")
    ] = "middle,last"
    temperature: Annotated[
        float, Setting("divides the cosines; Wu and Dredze use 0.1", ge=0.001, source="Pan et al. 2021, 0.05")
    ] = 0.05
    negatives: Annotated[
        str,
        Setting("weak contrasts with words of the other language, strong with linked words of both",
                choices=("weak", "strong"), source="Wu and Dredze 2020, section 3"),
    ] = "weak"  # fmt: skip
    candidates: Annotated[
        str,
        Setting("which words a word is contrasted with: all words of the batch, or linked ones only",
                choices=("all", "linked"), source="Wu and Dredze 2020 use linked words", advanced=True),
    ] = "all"  # fmt: skip
    mask_duplicates: Annotated[
        bool, Setting("other occurrences of a translation's word type are no negatives", advanced=True)
    ] = True
    within: Annotated[float, Setting("weight of a second contrast with the words of the same sentence only", ge=0)] = (
        0.5
    )
    projector: Annotated[
        bool,
        Setting("contrast after a projection dim > dim > 128 that is thrown away afterwards",
                source="Wu and Dredze 2020", advanced=True),
    ] = False  # fmt: skip


class Contrastive(Objective):
    """The objective; see `fit`."""

    def __init__(self, encoder: Encoder, settings: ContrastiveSettings) -> None:
        self.layers = loss_layers(encoder, settings.layers)
        self.settings, self.reads_frozen = settings, settings.reads_frozen
        self.module: Any = _projector(encoder.dim) if settings.projector else None

    def __call__(self, step: Step) -> Terms:
        """The weighted terms of one step."""
        terms: Terms = {}
        for layer in self.layers:
            terms[f"contrast@{layer}"] = self._contrast(step, layer) / len(self.layers)
            if self.settings.within:
                terms[f"within@{layer}"] = self.settings.within * self._within(step, layer) / len(self.layers)
        return terms | anchors(step, self.settings, self.layers[-1])

    def _contrast(self, step: Step, layer: int) -> Any:
        """The contrast over the batch at one layer."""
        import torch

        source, target = self._projected(step.source[layer]), self._projected(step.target[layer])
        i, j = step.pairs[:, 0], step.pairs[:, 1]
        keys = step.source_keys, step.target_keys
        if self.settings.negatives == "strong":
            types, wanted = torch.cat([keys[0][i], keys[1][j]]), torch.cat([keys[1][j], keys[0][i]])
            # Words that share a side of a link are translations of one word and no negatives of each other.
            left, right = torch.cat([i, i]), torch.cat([j, j])
            same = (left[:, None] == left[None]) | (right[:, None] == right[None])
            if self.settings.mask_duplicates:
                same = same | (types[:, None] == types[None]) | (wanted[:, None] == types[None])
            return losses.two_way(source[i], target[j], self.settings.temperature, same)
        if self.settings.candidates == "linked":
            kept = [torch.unique(side, return_inverse=True) for side in (i, j)]
            source, target = source[kept[0][0]], target[kept[1][0]]
            keys, (i, j) = (keys[0][kept[0][0]], keys[1][kept[1][0]]), (kept[0][1], kept[1][1])
        return (self._one_way(source, target, keys[1], i, j) + self._one_way(target, source, keys[0], j, i)) / 2

    def _one_way(self, queries: Any, candidates: Any, keys: Any, asked: Any, positive: Any) -> Any:
        """Every linked word finds its translation among all words of the other side."""
        same = self._no_negatives(keys, asked, positive)
        return losses.info_nce(
            queries.index_select(0, asked), candidates, positive, self.settings.temperature, same
        )  # fmt: skip

    def _within(self, step: Step, layer: int) -> Any:
        """The contrast with words of the same sentence only."""
        source, target = self._projected(step.source[layer]), self._projected(step.target[layer])
        i, j = step.pairs[:, 0], step.pairs[:, 1]
        total: Any = 0.0
        for queries, candidates, rows, keys, asked, positive in (
            (source, target, step.target_rows, step.target_keys, i, j),
            (target, source, step.source_rows, step.source_keys, j, i),
        ):
            outside = rows[positive][:, None] != rows[None]
            same = self._no_negatives(keys, asked, positive)
            total = total + losses.info_nce(
                queries.index_select(0, asked), candidates, positive, self.settings.temperature, outside | same
            )
        return total / 2

    def _no_negatives(self, keys: Any, asked: Any, positive: Any) -> Any:
        """(links, candidates) what a query is not contrasted with: its other translations, and equal words."""
        import torch

        alike = (asked[:, None] == asked[None]).float()
        found = torch.zeros(len(asked), len(keys), device=keys.device).index_add(1, positive, alike) > 0
        if self.settings.mask_duplicates:
            found = found | (keys[positive][:, None] == keys[None])
        return found

    def _projected(self, vectors: Any) -> Any:
        """The vectors, through the projector if there is one."""
        return vectors if self.module is None else self.module.to(vectors.device)(vectors)


def _projector(dim: int) -> Any:
    """Two layers without bias, ReLU between them (Wu and Dredze 2020)."""
    from torch import nn

    return nn.Sequential(nn.Linear(dim, dim, bias=False), nn.ReLU(), nn.Linear(dim, PROJECTED, bias=False))


def fit(
    encoder: Encoder, data: AlignmentData, settings: ContrastiveSettings, *, seed: int = 0, say: Say = print,
    job: Any = None,
) -> Fitted:  # fmt: skip
    """Fine-tune so that each word's nearest neighbour in the other language is its translation.

    In plain words: of all words of the batch, the translation should be the most similar one; everything that is
    more similar is pushed away, the translation is pulled near. Unlike `cao` it also says what should be far.

    Needs sentence pairs; word links are made by the encoder where the data bring none.

    Args:
        encoder: the base encoder.
        data: sentence pairs with the anchor, and development pairs.
        settings: see `ContrastiveSettings`.
        seed: of everything random.
        say: told how it goes.
        job: the run that keeps progress and checkpoints.

    Returns:
        The adapter or the weights.

    Raises:
        InputError: no usable pairs, or settings the encoder cannot follow.
        IsoglossError: the loss is not finite.

    Source: Wu and Dredze 2020, Do explicit alignments robustly improve multilingual encoders?, section 3: weak
    (`negatives=weak candidates=linked`) and strong contrast, with `projector=true`, `anchor_weights=1`,
    `temperature=0.1`, `pool=first`, `drop_identical=true`, `layers=last`, `join=1` and `within`, `distil` and
    `anchor_relations` at 0 as there, but identical strings are dropped after the one-to-one test, not before. All
    words as candidates, the contrast within the sentence and the distilled sentence means are additions.
    Relatives: `cao` pulls without pushing and needs its anchor; prefer it to keep distances as they are.
    """
    return fit_trained(SPEC, encoder, data, settings, seed=seed, say=say, job=job)


SPEC = Method(
    name="contrastive",
    title="Word contrast (InfoNCE)",
    summary="Fine-tunes so that each word is nearer to its translation than to any other word of the batch.",
    citation="Wu and Dredze 2020, EMNLP",
    fidelity=Fidelity.CODE_CHECKED,
    needs=frozenset({Uses.DATA}),
    uses=frozenset({Uses.DATA, Uses.LINKS, Uses.DEV}),
    fit=fit,
    settings=ContrastiveSettings,
    objective=Contrastive,
)
