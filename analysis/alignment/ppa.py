"""Momentum contrast over sentences with translation language modelling, after PPA (Pan et al. 2021)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from analysis.alignment.method import AlignmentData, Fidelity, Fitted, Method, Say, Uses
from analysis.alignment.trained import fit_trained
from analysis.encoders.encoder import Encoder
from analysis.settings import Setting
from analysis.training import losses
from analysis.training.examples import Side
from analysis.training.masked_lm import MaskedLM, MaskedSettings
from analysis.training.objective import Material, Objective, Step, Terms
from analysis.training.sentences import CLS, POOLINGS, check_opening, one_layer, sentence_keys, sentence_vectors


@dataclass(frozen=True)
class PpaSettings(MaskedSettings):
    """Settings of momentum contrast."""

    layers: Annotated[str, Setting("the layer whose vectors are compared: last, middle or a number")] = "last"
    pooling: Annotated[
        str,
        Setting("a sentence's vector: cls, the opening token, or mean over its tokens, which is what is read of the "
                "encoder afterwards", choices=POOLINGS, source="cls: Pan et al. 2021"),
    ] = "cls"  # fmt: skip
    temperature: Annotated[
        float, Setting("divides the cosines", ge=0.001, source="Pan et al. 2021: 0.05, from memory, unverified")
    ] = 0.05
    momentum: Annotated[
        float,
        Setting("share of the key encoder that stays at every step; long runs take more", ge=0, le=1,
                source="Pan et al. 2021: 0.999, from memory, unverified"),
    ] = 0.9  # fmt: skip
    queue: Annotated[
        int,
        Setting("earlier keys that are kept as negatives", ge=1,
                source="Pan et al. 2021: 32,000, from memory, unverified"),
    ] = 4096  # fmt: skip
    in_batch: Annotated[
        bool,
        Setting("keys of the same step are negatives too, so that the first steps have some", advanced=True,
                source="an addition; MoCo takes the queue alone"),
    ] = True  # fmt: skip
    projected: Annotated[
        int, Setting("dimensions behind the two-layer projection", ge=1, advanced=True, source="MoCo v2: 128")
    ] = 128
    tlm: Annotated[
        float, Setting("weight of predicting masked subwords of joined pairs", ge=0,
                       source="Pan et al. 2021: 1, from memory, unverified")
    ] = 1.0  # fmt: skip
    mask_duplicates: Annotated[
        bool, Setting("keys that are the query's own sentence or its translation once more are no negatives",
                      advanced=True)
    ] = True  # fmt: skip


class Ppa(Objective):
    """The objective; see `fit`."""

    reads_words = False
    reads_links = False

    def __init__(self, encoder: Encoder, settings: PpaSettings) -> None:
        self.layers = one_layer(encoder, settings.layers, "ppa")
        self.settings, self.dim = settings, encoder.dim
        self._fresh: dict[str, Any] = {}

    def prepare(self, material: Material) -> None:
        """Make the projection, the moving averages, an empty queue and the masked-LM head."""
        from torch import nn

        if self.settings.pooling == CLS:
            check_opening(material)
        self.trainee = material.trainee
        self._pairs = {tag: number for number, tag in enumerate(sorted(set(material.examples.language)))}
        module: Any = nn.Module()
        module.projector = nn.Sequential(
            nn.Linear(self.dim, self.dim), nn.ReLU(), nn.Linear(self.dim, self.settings.projected)
        )
        if self.settings.tlm:
            self.head = MaskedLM(material)
            if self.head.module is not None:
                module.masked = self.head.module
        self.module = module.to(self.trainee.accelerator.device)
        self._add_buffers()

    def _add_buffers(self) -> None:
        """Register the averages, which start as what trains, and the queue."""
        import torch

        device, size = self.trainee.accelerator.device, self.settings.queue
        for name, one in self._averaged().items():
            self.module.register_buffer(name, one.detach().clone())
        for name, shape, kind in (
            ("queue", (size, self.settings.projected), torch.float32), ("pairs", (size,), torch.int64),
            ("sentences", (size,), torch.int64), ("count", (1,), torch.int64),
        ):  # fmt: skip
            self.module.register_buffer(name, torch.zeros(shape, dtype=kind, device=device))

    def _averaged(self) -> dict[str, Any]:
        """What trains and has a moving average, by the name of its buffer."""
        found = {f"average_{n}": one for n, one in enumerate(self.trainee.parameters.values())}
        return found | {f"projector_{n}": one for n, one in enumerate(self.module.projector.parameters())}

    def __call__(self, step: Step) -> Terms:
        """The weighted terms of one step."""
        flip = step.rng.random() < 0.5
        first, second = step.batch[::-1] if flip else step.batch
        self._fresh = self._keys(step, first, second)
        queries = self.module.projector(self._read(step, first))
        terms: Terms = {"sentence": self._contrast(queries)}
        if self.head is not None:
            terms["tlm"] = self.settings.tlm * self.head.tlm(step, first, second, self.trainee.base.depth)
        return terms

    def after(self, step: Step) -> None:
        """Move the averages towards what trains, and put the keys of this step into the queue."""
        import torch

        for name, one in self._averaged().items():
            self.module.get_buffer(name).mul_(self.settings.momentum).add_(one, alpha=1 - self.settings.momentum)
        module, size = self.module, self.settings.queue
        keys, pairs, sentences = (self._fresh[name][-size:] for name in ("keys", "pairs", "sentences"))
        count = int(module.count)
        place = (count + torch.arange(len(keys), device=keys.device)) % size
        for buffer, values in ((module.queue, keys), (module.pairs, pairs), (module.sentences, sentences)):
            buffer.index_copy_(0, place, values)
        module.count.fill_(count + len(keys))

    def _read(self, step: Step, sides: Sequence[Side]) -> Any:
        """(sentences, dim) vectors of sentences."""
        states = step.run([side.ids for side in sides], self.layers)[self.layers[0]]
        return sentence_vectors(states, sides, self.settings.pooling)

    def _keys(self, step: Step, first: Sequence[Side], second: Sequence[Side]) -> dict[str, Any]:
        """(sentences, projected) keys by the averaged weights, and what a query must know of each."""
        import torch
        from torch.func import functional_call
        from torch.nn.functional import normalize

        module = self.module
        weights = {name: module.get_buffer(f"average_{n}") for n, name in enumerate(self.trainee.parameters)}
        with self.trainee.borrowing(weights), self.trainee.evaluating():
            vectors = self._read(step, second)
        names = [name for name, _ in module.projector.named_parameters()]
        averages = {name: module.get_buffer(f"projector_{n}") for n, name in enumerate(names)}
        with torch.no_grad():
            keys = normalize(functional_call(module.projector, averages, (vectors,)), dim=1)
        tensor = lambda values: torch.as_tensor(values, dtype=torch.int64, device=keys.device)  # noqa: E731
        return {
            "keys": keys, "pairs": tensor([self._pairs[tag] for tag in step.languages]),
            "sentences": tensor(sentence_keys(second)), "asked": tensor(sentence_keys(first)),
        }  # fmt: skip

    def _contrast(self, queries: Any) -> Any:
        """Every query finds its key among the keys of the queue and, if wanted, of its step."""
        import torch

        fresh, module = self._fresh, self.module
        used = min(int(module.count), self.settings.queue)
        candidates = torch.cat([fresh["keys"], module.queue[:used]])
        pairs = torch.cat([fresh["pairs"], module.pairs[:used]])
        sentences = torch.cat([fresh["sentences"], module.sentences[:used]])
        ignored = fresh["pairs"][:, None] != pairs[None]
        if self.settings.mask_duplicates:
            for own in (fresh["sentences"], fresh["asked"]):
                ignored = ignored | (own[:, None] == sentences[None])
        if not self.settings.in_batch:
            ignored[:, : len(queries)] = True
        positive = torch.arange(len(queries), device=queries.device)
        return losses.info_nce(queries, candidates, positive, self.settings.temperature, ignored)


def fit(
    encoder: Encoder, data: AlignmentData, settings: PpaSettings, *, seed: int = 0, say: Say = print, job: Any = None
) -> Fitted:
    """Fine-tune so that each sentence finds its translation among many earlier sentences, and masks are filled.

    In plain words: the encoder reads one side of each pair, a slowly moving average of the encoder (the key encoder)
    the other; the two vectors should be more similar than the sentence is to any of a queue of earlier sentences
    from the average. A coin decides at every step which side the encoder itself reads. Beside that, it predicts
    masked subwords of each pair as one text, with the side it reads first.

        L_sentence = - log e^(q.k / t) / (e^(q.k / t) + sum over negatives n of e^(q.n / t)),  q, k = unit vectors
        L = L_sentence + tlm * L_TLM;   average <- momentum * average + (1 - momentum) * weights

    Needs sentence pairs; word links are not read.

    Args:
        encoder: the base encoder.
        data: sentence pairs with the anchor, and development pairs.
        settings: see `PpaSettings`.
        seed: of everything random.
        say: told how it goes.
        job: the run that keeps progress and checkpoints.

    Returns:
        The adapter or the weights; projection, averages and queue are not kept.

    Raises:
        InputError: no usable pairs, `pooling=cls` with a tokenizer that has no opening token, or one without a mask
            token where `tlm` is not 0.
        IsoglossError: the loss is not finite.

    Source: after Pan, Hang, Qi, Shah, Potdar and Yu 2021, Multilingual BERT post-pretraining alignment, and He et al.
    2020, momentum contrast. Known from the abstract: [CLS], momentum contrast, the shuffled sides, TLM, both trained
    together. From memory, unverified: projection of two layers, temperature 0.05, momentum 0.999, 32,000 keys,
    unit weights. There all weights train on 250,000 pairs or more and one language pair at a time with an emptied
    queue; here LoRA by default, languages mixed within a batch, and keys of another language pair are no negatives.
    Smaller momentum and queue, negatives of the same step (`in_batch`) and left-out repetitions
    (`mask_duplicates`) are for short runs. Code-switching while a task is trained is not part of this.
    Relatives: `labse` contrasts within the batch, with a margin; `contrastive` contrasts words.
    """
    return fit_trained(SPEC, encoder, data, settings, seed=seed, say=say, job=job)


SPEC = Method(
    name="ppa",
    title="Momentum contrast and TLM (PPA)",
    summary="Fine-tunes so that each sentence finds its translation among many earlier ones, and masks are filled.",
    citation="Pan et al. 2021, NAACL",
    fidelity=Fidelity.FROM_ABSTRACT,
    needs=frozenset({Uses.DATA}),
    uses=frozenset({Uses.DATA, Uses.DEV}),
    fit=fit,
    settings=PpaSettings,
    objective=Ppa,
)
