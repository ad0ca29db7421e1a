"""Small labelled data, and a run of a regime on a tiny encoder."""

from analysis.encoders.load import load_encoder
from analysis.jobs.job import Job
from analysis.registry import find
from analysis.text.corpus import Sentence
from analysis.text.segment import split
from analysis.transfer.fit import fine_tune
from analysis.transfer.item import Dataset, Item

ANIMALS = (
    "the quick fox jumps",
    "a lazy dog jumps",
    "the brown dog",
    "a fox over the dog",
    "quick brown foxes",
    "dogs",
)
MONEY = ("a bank account", "euros at the bank", "3.5 euros", "an account of euros", "the bank in spring", "accounts")
ANIMALS_ES = ("el rápido zorro salta", "un perro perezoso salta", "el perro marrón", "un zorro sobre el perro", "zorros",
              "perros")  # fmt: skip
MONEY_ES = ("una cuenta de banco", "euros en el banco", "3.5 euros", "una cuenta de euros", "el banco", "cuentas")
TAGS = {"the": "DET", "a": "DET", "el": "DET", "un": "DET", "una": "DET"}


def classes(language="en", repeats=1):
    """Twelve sentences of two topics; items of `en` and `es` with one id are translations."""
    sides = (ANIMALS, MONEY) if language == "en" else (ANIMALS_ES, MONEY_ES)
    items = [
        Item(f"{label}{n}.{turn}", split(text, language), label, where=f"{language}.tsv:{n + 1}")
        for turn in range(repeats) for label, side in zip(("animal", "money"), sides, strict=True)
        for n, text in enumerate(side)
    ]  # fmt: skip
    return Dataset(f"{language}.tsv", language, tuple(items))


def pairs(language="en"):
    """Pairs of sentences of one topic (`same`) or of two (`other`)."""
    sides = (ANIMALS, MONEY) if language == "en" else (ANIMALS_ES, MONEY_ES)
    items = []
    for n in range(6):
        first = split(sides[0][n], language)
        same, other = split(sides[0][(n + 1) % 6], language), split(sides[1][n], language)
        items += [Item(f"s{n}", first, "same", same), Item(f"o{n}", first, "other", other)]
    return Dataset(f"{language}.tsv", language, tuple(items))


def scores(language="en"):
    """Pairs with a score from 0 to 5."""
    made = pairs(language)
    items = [
        Item(one.id, one.sentence, 5.0 - n % 3 if one.label == "same" else float(n % 3), one.other)
        for n, one in enumerate(made.items)
    ]
    return Dataset(made.name, language, tuple(items))


def tagged(language="en"):
    """Sentences with a part of speech for every word."""
    sides = ANIMALS + MONEY if language == "en" else ANIMALS_ES + MONEY_ES
    items = []
    for n, text in enumerate(sides):
        sentence = Sentence.from_words(text.split(), language)
        items.append(Item(str(n), sentence, tuple(TAGS.get(word, "NOUN") for word in sentence.words)))
    return Dataset(f"{language}.conllu", language, tuple(items))


def train(tiny, regime="plain", task="topics", data=None, *, extras=None, seed=0, job=None, **settings):
    """Fine-tune a tiny encoder for a few steps; gives the network."""
    spec = find("regimes", regime)
    chosen = spec.settings(**{"max_steps": 4, "batch": 4, "precision": "float32", **settings})
    if job is not None:
        return fine_tune(load_encoder(tiny), find("tasks", task), data or classes(), spec, chosen, extras=extras,
                         seed=seed, job=job)[0]  # fmt: skip
    with Job.temporary() as own:
        return fine_tune(load_encoder(tiny), find("tasks", task), data or classes(), spec, chosen, extras=extras,
                         seed=seed, job=own)[0]  # fmt: skip


def weights(network):
    """All that trains, as arrays."""
    return {name: one.detach().numpy().copy() for name, one in network.parameters.items()}


DICTIONARY = (("the", "el"), ("dog", "perro"), ("fox", "zorro"), ("bank", "banco"), ("account", "cuenta"),
              ("quick", "rápido"), ("lazy", "perezoso"), ("euros", "euros"), ("jumps", "salta"))  # fmt: skip
# What a regime is given beside what it must have.
ALSO = {"gem": ("data", "monolingual")}


def write_inputs(folder):
    """Files of every kind of data that a regime may need: gives them by kind, as `make_spec` takes them."""
    for tag in ("en", "es"):
        lines = [f"{item.id}\t{item.sentence.text}\t{item.label}\n" for item in classes(tag).items]
        (folder / f"{tag}.tsv").write_text("id\ttext\tlabel\n" + "".join(lines), "utf-8")
    pairs_of = zip(ANIMALS + MONEY, ANIMALS_ES + MONEY_ES, strict=True)
    (folder / "pairs.tsv").write_text("en\tes\n" + "".join(f"{a}\t{b}\n" for a, b in pairs_of), "utf-8")
    (folder / "en-es.txt").write_text("".join(f"{a}\t{b}\n" for a, b in DICTIONARY), "utf-8")
    (folder / "plain.txt").write_text("".join(f"{text}\n" for text in (ANIMALS + MONEY) * 2), "utf-8")
    return {
        "train": [f"{folder / 'en.tsv'}:en"], "test": [f"{folder / 'en.tsv'}:en", f"{folder / 'es.tsv'}:es"],
        "data": [str(folder / "pairs.tsv")], "dictionary": [str(folder / "en-es.txt")],
        "monolingual": [f"{folder / 'plain.txt'}:en"],
    }  # fmt: skip


def given(regime, inputs):
    """Of `write_inputs` what a regime must have, and the labelled data."""
    spec = find("regimes", regime)
    kinds = {str(kind) for kind in spec.needs | spec.needs_all} | set(ALSO.get(regime, ()))
    return {name: value for name, value in inputs.items() if name in ("train", "test") or name in kinds}
