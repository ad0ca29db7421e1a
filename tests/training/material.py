"""Small made-up text with word links, and short ways to train on it."""

import random

from analysis.encoders.load import load_encoder
from analysis.jobs.job import Job
from analysis.registry import find
from analysis.settings import parse_settings
from analysis.text.corpus import Bitext, Sentence
from analysis.text.pharaoh import Links
from analysis.training.data import TrainingData
from analysis.training.fit import train

WORDS = {
    "the": "el", "quick": "rápido", "brown": "marrón", "fox": "zorro", "jumps": "salta", "over": "sobre",
    "lazy": "perezoso", "dog": "perro", "bank": "banco", "account": "cuenta", "river": "río", "spring": "primavera",
}  # fmt: skip


def sentence_pairs(count, *, seed=0, longest=6):
    """English and Spanish word lists of equal length, word n the translation of word n."""
    chance = random.Random(seed)
    english = [chance.choices(list(WORDS), k=chance.randint(2, longest)) for _ in range(count)]
    return [(words, [WORDS[word] for word in words]) for words in english]


def bitext(count=40, *, seed=0, language="es", links=True, longest=6, name="made"):
    """Pairs with the anchor (English) on the target side, as the trainer gets them."""
    pairs = sentence_pairs(count, seed=seed, longest=longest)
    made = tuple(Links(frozenset((k, k) for k in range(len(words)))) for words, _ in pairs)
    return Bitext(
        name, (language, "en"), tuple(Sentence.from_words(b, language) for _, b in pairs),
        tuple(Sentence.from_words(a, "en") for a, _ in pairs), made if links else None, "gold" if links else "",
    )  # fmt: skip


def lines(count=40, *, seed=0, longest=6):
    """The same pairs as lines of `English ||| Spanish`."""
    pairs = sentence_pairs(count, seed=seed, longest=longest)
    return "".join(f"{' '.join(a)} ||| {' '.join(b)}\n" for a, b in pairs)


def link_lines(count=40, *, seed=0, longest=6):
    """Their links, word n to word n."""
    pairs = sentence_pairs(count, seed=seed, longest=longest)
    return "".join(" ".join(f"{k}-{k}" for k in range(len(a))) + "\n" for a, _ in pairs)


def chosen(method="contrastive", **values):
    """Settings of a method in float32, small batches, and no term or join that is not asked for."""
    plain = {"distil": 0, "anchor_relations": 0, "within": 0} if method == "contrastive" else {}
    given = {"precision": "float32", "batch_tokens": 64, "rank": 2, "join": 1} | plain | values
    return parse_settings(find("methods", method).settings, [f"{key}={value}" for key, value in given.items()])


def trained(encoder, bitexts, *, dev=(), method="contrastive", languages=("es",), seed=0, job=None, monolingual=None,
            dictionaries=(), **values):  # fmt: skip
    """Train without writing anything."""
    encoder = load_encoder(encoder) if isinstance(encoder, str) else encoder
    spec = find("methods", method)
    data = TrainingData(bitexts, languages, dev, monolingual or {}, tuple(dictionaries))
    return train(encoder, data, chosen(method, **values), spec.objective, seed=seed, job=job)


class Record(Job):
    """A job that remembers what it was told."""

    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self.said, self.measured = [], []
        super().__init__(folder, {}, echo=self.said.append)

    def metric(self, step, **values):
        self.measured.append({"step": step, **values})
        super().metric(step, **values)

    def of(self, kind):
        """The metrics of one kind."""
        return [line for line in self.measured if line["kind"] == kind]
