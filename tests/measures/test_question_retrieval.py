"""Questions and their paragraphs, by hand and against plain loops."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.encoders.load import load_encoder
from analysis.encoders.vectors import Unit
from analysis.errors import InputError
from analysis.measures.question_retrieval import SPEC, QuestionRetrievalSettings
from analysis.records import resamples
from analysis.scoring.evaluate import evaluate
from analysis.scoring.materials import load_materials
from analysis.text.corpus import Bitext, Relation, Sentence
from tests.measures.spaces import bitext, sentence_space

pytestmark = pytest.mark.fast


def task(paragraphs=12, each=3, dim=6, noise=0.9, seed=0):
    """Several questions near each paragraph."""
    generator = np.random.default_rng(seed)
    of = np.repeat(np.arange(paragraphs), each)
    text = bitext([f"q {n}" for n in range(len(of))], [f"p {n}" for n in of])
    values = generator.standard_normal((paragraphs, dim))
    questions = values[of] + noise * generator.standard_normal((len(of), dim))
    return sentence_space(text, questions, values[of]), of


def test_by_hand():
    text = bitext(["who", "when", "why"], ["first", "first", "second"])
    questions = np.array([[1.0, 0], [0.2, 1], [0, 1]])
    result = SPEC.compute(sentence_space(text, questions, np.array([[1.0, 0.1], [1, 0.1], [0, 1]])))
    assert (result.n, result.clusters, result.parts["paragraphs"]) == (3, 2, 2)
    assert result.score == pytest.approx(200 / 3)
    assert result.items["found"] == ["first", "second", "second"]
    assert result.items["rank"] == [1, 2, 1]
    assert result.parts["mrr"] == pytest.approx((1 + 0.5 + 1) / 3)
    assert result.parts["chance_at_1"] == 50


def test_both_scores_equal_plain_loops():
    space, of = task()
    x = space.source / np.linalg.norm(space.source, axis=1, keepdims=True)
    y = space.target[::3] / np.linalg.norm(space.target[::3], axis=1, keepdims=True)
    cosine = x @ y.T
    csls = 2 * cosine - np.sort(cosine, axis=0)[-4:].mean(axis=0)
    result = SPEC.compute(space, QuestionRetrievalSettings(csls_k=4))
    assert result.score == pytest.approx(100 * np.mean(cosine.argmax(axis=1) == of))
    assert result.parts["csls"] == pytest.approx(100 * np.mean(csls.argmax(axis=1) == of))
    own = cosine[np.arange(len(of)), of]
    assert result.items["rank"] == (1 + (cosine > own[:, None]).sum(axis=1)).tolist()
    main = SPEC.compute(space, QuestionRetrievalSettings(score="csls", csls_k=4))
    assert main.score == pytest.approx(result.parts["csls"])


def test_the_interval_draws_paragraphs_with_all_their_questions():
    space, of = task()
    result = SPEC.compute(space, seed=4)
    hits = np.array(result.items["cosine_hit"])
    counts = resamples(12, 4)[:, of]
    assert np.allclose(result.replicates, 100 * (counts * hits).sum(axis=1) / counts.sum(axis=1), atol=1e-3)
    assert result.low < result.score < result.high
    assert "resamples 12 paragraphs" in result.note


def test_questions_without_a_vector_miss():
    space, _ = task(noise=0)
    source = space.source.copy()
    source[0] = np.nan
    result = SPEC.compute(replace(space, source=source))
    assert result.score == pytest.approx(100 * 35 / 36)
    assert "1 of 36 questions" in result.note


def test_centring_undoes_a_shift_of_the_paragraphs():
    space, _ = task(noise=0.2)
    shifted = replace(space, target=space.target + 4)
    assert SPEC.compute(shifted).score < SPEC.compute(shifted, QuestionRetrievalSettings(centre=True)).score


def test_one_paragraph_has_no_interval_and_none_no_score():
    space, _ = task(paragraphs=1)
    result = SPEC.compute(space)
    assert (result.score, result.low, result.parts["recall_at_1"]) == (100, None, None)
    kept = np.array([], dtype=int)
    empty = replace(space, source=space.source[:0], source_units=space.source_units.take(kept))
    assert SPEC.compute(empty).score is None


def test_units_and_data_of_another_kind_are_refused(tiny):
    with pytest.raises(InputError, match="needs vectors of sentence units"):
        SPEC.compute(replace(task()[0], unit=Unit.WORD))
    with pytest.raises(InputError, match="questions"):
        evaluate(SPEC, load_encoder(tiny), bitext(["a"], ["b"]))


def test_the_harness_reads_questions(tiny):
    questions = tuple(Sentence.from_words(words.split(), "en") for words in ("a quick fox", "the bank", "a dog"))
    first, second = (Sentence.from_words(words.split(), "es") for words in ("el zorro rápido salta", "un banco"))
    data = Bitext("hand", ("en", "es"), questions, (first, second, first), relation=Relation.ANSWER)
    result = evaluate(SPEC, load_encoder(tiny), data)
    assert (result.n, result.clusters) == (3, 2)


def test_xquad(shared_data):
    (data,) = load_materials(SPEC, "set:xquad:en-de:test", data_dir=shared_data)
    assert (len(data), len({sentence.text for sentence in data.target})) == (1190, 240)
