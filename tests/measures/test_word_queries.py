"""Switches of word retrieval: special tokens, centring, ranks, the legacy score; and the table behind the score."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.encoders.load import load_encoder
from analysis.errors import InputError
from analysis.measures.word_retrieval import SPEC, WordRetrievalSettings
from analysis.neighbours.first import legacy_matches
from analysis.scoring.evaluate import evaluate
from tests.measures.spaces import bitext, diagonal, noisy_words, word_space

pytestmark = pytest.mark.fast


def run(space, **options):
    return SPEC.compute(space, WordRetrievalSettings(**options))


def public_script(x, y, k=10):
    """The best y of each x by CSLS as the public copies compute it, and penalty over similarity."""
    normalise = lambda rows: rows / np.linalg.norm(rows)
    similarity = 2 * (x / np.linalg.norm(x, axis=1, keepdims=True)) @ normalise(y).T
    across = normalise(x) @ normalise(y).T
    penalty = np.sort(across, axis=0)[-k:].mean(axis=0)
    return (similarity - penalty).argmax(axis=1), np.abs(penalty).mean() / np.abs(similarity).mean()


def cloud(n, dim=64, seed=0):
    """Vectors of two languages that share a direction and have lengths of their own."""
    generator = np.random.default_rng(seed)
    x = generator.standard_normal((n, dim)) + 1
    y = (x + generator.standard_normal((n, dim))) * generator.uniform(0.7, 1.3, (n, 1))
    return x, y


def test_legacy_is_close_to_a_raw_dot_product_and_its_penalty_fades_as_data_grow():
    ratios = {}
    for n in (500, 2000):
        x, y = cloud(n)
        script, ratios[n] = public_script(x, y)
        assert np.mean(legacy_matches(x, y) == script) > 0.995  # float32 against float64
        assert np.mean(script == (x @ y.T).argmax(axis=1)) > 0.95
    assert ratios[2000] / ratios[500] == pytest.approx(0.5, abs=0.05)  # 1 / sqrt(n)


def test_legacy_reports_all_three_scores():
    space = noisy_words(rows=100, noise=1.0)
    lengths = np.random.default_rng(1).uniform(0.5, 2, (400, 1)).astype(np.float32)
    space = replace(space, target=space.target * lengths)
    plain, legacy = run(space), run(space, legacy=True)
    found = 4 * np.array(legacy.items["found_row"][:400]) + np.array(legacy.items["found_position"][:400])
    script, _ = public_script(space.source.astype(float), space.target.astype(float))
    assert np.mean(found == script) > 0.99
    assert {name: legacy.parts[name] for name in ("cosine", "csls")} == {
        name: plain.parts[name] for name in ("cosine", "csls")
    }
    assert legacy.score == pytest.approx(legacy.parts["legacy"]) != legacy.parts["cosine"]
    assert "legacy" not in plain.parts


def with_special(space, forward, backward):
    return replace(space, special=(np.asarray(forward, np.float32), np.asarray(backward, np.float32)))


def test_special_tokens_ask_and_are_offered():
    text = bitext(["a", "b"], ["A", "B"], diagonal(2, 1))
    words = np.eye(6)[:2]
    # Opening tokens differ by sentence and are found; closing tokens of both sentences are one vector.
    special = np.eye(6)[[2, 3, 4, 3]]
    space = with_special(word_space(text, words, words), special, special)
    result = run(space, special_tokens=True)
    assert (result.n, result.parts["n_special"]) == (6, 4)
    assert result.score == pytest.approx(100 * 5 / 6)  # the second closing token finds the first
    assert result.parts["without_special"] == 100
    assert result.parts["with_special"] == pytest.approx(result.score)
    wrong = [k for k, hit in enumerate(result.items["cosine_hit"]) if not hit]
    assert {result.items["word"][k] for k in wrong} == {"</s>"}
    assert all(result.items["special"][k] for k in wrong)
    assert result.items["position"][:6] == [0, 0, -1, -2, -1, -2]
    off = run(space)
    assert (off.n, off.score, off.parts["with_special"], off.parts["without_special"]) == (2, 100, None, 100)


def test_special_tokens_are_hubs_for_words():
    text = bitext(["a"], ["A"], diagonal(1, 1))
    space = with_special(word_space(text, [[1, 0]], [[1, 1]]), [[0, 1], [0, 0]], [[1, 0.1], [0, 0]])
    result = run(space, special_tokens=True)
    assert result.items["found"][0] == "<s>"
    assert (result.parts["without_special"], result.parts["n_special"]) == (100, 1)
    assert "1 special tokens have no vector" in result.note
    aligned = run(space, special_tokens=True, pool_candidates="aligned")
    assert aligned.parts["candidates_forward"] == 2


def test_the_harness_brings_special_tokens(tiny):
    data = bitext(["the quick fox", "a bank"], ["el rápido zorro", "un banco"], [diagonal(1, 3)[0], diagonal(1, 2)[0]])
    result = evaluate(SPEC, load_encoder(tiny), data, settings=["special_tokens=true"])
    assert result.parts["n_special"] == 4
    with pytest.raises(InputError, match="special_tokens=true needs"):
        run(noisy_words(), special_tokens=True)


def test_centring_undoes_a_shift_of_one_language():
    space = noisy_words(rows=40, noise=0.4)
    shifted = replace(space, target=space.target + 5)
    assert run(shifted).score < 20
    assert run(shifted, centre=True).score == pytest.approx(run(space, centre=True).score)


def test_centring_gives_no_direction_to_words_without_one():
    space = noisy_words(rows=5, noise=0)
    source = space.source.copy()
    source[0], source[1] = 0, np.nan
    result = run(replace(space, source=source), centre=True)
    assert "2 of 20 links have a word without a vector" in result.note
    assert result.items["found"][:2] == ["", ""]
    assert result.items["gold_similarity"][:2] == [None, None]


@given(st.integers(0, 999), st.sampled_from(["cosine", "csls"]), st.booleans())
@settings(max_examples=12, deadline=None)
def test_turning_scaling_and_reordering_rows_change_nothing(seed, score, centre):
    generator = np.random.default_rng(seed)
    space = noisy_words(rows=15, seed=seed)
    turn = np.linalg.qr(generator.standard_normal((8, 8)))[0]
    order = generator.permutation(len(space.target_units))
    other = replace(
        space, source=(3 * space.source @ turn), target=(0.2 * space.target @ turn)[order],
        target_units=space.target_units.take(order),
    )  # fmt: skip
    plain, moved = (run(one, score=score, centre=centre, csls_k=3) for one in (space, other))
    assert moved.score == pytest.approx(plain.score, abs=100 / plain.n)


@pytest.mark.parametrize("options", [{}, {"score": "csls", "csls_k": 3}, {"pool_candidates": "aligned"}])
def test_ranks_agree_with_hits_and_with_plain_loops(options):
    space = noisy_words(rows=20, noise=1.2)
    result = run(space, ranks=True, **options)
    score = options.get("score", "cosine")
    assert [rank == 1 for rank in result.items["rank"]] == result.items[f"{score}_hit"]
    assert result.parts["mrr"] == pytest.approx(np.mean(1 / np.array(result.items["rank"])))
    if not options:
        x, y = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (space.source, space.target))
        cosine = x @ y.T
        forward = 1 + (cosine > np.diag(cosine)[:, None]).sum(axis=1)
        assert result.items["rank"][: len(x)] == forward.tolist()
    assert run(space).parts["mrr"] is None


def test_the_table_explains_an_error():
    text = bitext(["a b", "c A"], ["A B", "C D"], diagonal(2, 2))
    target = np.eye(4)
    target[2] = [0.9, 0, 0.5, 0]
    space = replace(word_space(text, np.eye(4), target), tags=(("DET", "NOUN", "VERB", "DET"), ("", "", "", "")))
    items = run(space).items
    wrong = items["cosine_hit"].index(False)
    line = {name: column[wrong] for name, column in items.items()}
    length = np.sqrt(0.81 + 0.25)
    assert line["gold_similarity"] == pytest.approx(0.5 / length)
    assert line["found_similarity"] == pytest.approx(0.9 / length)
    expected = {
        "row": 1, "direction": "backward", "position": 0, "word": "C", "gold": "c", "gold_row": 1, "gold_position": 0,
        "found": "a", "found_row": 0, "found_position": 0, "pos": "", "frequency": 1, "identical": False,
    }  # fmt: skip
    assert {name: line[name] for name in expected} == expected
    assert items["frequency"][:4] == [2, 1, 1, 2]  # a and A are one form
    assert items["pos"][:4] == ["DET", "NOUN", "VERB", "DET"]


def test_open_and_closed_classes():
    space = noisy_words(rows=30, words=2, noise=1.0)
    tags = ("NOUN", "DET") * 30
    result = run(replace(space, tags=(tags, tags)))
    hits, pos = np.array(result.items["cosine_hit"]), np.array(result.items["pos"])
    assert result.parts["open_class"] == pytest.approx(100 * hits[pos == "NOUN"].mean())
    assert result.parts["closed_class"] == pytest.approx(100 * hits[pos == "DET"].mean())
    assert run(space).parts["open_class"] is None
