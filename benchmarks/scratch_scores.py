"""Scores of a small pretrained encoder on the held-out rows of `python -m analysis scratch`."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

WIC = "set:mcl_wic:en-en:test"
HEAD_STEPS = 200
PROBED = 3000  # sentences of the training text that a probe learns from


def scores(encoder_folder: Path, scratch: Path) -> dict[str, Any]:
    """All scores of one encoder, the layer of each chosen on the first half of the held-out rows.

    Args:
        encoder_folder: the pretrained encoder, or the untrained one.
        scratch: the folder that `scratch` wrote.
    """
    from analysis.encoders.load import load_encoder
    from analysis.text.load import load_bitexts
    from analysis.text.problems import Problems

    record = json.loads((scratch / "run.json").read_text("utf-8"))
    langs = f"{record['language']}-{record['twin'].replace('-', '_')}"
    encoder = load_encoder(str(encoder_folder))
    rows = load_bitexts(str(scratch / "dev.tsv"), langs=langs, problems=Problems())[0]
    half = len(rows) // 2
    parts = rows.take(range(half)), rows.take(range(half, len(rows)))
    train = (scratch / "text.txt").read_text("utf-8").splitlines()[:PROBED]
    return {
        "rows": len(parts[1]), "alignment": alignment(encoder, scratch), **retrieval(encoder, *parts),
        "masked": masked_loss(encoder, scratch, rows, record), **probes(encoder, train, *parts, record["language"]),
        "senses": senses(encoder),
    }  # fmt: skip


def alignment(encoder: Any, scratch: Path) -> dict[str, float]:
    """ALIGN-MLM's alignment score: over the whole vocabulary, and over words that were and were not taught."""
    from analysis.encoders.scratch import SPECIALS, twin_shift
    from analysis.scoring.embedding_alignment import embedding_table, row_alignment
    from analysis.text.dictionary import load_dictionary

    table = embedding_table(encoder)
    shift, first = twin_shift(len(table)), len(SPECIALS)
    vocabulary = encoder.model.tokenizer.get_vocab()
    groups = {"all": np.arange(first, first + shift)}
    for name, file in (("taught", "dictionary.tsv"), ("not taught", "dictionary-rest.tsv")):
        words = [word for word, _ in load_dictionary(scratch / file).entries]
        groups[name] = np.array([vocabulary[word] for word in words])
    second = np.arange(first + shift, first + 2 * shift)
    return {name: row_alignment(table, rows, rows + shift, second).score for name, rows in groups.items()}


def retrieval(encoder: Any, tune: Any, test: Any) -> dict[str, Any]:
    """Word and sentence retrieval and link F1 of language and twin, each at the layer that is best on other rows."""
    from analysis.registry import find
    from analysis.scoring.evaluate import evaluate_layers

    found = {}
    for name in ("word_retrieval", "sentence_retrieval", "link_f1"):
        measure = find("measures", name)
        tuned = evaluate_layers(measure, encoder, tune, cache=False)
        best = max(tuned, key=lambda one: one.score or 0.0).provenance["layer"]
        (result,) = evaluate_layers(measure, encoder, test, layers=[best], cache=False)
        found[name] = {"score": result.score, "low": result.low, "high": result.high, "layer": best}
    return found


def masked_loss(encoder: Any, scratch: Path, rows: Any, record: dict[str, Any]) -> float:
    """Nats a masked subword costs on held-out text of both languages.

    No training head is kept, so each encoder gets a new one, tied to its embeddings and fitted on the training text
    while the network stands still.
    """
    import torch

    from analysis.jobs.job import Job
    from analysis.settings import parse_settings
    from analysis.text.pairs import read_sentences
    from analysis.training.data import TrainingData, make_examples
    from analysis.training.examples import sides_of
    from analysis.training.masked_lm import MaskedLM, MaskedSettings
    from analysis.training.objective import Material
    from analysis.training.trainee import Trainee

    settings = parse_settings(MaskedSettings, [f"head_steps={HEAD_STEPS}", "precision=float32"])
    text = {
        tag: tuple(one for one in read_sentences(scratch / file, language=tag) if one is not None)[:PROBED]
        for tag, file in ((record["language"], "text.txt"), (record["twin"], "twin.txt"))
    }
    trainee = Trainee(encoder, settings, seed=0)
    data = TrainingData(languages=tuple(text), monolingual=text, anchor=record["language"])
    examples = make_examples(trainee.base, data, settings, 0, text=True).examples
    torch.manual_seed(0)
    with Job.temporary() as job:
        head = MaskedLM(Material(encoder, trainee, examples, text, (), settings, 0, job))
    sides = [side for part in (rows.source, rows.target) for side in sides_of(trainee.base, part, "mean")]
    step = SimpleNamespace(run=trainee.states, rng=np.random.default_rng(1))
    values = []
    with torch.no_grad():
        for start in range(0, len(sides), 64):
            values.append(float(head.mlm(step, sides[start : start + 64], encoder.depth)))
    return float(np.mean(values))


def probes(encoder: Any, train: list[str], tune: Any, test: Any, language: str) -> dict[str, Any]:
    """Accuracy of linear probes on frozen states: does this sentence follow that one, are two words exchanged.

    Source: the tasks of Devlin et al. 2019 (next sentence) and Conneau et al. 2018 (bigram shift).
    """
    from analysis.text.segment import split

    parts = [[split(line, language) for line in train], list(tune.source), list(test.source)]
    return {
        "next_sentence": _probe(encoder, [_follows(encoder, part, seed) for seed, part in enumerate(parts)]),
        "bigram_shift": _probe(encoder, [_shifted(encoder, part, seed) for seed, part in enumerate(parts)]),
    }


def _follows(encoder: Any, sentences: list[Any], seed: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Pairs of sentences as the network reads them: half of them follow each other."""
    from analysis.training.examples import sides_of
    from analysis.training.masking import join_sides

    sides, rng = sides_of(encoder.model, sentences, "mean"), np.random.default_rng([seed, 1])
    label = rng.integers(0, 2, len(sides) - 1)
    second = [n + 1 if label[n] else int(rng.integers(len(sides))) for n in range(len(label))]
    joined = [join_sides(sides[n], sides[m]).ids for n, m in enumerate(second)]
    fits = [n for n, ids in enumerate(joined) if len(ids) <= encoder.model.limit]
    return [joined[n] for n in fits], label[fits]


def _shifted(encoder: Any, sentences: list[Any], seed: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Sentences of at least four words; in half of them two neighbouring words are exchanged."""
    from analysis.text.corpus import Sentence
    from analysis.training.examples import sides_of

    rng, made, label = np.random.default_rng([seed, 2]), [], []
    for sentence in sentences:
        words = list(sentence.words)
        if len(words) >= 4:
            label.append(int(rng.integers(2)))
            at = int(rng.integers(len(words) - 2))  # the full stop stays
            if label[-1]:
                words[at : at + 2] = words[at : at + 2][::-1]
            made.append(Sentence.from_words(words, sentence.language))
    sides = sides_of(encoder.model, made, "mean")
    fits = [n for n, side in enumerate(sides) if len(side.ids) <= encoder.model.limit]
    return [sides[n].ids for n in fits], np.array(label)[fits]


def _probe(encoder: Any, parts: list[tuple[list[np.ndarray], np.ndarray]]) -> dict[str, Any]:
    """Logistic regression on the opening token and the mean of all, at the layer that is best on other rows."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    layers = range(1, encoder.depth + 1)
    inputs = [_features(encoder, ids, layers) for ids, _ in parts]
    accuracy: list[dict[int, float]] = [{}, {}]
    for layer in layers:
        probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500))
        probe.fit(inputs[0][layer], parts[0][1])
        for at in (0, 1):
            accuracy[at][layer] = 100 * float(np.mean(probe.predict(inputs[at + 1][layer]) == parts[at + 1][1]))
    best = max(layers, key=lambda layer: accuracy[0][layer])
    return {"score": accuracy[1][best], "layer": best, "n": len(parts[2][1])}


def _features(encoder: Any, ids: list[np.ndarray], layers: Any) -> dict[int, np.ndarray]:
    """(sequences, 2 dim) opening token and mean of each sequence at each layer."""
    found: dict[int, list[np.ndarray]] = {layer: [] for layer in layers}
    for start in range(0, len(ids), 64):
        batch = ids[start : start + 64]
        states = encoder.model.hidden_states(batch, list(layers))
        for layer in layers:
            array = states[layer].float().numpy()
            found[layer] += [
                np.concatenate([array[row, 0], array[row, : len(one)].mean(axis=0)]) for row, one in enumerate(batch)
            ]
    return {layer: np.stack(rows) for layer, rows in found.items()}


def senses(encoder: Any) -> dict[str, Any]:
    """Word in context: are two occurrences of a word of one sense, by the cosine of the last layer alone."""
    from analysis.registry import find
    from analysis.scoring.evaluate import evaluate
    from analysis.scoring.materials import load_materials

    measure = find("measures", "word_in_context")
    material = load_materials(measure, WIC)[0]
    result = evaluate(measure, encoder, material, cache=False)
    return {"score": result.score, "low": result.low, "high": result.high}
