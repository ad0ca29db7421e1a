"""Curves over layers: which variants there are, the best layer, and what the title may say."""

import numpy as np
import pytest

from analysis.comparison.curve_words import tell_curves
from analysis.comparison.curves import (
    Curve,
    compare_at,
    curve_table,
    find_variant,
    make_curve,
    pulls_apart,
    unit_of,
    variants,
)
from analysis.encoders.vectors import Unit, Units, Vectors
from analysis.errors import InputError
from analysis.records import Result
from analysis.text.corpus import Bitext, Sentence
from analysis.text.pharaoh import Links

pytestmark = pytest.mark.fast
ROWS, WORDS = 12, 3


def bitext(links=True):
    sides = [
        tuple(Sentence.from_words([f"{tag}{row}w{n}" for n in range(WORDS)], tag) for row in range(ROWS))
        for tag in ("en", "ru")
    ]
    known = (Links(frozenset((n, n) for n in range(WORDS))),) * ROWS if links else None
    return Bitext("t", ("en", "ru"), *sides, known, "gold" if links else "")


def vectors(values):
    values = np.asarray(values, np.float32)
    n = values.shape[1]
    sentence, position = np.divmod(np.arange(n, dtype=np.int32), WORDS)
    units = Units(sentence, position, tuple(map(str, range(n))), position, position, ("x",) * n, np.zeros(n, bool))
    return Vectors(values, tuple(range(len(values))), units, Unit.WORD)


def noisy(noise, seed=0):
    """Both sides at layers that differ in how far translations lie apart."""
    generator = np.random.default_rng(seed)
    base = generator.normal(size=(ROWS * WORDS, 16))
    layers = [(base, base + scale * generator.normal(size=base.shape)) for scale in noise]
    return vectors([a for a, _ in layers]), vectors([b for _, b in layers])


def curve(side, noise, name=None, key="word_retrieval-csls", seed=0):
    pairs = bitext()
    variant = find_variant(key, variants(pairs))
    return make_curve(side, name or side.lower(), variant, *noisy(noise, seed), pairs)


def test_every_fitting_measure_is_offered_with_each_score():
    keys = [variant.key for variant in variants(bitext())]
    assert {
        "word_retrieval-cosine",
        "word_retrieval-csls",
        "sentence_retrieval-cosine",
        "link_f1",
        "aer",
        "cka",
    } <= set(keys)
    without = [variant.key for variant in variants(bitext(links=False))]
    assert "link_f1" not in without
    assert "cka" in without
    with pytest.raises(InputError, match="link_f1"):
        find_variant("link_f2", variants(bitext()))


def test_decoder_and_level_reach_the_link_measures():
    found = {variant.key: variant for variant in variants(bitext(), decoder="itermax", level="subword")}
    assert found["link_f1"].settings.decoder == "itermax"
    assert variants(bitext(), options="a=1")[0].settings.options == "a=1"
    assert unit_of(found["link_f1"], bitext()) is Unit.SUBWORD
    assert unit_of(found["cka"], bitext(links=False)) is Unit.SENTENCE


def test_the_best_layer_goes_by_the_direction_and_ties_to_the_lowest():
    assert curve("A", [4, 0, 0.01, 4]).best == 1
    assert curve("A", [9, 0, 9], key="aer").best == 1


def test_pulling_apart_is_said_only_beyond_chance():
    falls, stays = curve("A", [3, 0, 3]), curve("B", [3, 0, 0.01])
    assert pulls_apart(falls)
    assert not pulls_apart(stays)
    assert not pulls_apart(curve("A", [3, 1, 0]))
    told = tell_curves(falls, stays)
    assert told.startswith("a pulls en-ru apart after layer 1 (100 %, at the last layer ")
    assert "; b keeps it together to the last layer (100 %), +" in told
    assert told.endswith("points at the last layer")


def test_one_encoder_is_told_once_and_equals_are_no_difference():
    one = curve("A", [1, 0, 3])
    assert ";" not in tell_curves(one, one)
    same = tell_curves(curve("A", [3, 0.2], seed=1), curve("B", [3, 0.2], seed=1))
    assert same.endswith("b does so too (100 %), no clear difference at the last layer")


def test_scores_near_chance_and_single_pairs_are_not_praised():
    generator = np.random.default_rng(0)
    chance = [vectors(generator.normal(size=(2, ROWS * WORDS, 16))) for _ in "ab"]
    variant = find_variant("word_retrieval-csls", variants(bitext()))
    poor = make_curve("A", "a", variant, *chance, bitext())
    assert tell_curves(poor, poor).startswith("a lines en-ru up at no layer (at best ")
    single = bitext().take([0])
    few = vectors(generator.normal(size=(2, WORDS, 16)))
    one = make_curve("A", "a", variant, few, few, single)
    assert "too few sentence pairs to tell anything (a 100 %, a 100 % at the last layer)" in tell_curves(one, one)


def test_a_curve_without_scores_says_so():
    empty = Result("x", None, None, None, 0, "percent", True, note="nothing to score")
    variant = find_variant("link_f1", variants(bitext()))
    blank = Curve("A", "a", ("en", "ru"), variant, (0, 1), (empty, empty))
    assert blank.best is None
    assert blank.note == "nothing to score"
    assert not pulls_apart(blank)
    assert tell_curves(blank, blank) == "Link F1: no score for en-ru"
    assert compare_at(blank, blank, 0, 1)["B against A"] is None


def test_the_table_and_the_paired_line():
    a, b = curve("A", [3, 0, 3]), curve("B", [3, 0, 0])
    rows = curve_table([a, b])
    assert len(rows) == 6
    assert [row["layer"] for row in rows[:3]] == [0, 1, 2]
    assert [row["depth"] for row in rows[:3]] == [0, 0.5, 1]
    assert [row["best"] for row in rows[:3]] == [False, True, False]
    line = compare_at(a, b, 2, 2)
    assert line["B against A"] == pytest.approx(line["B, layer 2"] - line["A, layer 2"])
    assert line["beyond chance"] == "yes"
    assert line["from"] <= line["B against A"] <= line["to"]


def test_each_kind_of_data_has_its_measures_and_the_rest_a_reason():
    from analysis.comparison.curves import misfit
    from analysis.registry import find
    from analysis.text.multitext import Multitext, Text

    pairs = bitext()
    many = Multitext("t", {"en": pairs.source, "ru": pairs.target})
    text = Text("t", "en", pairs.source)
    alone = {variant.measure.name for variant in variants(pairs)}
    assert "language_identity" not in alone
    keys = {variant.measure.name for variant in variants(pairs, many, text)}
    assert keys >= {*alone, "language_identity", "drift"}
    assert misfit(find("measures", "language_identity"), [pairs]) == "it needs the same rows in several languages"
    assert "human scores" in misfit(find("measures", "sts"), [pairs, many, text])
    assert "head" in misfit(find("measures", "mlm_loss"), [text])
    assert misfit(find("measures", "word_retrieval"), [bitext(links=False)]).startswith("no word links")


def test_a_curve_is_encoded_for_any_kind_of_data(tiny):
    from analysis.comparison.curves import encode_curve
    from analysis.encoders.load import load_encoder
    from analysis.text.multitext import Multitext, Text

    pairs, encoder = bitext(), load_encoder(tiny)
    many = Multitext("t", {"en": pairs.source, "ru": pairs.target, "es": pairs.source})
    texts = {"cka": pairs, "language_identity": many, "drift": Text("t", "en", pairs.source)}
    offered = {variant.measure.name: variant for variant in variants(*texts.values())}
    found = encode_curve("A", "a", offered["cka"], encoder, pairs)
    assert (found.about, found.layers) == ("en-ru", (0, 1, 2, 3))
    wide = encode_curve("A", "a", offered["language_identity"], encoder, many)
    assert wide.about == "3 languages"
    assert curve_table([wide])[0]["target"] == ""
    with pytest.raises(InputError, match="no aligned encoder"):
        encode_curve("A", "a", offered["drift"], encoder, texts["drift"])


def test_measures_without_a_direction_are_told_by_their_values():
    a, b = curve("A", [3, 0, 3], key="norms"), curve("B", [3, 0, 3], key="norms", seed=3)
    assert a.best is None
    assert not pulls_apart(a)
    told = tell_curves(a, b)
    assert told.startswith(f"{a.variant.title} of en-ru at the last layer: a ")
    assert "apart" not in told


def test_a_side_without_a_curve_leaves_gaps_in_the_table():
    line = compare_at(None, curve("B", [3, 0]), 1, 1)
    assert line["A, layer 1"] is None
    assert line["B against A"] is None
    assert line["beyond chance"] == "unknown"
    assert line["n"] > 0
