"""Contrast over rows of several languages, every language an anchor, after Fazili and Goswami 2026."""

from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from analysis.alignment.method import AlignmentData, Fidelity, Fitted, Method, Say, Uses
from analysis.alignment.trained import fit_trained
from analysis.encoders.encoder import Encoder
from analysis.errors import InputError
from analysis.settings import Setting
from analysis.training import losses
from analysis.training.examples import Examples
from analysis.training.objective import AnchoredSettings, Material, Objective, Step, Terms, anchors
from analysis.training.rows import (
    FEWEST,
    Contrasts,
    Drawn,
    Row,
    contrasts,
    control_contrasts,
    draw_control,
    draw_languages,
    regroup,
    row_batches,
)
from analysis.training.sentences import CLS, POOLINGS, check_opening, one_layer, sentence_keys, sentence_vectors
from analysis.training.settings import TrainSettings


@dataclass(frozen=True)
class MultiwaySettings(AnchoredSettings):
    """Settings of the contrast over rows; the paper's values are not known."""

    layers: Annotated[str, Setting("the layer whose vectors are compared: last, middle or a number")] = "last"
    pooling: Annotated[
        str,
        Setting("a sentence's vector: mean over its tokens, which is what is read of the encoder afterwards, or cls, the "
                "opening token", choices=POOLINGS),
    ] = "mean"  # fmt: skip
    temperature: Annotated[
        float, Setting("divides the cosines; with negatives=all a well aligned encoder gains more by 0.02", ge=0.001)
    ] = 0.05
    negatives: Annotated[
        str,
        Setting("what a translation is compared with: other rows in its own language, or other rows in all languages, "
                "which can end in one point for all where languages still lie far apart",
                choices=("language", "all"), source="language: Fazili and Goswami 2026, reconstructed"),
    ] = "language"  # fmt: skip
    most_languages: Annotated[
        int, Setting("languages a row contributes to a step, drawn anew each time; 0 means all, else at least 2", ge=0)
    ] = 0
    control: Annotated[
        bool,
        Setting("train on English with one other language at a time instead, with as many sentences, terms and negatives "
                "in every step: what rows are to be compared with", source="Fazili and Goswami 2026"),
    ] = False  # fmt: skip
    mask_duplicates: Annotated[
        bool, Setting("rows of the batch that share a sentence are no negatives of each other", advanced=True)
    ] = True


class Multiway(Objective):
    """The objective; see `fit`."""

    reads_links = False

    def __init__(self, encoder: Encoder, settings: MultiwaySettings) -> None:
        self.layers = one_layer(encoder, settings.layers, "multiway")
        if settings.most_languages == 1:
            raise InputError("most_languages=1 leaves a row nothing to be compared with; give 0 for all, or 2 and more")
        self.settings, self.reads_frozen = settings, settings.reads_frozen
        # What holds on to the base is said of the pairs of the step, which are then run a second time.
        self.reads_words = settings.reads_frozen

    def prepare(self, material: Material) -> None:
        """Regroup the pairs and say what came of it."""
        if self.settings.pooling == CLS:
            check_opening(material)
        self.rows = regroup(material.examples, material.settings.anchor)
        if len(self.rows) < FEWEST:
            raise InputError(
                "multiway contrasts rows with each other and there is one; give at least two parallel rows"
            )
        self._row_of = np.empty(len(material.examples), np.int64)
        for at, row in enumerate(self.rows):
            self._row_of[row.pairs] = at
        tags = sorted({tag for row in self.rows for tag in row.languages})
        self._language = {tag: number for number, tag in enumerate(tags)}
        if material.job is not None:
            for line in told(self.rows, control=self.settings.control):
                material.job.say(line)

    def batches(self, examples: Examples, settings: TrainSettings, *, seed: int, epoch: int) -> list[np.ndarray]:
        """The pairs of each step, whole rows only."""
        rows = regroup(examples, settings.anchor)
        return row_batches(rows, settings, self.settings.most_languages, seed=seed, epoch=epoch)

    def __call__(self, step: Step) -> Terms:
        """The weighted terms of one step."""
        import torch

        drawn, unique, wanted = self.plan(step)
        sides = [self.rows[row].sides[place] for row, place in zip(drawn.row, drawn.place, strict=True)]
        _, first = np.unique(unique, return_index=True)
        layer = self.layers[0]
        once = [sides[at] for at in first]
        states = step.run([side.ids for side in once], self.layers)[layer]
        tensor = lambda array: torch.from_numpy(array).to(states.device)  # noqa: E731
        vectors = sentence_vectors(states, once, self.settings.pooling).index_select(0, tensor(unique))
        loss = losses.info_nce(
            vectors.index_select(0, tensor(wanted.asked)), vectors, tensor(wanted.positive), self.settings.temperature,
            tensor(~wanted.negatives),
        )  # fmt: skip
        return {"rows": loss} | anchors(step, self.settings, layer)

    def plan(self, step: Step) -> tuple[Drawn, np.ndarray, Contrasts]:
        """What a step compares.

        Returns:
            Its sentences, for each of them the number of its text among the distinct ones, and the terms.
        """
        numbers = list(dict.fromkeys(self._row_of[step.rows].tolist()))
        everywhere = self.settings.negatives == "all"
        drawn = draw_languages(self.rows, numbers, self.settings.most_languages, step.rng)
        unique, alike = self._alike(drawn)
        found = contrasts(drawn, self._languages(drawn), everywhere=everywhere, alike=alike)
        if self.settings.control:
            drawn = draw_control(self.rows, numbers, len(drawn), step.rng)
            unique, alike = self._alike(drawn)
            wanted = found.negatives.sum(1)
            tags = self._languages(drawn)
            found = control_contrasts(drawn, tags, wanted, step.rng, everywhere=everywhere, alike=alike)
        return drawn, unique, found

    def _languages(self, drawn: Drawn) -> np.ndarray:
        """(sentences,) a number for each one's language."""
        found = [self.rows[row].languages[place] for row, place in zip(drawn.row, drawn.place, strict=True)]
        return np.array([self._language[tag] for tag in found], np.int64)

    def _alike(self, drawn: Drawn) -> tuple[np.ndarray, np.ndarray | None]:
        """(sentences,) numbers of distinct texts, and (sentences, sentences) which belong to rows that share one."""
        keys = sentence_keys([self.rows[a].sides[b] for a, b in zip(drawn.row, drawn.place, strict=True)])
        unique = np.unique(keys, return_inverse=True)[1].reshape(-1)
        if not self.settings.mask_duplicates:
            return unique, None
        _, row = np.unique(drawn.row, return_inverse=True)
        has = np.zeros((row.max() + 1, unique.max() + 1), np.int64)
        has[row, unique] = 1
        return unique, (has @ has.T > 0)[np.ix_(row, row)]


def told(rows: list[Row], *, control: bool) -> list[str]:
    """What a run says of its rows.

    Args:
        rows: all of them.
        control: whether pairs of English with one language are trained on instead.
    """
    sizes = Counter(map(len, rows))
    listed = ", ".join(f"{count:,} of {size} languages" for size, count in sorted(sizes.items()))
    found = [f"{len(rows):,} rows: {listed}"]
    if set(sizes) == {2}:
        found.append(
            "every row has two languages, so this is a symmetric loss over pairs; rows come from multi-way data"
        )
    if control:
        found.append(
            "control: the anchor with one drawn language at a time, as many sentences and terms as the rows have"
        )
    return found


def fit(
    encoder: Encoder, data: AlignmentData, settings: MultiwaySettings, *, seed: int = 0, say: Say = print,
    job: Any = None,
) -> Fitted:  # fmt: skip
    """Fine-tune so that all translations of a sentence find each other, not only English and one language.

    In plain words: where the same sentence stands in several languages, every version looks for every other one among
    the other rows of the step. German then learns from Russian directly and not by way of English.

        L = mean over rows r and languages a != b of
            - log e^(z_ra z_rb / tau) / (e^(z_ra z_rb / tau) + sum over r' != r and c of e^(z_ra z_r'c / tau))

    with z a sentence's vector of length 1. With `negatives=all` c runs over every language, with `negatives=language`
    it is b alone. Sentences of the same row in third languages are never negatives.

    Rows are regrouped from sentence pairs: pairs of several languages whose row id and whose English sentence are the
    same are one row. Public multi-way sets, corpora and TSV files of several languages give such pairs; `max_pairs`
    draws language by language and so thins rows, and `join` leaves none. Rows of two languages are valid. A step is
    made of whole rows, each distinct sentence encoded once, with twice `batch_tokens` tokens in all; `mixing` is not
    read, because a row brings its own languages. Terms that hold on to the base are off; switched on, they read the
    pairs of the step, which are then encoded a second time.

    `control=true` is what the gain of rows is measured against: English with one other language at a time. Equality is
    reached step by step. The very rows that the plain run has in a step are counted: their sentences S, their terms
    T = sum over rows of k (k - 1), and the negatives of each term. The control then gives each of these rows as
    English and one drawn language, and draws more rows of similar length until it has S sentences too (where one is
    wanting, a row gives one more language beside English). Its pairs, both ways, are asked T times in all, as evenly
    as possible, each time against a fresh draw of as many negatives as the term that it stands for. Duplicate
    sentences, or a step that has no more rows to draw from, can leave a term with fewer.

    Needs sentence pairs of at least two rows; word links are not read.

    Args:
        encoder: the base encoder.
        data: sentence pairs with the anchor, and development pairs.
        settings: see `MultiwaySettings`.
        seed: of everything random.
        say: told how it goes.
        job: the run that keeps progress and checkpoints.

    Returns:
        The adapter or the weights.

    Raises:
        InputError: fewer than two rows, `most_languages=1`, or `pooling=cls` with a tokenizer that has no opening token.
        IsoglossError: the loss is not finite.

    Source: after Fazili and Goswami 2026 (arXiv 2602.21543), reconstructed from the abstract: rows machine-translated
    from English into six languages, every language an anchor, XLM-R and multilingual BERT, against English-X pairs.
    The formula, its negatives, the pooling, the temperature, batch and learning rate are not known; how the control is
    made equal and the masking of rows that share a sentence are choices made here. On development data (XNLI, one
    seed) `bundled` gained more by `negatives=all temperature=0.02`; a random encoder, whose languages lie apart, ended
    in one point for all sentences with it, so it is not the default.
    Relatives: `labse` and `ppa` contrast English with one language; `ml_ctl` adds words.
    """
    return fit_trained(SPEC, encoder, data, settings, seed=seed, say=say, job=job)


SPEC = Method(
    name="multiway",
    title="Multi-way contrast of sentences",
    summary="Fine-tunes on rows of several languages so that each sentence finds its translation in every other one.",
    citation="Fazili and Goswami 2026, arXiv",
    fidelity=Fidelity.RECONSTRUCTED,
    needs=frozenset({Uses.DATA}),
    uses=frozenset({Uses.DATA, Uses.DEV}),
    fit=fit,
    settings=MultiwaySettings,
    objective=Multiway,
)
