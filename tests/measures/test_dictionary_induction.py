"""Dictionary induction by hand, against plain loops, and with given dictionaries."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.encoders.load import load_encoder
from analysis.encoders.vectors import Unit
from analysis.errors import InputError
from analysis.measures._parts.lexicon import linked_lexicon, make_types, read_lexicon
from analysis.measures.dictionary_induction import SPEC, DictionaryInductionSettings
from analysis.records import resamples
from analysis.scoring.evaluate import evaluate
from analysis.text.pharaoh import Links
from tests.measures.spaces import bitext, diagonal, noisy_words, word_space

pytestmark = pytest.mark.fast


def run(space, **options):
    return SPEC.compute(space, DictionaryInductionSettings(**options))


def worked():
    """`dog` occurs twice in different places; the mean of its vectors is nearest to Hund."""
    text = bitext(["Dog runs", "dog eats"], ["Hund läuft", "Hund frisst"], diagonal(2, 2))
    source = np.array([[1.0, 0.6, 0], [0, 1, 0], [1, -0.6, 0], [0, 0, 1]])
    target = np.array([[1.0, 0, 0], [0, 1, 0.1], [1, 0, 0], [0, 1, 0.2]])
    return word_space(text, source, target)


def test_a_worked_example():
    result = run(worked())
    # Types: dog, runs, eats; Hund, läuft, frisst. eats is nearest to frisst; frisst and läuft both find runs.
    assert result.parts["forward"] == 100
    assert result.parts["backward"] == pytest.approx(200 / 3)
    assert result.score == pytest.approx(50 * (1 + 2 / 3))
    assert (result.n, result.clusters) == (6, 3)
    assert result.items["word"][:3] == ["Dog", "runs", "eats"]
    assert result.items["frequency"][:3] == [2, 1, 1]
    assert (result.items["gold"][5], result.items["found"][5], result.items["rank"][5]) == ("eats", "runs", 2)
    assert (result.parts["coverage"], result.parts["types_source"]) == (100, 3)
    assert result.parts["mrr_backward"] == pytest.approx((1 + 1 + 0.5) / 3)


def test_types_are_means_over_occurrences():
    space = worked()
    source = space.source.copy()
    source[3] = np.nan
    types = make_types(space.source_units, source, casefold=True, min_count=1)
    assert (types.forms, types.counts.tolist()) == (("dog", "runs"), [2, 1])
    np.testing.assert_allclose(types.vectors[0], [1, 0, 0])
    apart = make_types(space.source_units, source, casefold=False, min_count=1)
    assert apart.forms == ("Dog", "runs", "dog")
    assert make_types(space.source_units, source, casefold=True, min_count=2).forms == ("dog",)


def test_the_dictionary_of_links_is_mutual():
    links = [Links(frozenset({(0, 0)}))] * 4
    text = bitext(["a", "a", "a", "b"], ["X", "X", "Y", "X"], links)
    space = word_space(text, np.eye(4), np.eye(4))
    # b is most often linked with X, but X is linked with a more often; Y is a's less frequent translation.
    assert linked_lexicon(space, casefold=True) == [("a", "x")]
    tied = bitext(["a", "a"], ["X", "Y"], links[:2])
    assert linked_lexicon(word_space(tied, np.eye(2), np.eye(2)), casefold=True) == [("a", "x"), ("a", "y")]


def by_loops(space, k):
    """Precision at 1 of both directions by cosine and CSLS where every word is a type of its own."""
    x, y = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (space.source, space.target))
    cosine = x @ y.T
    gold = np.arange(len(x))
    found = {}
    for name, one in (("forward", cosine), ("backward", cosine.T)):
        csls = 2 * one - np.sort(one, axis=0)[-k:].mean(axis=0)
        found[name] = [100 * np.mean(matrix.argmax(axis=1) == gold) for matrix in (one, csls)]
    return [np.mean([found["forward"][n], found["backward"][n]]) for n in (0, 1)]


def test_both_scores_equal_plain_loops():
    space = noisy_words(rows=25, noise=1.0)
    result = run(space, csls_k=4)
    assert [result.score, result.parts["csls"]] == pytest.approx(by_loops(space, 4))
    assert run(space, score="csls", csls_k=4).score == pytest.approx(result.parts["csls"])
    ranks = np.array(result.items["rank"])
    assert result.parts["p_at_5"] == pytest.approx(100 * np.mean(ranks <= 5))
    assert result.parts["mrr"] == pytest.approx(np.mean(1 / ranks))


def dictionary(folder, text):
    path = folder / "lexicon.tsv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_given_dictionary_needs_no_links(tmp_path):
    space = replace(worked(), links=None)
    entries = "dog\tHund\ndog\tKöter\neats\tfrisst\neats\tläuft\ncat\tKatze\nbad row\n"
    result = run(space, dictionary=dictionary(tmp_path, entries))
    assert result.parts["n_forward"] == 2
    assert result.parts["coverage_forward"] == pytest.approx(200 / 3)
    assert result.parts["coverage_backward"] == pytest.approx(300 / 5)
    assert result.clusters == 3
    assert result.items["gold"][:2] == ["Hund", "frisst, läuft"]
    assert run(space, dictionary=dictionary(tmp_path, "cat\tKatze\n")).score is None
    none = run(space)
    assert none.score is None
    assert "dictionary=" in none.note


def test_columns_are_named_or_in_order(tmp_path):
    wanted = [("dog", "hund")]
    for text in ("Dog\tHund\n", "de\ten\nHund\tDog\n", "en\tde\nDog\tHund\n", "dog Hund\n", "\ndog\tHund\nlone\n"):
        assert read_lexicon(dictionary(tmp_path, text), ("en", "de"), casefold=True) == wanted
    with pytest.raises(InputError, match="has no entry"):
        read_lexicon(dictionary(tmp_path, "lone\n"), ("en", "de"), casefold=True)
    with pytest.raises(InputError, match="nowhere"):
        read_lexicon(str(tmp_path / "nowhere.tsv"), ("en", "de"), casefold=True)


def test_a_public_dictionary(shared_data, monkeypatch):
    monkeypatch.setenv("ISOGLOSS_DATA", str(shared_data))
    forward = read_lexicon("set:bli_xling:en-de:test", ("en", "de"), casefold=True)
    assert 1900 < len(forward) <= 2000
    back = read_lexicon("set:bli_xling:en-de:test", ("de", "en"), casefold=True)
    assert [(b, a) for a, b in back] == forward
    several = read_lexicon("set:bli_xling:all:test", ("en", "fi"), casefold=True)
    assert len(several) > 1500
    space = replace(worked(), languages=("en", "sw"))
    assert "has no words for en-sw" in run(space, dictionary="set:bli_xling:all:test").note


def test_the_interval_draws_words_of_the_dictionary():
    space = noisy_words(rows=25, noise=1.0)
    result = SPEC.compute(space, seed=3)
    hits = np.array(result.items["cosine_hit"], dtype=float).reshape(2, -1)
    counts = resamples(100, 3)
    replicates = 50 * (counts @ hits[0] + counts @ hits[1]) / counts.sum(axis=1)
    assert np.allclose(result.replicates, replicates, atol=1e-3)
    assert result.low < result.score < result.high


def test_words_are_encoded_even_without_links(tiny, tmp_path):
    data = bitext(["the quick fox", "a bank"], ["el rápido zorro", "un banco"])
    path = dictionary(tmp_path, "fox\tzorro\nbank\tbanco\nthe\tel\n")
    data = replace(data, languages=("en", "es"))
    result = evaluate(SPEC, load_encoder(tiny), data, settings=[f"dictionary={path}"])
    assert result.provenance["unit"] == "word"
    assert result.n == 6
    assert "level" not in result.provenance["settings"]


def test_sentences_are_refused():
    with pytest.raises(InputError, match="needs vectors of word units"):
        run(replace(worked(), unit=Unit.SENTENCE))
