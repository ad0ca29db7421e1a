"""Tiny materials of every need, and tiny encoders that every measure can be asked of."""

from itertools import product
from pathlib import Path

from analysis.alignment.run import align
from analysis.encoders.load import load_encoder
from analysis.registry import find
from analysis.scoring.measure import RELATIONS, Need
from analysis.scoring.space import ManySpace, PairSpace
from analysis.scoring.spaces import Coder, base_of, make_spaces
from analysis.text.corpus import Bitext, Sentence
from analysis.text.multitext import Multitext, Text
from analysis.text.pharaoh import Links
from tests.tiny import make_config, write_tiny

WORDS = [("the quick fox", "el rápido zorro"), ("a bank", "un banco"), ("the dog jumps", "el perro salta"),
         ("brown bank", "banco marrón"), ("over a dog", "sobre un perro"), ("quick dog", "perro rápido")]  # fmt: skip
SCORES = [2.5, 0.0, 1.0, 4.5, 4.0, 2.0]
SENSES = [1.0, 0.0, 0.0, 1.0, 1.0, 0.0]
# Three families with two languages each, so that languages can be clustered.
MANY = {"en": 0, "de": 0, "es": 1, "fr": 1, "ru": 1, "uk": 0}


def bitext(pairs=WORDS, links=True, languages=("en", "es")):
    """Translations, word k linked with word k."""
    source = tuple(Sentence.from_words(a.split(), languages[0]) for a, _ in pairs)
    target = tuple(Sentence.from_words(b.split(), languages[1]) for _, b in pairs)
    made = tuple(Links(frozenset((k, k) for k in range(min(len(a.spans), len(b.spans)))))
                 for a, b in zip(source, target, strict=True))  # fmt: skip
    return Bitext("hand", languages, source, target, made if links else None, "gold" if links else "")


def scored(pairs=WORDS, languages=("en", "es")):
    """Pairs with human scores."""
    plain = bitext(pairs, links=False, languages=languages)
    return Bitext("scored", languages, plain.source, plain.target, relation=RELATIONS[Need.SCORES],
                  scores=tuple(SCORES[: len(pairs)]))  # fmt: skip


def senses(pairs=WORDS, languages=("en", "es")):
    """Pairs whose last words are marked and judged for sense."""
    sides = [tuple(_last(pair[n], tag) for pair in pairs) for n, tag in enumerate(languages)]
    marks = tuple(Links(frozenset(product(range(len(a.spans)), range(len(b.spans))))) for a, b in zip(*sides))
    return Bitext("senses", languages, *sides, marks, "gold", relation=RELATIONS[Need.SENSES],
                  scores=tuple(SENSES[: len(pairs)]))  # fmt: skip


def _last(text, tag):
    """A sentence with its last word as the only span."""
    return Sentence(text, tag, Sentence.from_words(text.split(), tag).spans[-1:])


def questions(pairs=WORDS, languages=("en", "es")):
    """Questions, the first two of which have one paragraph."""
    asked = bitext(pairs, links=False, languages=languages)
    paragraphs = (*asked.target[:1], *asked.target[:1], *asked.target[2:])[: len(pairs)]
    return Bitext("questions", languages, asked.source, paragraphs, relation=RELATIONS[Need.QUESTIONS])


def many(pairs=WORDS, languages=tuple(MANY)):
    """The rows in six languages, whose sentences are those of two with a word more or less."""
    sides = {tag: tuple(Sentence.from_words([*pair[MANY.get(tag, 0)].split(), *["fox"] * (n % 3)], tag)
                        for pair in pairs) for n, tag in enumerate(languages)}  # fmt: skip
    return Multitext("many", sides)


def text(pairs=WORDS, language="en"):
    """The first sides, more than once, since neighbours need some words."""
    return Text("text", language, tuple(Sentence.from_words(a.split(), language) for a, _ in pairs))


MAKE = {
    Need.PAIRS: bitext, Need.LINKS: bitext, Need.SCORES: scored, Need.SENSES: senses, Need.QUESTIONS: questions,
    Need.MANY: many, Need.TEXT: text,
}  # fmt: skip


def material(need, pairs=WORDS):
    """A tiny material of a need."""
    return MAKE[need](pairs)


def one_language(need):
    """A material whose sides are one language, and one text where that leaves something to measure."""
    same = [(a, a) for a, _ in WORDS]
    if need is Need.SCORES:
        same = [(a, b) for (a, _), (b, _) in zip(WORDS, WORDS[1:] + WORDS[:1])]
    if need in (Need.MANY, Need.TEXT):
        return material(need, same)
    return MAKE[need](same, languages=("en", "en"))


def with_empty_row(need):
    """A material with a sentence that has no word on one side, or in one language."""
    if need is Need.MANY:
        whole = many()
        return Multitext("many", {**whole.sentences, "en": (Sentence("", "en"), *whole.sentences["en"][1:])})
    if need is Need.TEXT:
        return Text("text", "en", (Sentence("", "en"), *text().sentences))
    whole = material(need)
    source = (Sentence("", whole.languages[0]), *whole.source[1:])
    links = None if whole.links is None else (Links(), *whole.links[1:])
    return Bitext(whole.name, whole.languages, source, whole.target, links, whole.links_origin, (), whole.relation,
                  whole.scores)  # fmt: skip


def write_headed(folder: Path, family: str = "xlmr", seed: int = 0) -> Path:
    """Write a random encoder with a masked-LM head into a folder and return the folder."""
    import torch
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    write_tiny(folder, family, seed)
    torch.manual_seed(seed)
    config = make_config(family, len(AutoTokenizer.from_pretrained(folder)))
    AutoModelForMaskedLM.from_config(config).save_pretrained(folder)
    return folder


def write_aligned(folder: Path, base: str, method: str = "centring") -> Path:
    """Align an encoder on the tiny sentence pairs and return its folder."""
    spec = find("methods", method)
    align(spec, load_encoder(base), [bitext()], out=folder, settings=spec.settings(), say=lambda _: None)
    return folder


def space_of(measure, encoder, data, options):
    """The space that the harness makes of a material at the last layer."""
    base = base_of(encoder, load_encoder) if measure.needs_base else None
    return next(make_spaces(measure, options, encoder, data, Coder((encoder.depth,), cache=False), base=base))


def arrays(space):
    """The vectors of a space of any kind, those of the first side or language first."""
    if isinstance(space, PairSpace):
        return [space.source, space.target]
    if isinstance(space, ManySpace):
        return list(space.vectors.values())
    return [one for one in (space.vectors, space.base_vectors) if one is not None]
