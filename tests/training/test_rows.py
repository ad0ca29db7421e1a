"""Rows of several languages: regrouping, batches of whole rows, and the terms of a contrast and of its control."""

from collections import Counter

import numpy as np
import pytest

from analysis.text.corpus import Bitext, Sentence
from analysis.training.batches import POOL
from analysis.training.examples import Examples, Side, row_numbers, shuffled
from analysis.training.rows import (
    Drawn,
    contrasts,
    control_contrasts,
    draw_control,
    draw_languages,
    regroup,
    row_batches,
)
from tests.training.material import chosen

pytestmark = pytest.mark.fast
NONE = np.empty(0, np.int64)


def side(length):
    return Side(np.zeros(length, np.int64), NONE, NONE, NONE, 0, NONE, (0, length))


def text(pairs, language, ids=(), name="made"):
    """A bitext of (source, anchor) texts."""
    a, b = (tuple(Sentence.from_words([one[n]], tag) for one in pairs) for n, tag in enumerate((language, "en")))
    return Bitext(name, (language, "en"), a, b, row_ids=tuple(ids))


def rows_of(sizes, *, seed=0, longest=20):
    """Rows of so many languages each, of random length."""
    rng, tags = np.random.default_rng(seed), ["de", "es", "ja", "ru", "sw", "zh"]
    language, groups, sides = [], [], ([], [])
    for number, size in enumerate(sizes):
        anchor = side(rng.integers(3, longest + 1))
        for tag in rng.permutation(tags)[: size - 1].tolist():
            language.append(tag)
            groups.append(number)
            sides[0].append(side(rng.integers(3, longest + 1)))
            sides[1].append(anchor)
    rows = tuple(map(str, range(len(language))))
    empty = (NONE.reshape(0, 2),) * len(rows)
    return regroup(Examples(tuple(language), *map(tuple, sides), empty, rows, tuple(groups)), "en")


def test_pairs_share_a_row_where_id_and_anchor_are_the_same():
    de = text([("a", "A"), ("b", "B"), ("c", "C")], "de", ("0", "1", "2"), "set:de-en")
    es = text([("x", "A"), ("y", "Other"), ("z", "C")], "es", ("0", "1", "3"), "set:es-en")
    ru = text([("p", "B"), ("q", "A")], "ru", ("1", "0"))
    assert row_numbers([de, es, ru], placebo=False) == (0, 1, 2, 0, 4, 5, 1, 0)
    # A language stands in a row once, and what follows joins the row that was begun last.
    again = text([("aa", "A"), ("bb", "B")], "de", ("0", "1"))
    assert row_numbers([de, again, ru], placebo=False) == (0, 1, 2, 3, 4, 4, 3)
    assert row_numbers([], placebo=False) == ()


def test_the_rows_of_a_placebo_have_no_true_translation_in_any_two_languages():
    many = [text([(f"{tag}{n}", f"en{n}") for n in range(50)], tag) for tag in ("de", "es", "ru")]
    wrong = [shuffled(one, np.random.default_rng(seed)) for seed, one in enumerate(many)]
    plain, mixed = row_numbers(many, placebo=False), row_numbers(wrong, placebo=True)
    assert plain == tuple(range(50)) * 3
    assert Counter(Counter(mixed).values()) == {3: 50}
    members: dict = {}
    for number, one in zip(mixed, [(s, t) for b in wrong for s, t in zip(b.source, b.target)], strict=True):
        members.setdefault(number, set()).update({one[0].text[2:], one[1].text[2:]})
    assert all(len(found) >= 3 for found in members.values())
    assert sum(len(found) == 4 for found in members.values()) > 40, "two languages agree by chance alone"


def test_rows_have_the_anchor_first():
    found = rows_of([3, 2])
    assert [len(row) for row in found] == [3, 2]
    assert all(row.languages[0] == "en" for row in found)
    assert [row.pairs.tolist() for row in found] == [[0, 1], [2]]
    assert found[0].longest == max(len(one.ids) for one in found[0].sides)
    empty = (NONE.reshape(0, 2),) * 2
    alone = regroup(Examples(("de", "es"), (side(3),) * 2, (side(4),) * 2, empty, ("0", "1")), "en")
    assert [row.languages for row in alone] == [("en", "de"), ("en", "es")]


@pytest.mark.parametrize("most", [0, 2])
def test_batches_are_whole_rows_within_the_budget(most):
    rows = rows_of(np.random.default_rng(1).integers(2, 7, 1500).tolist())
    row_of = {pair: n for n, row in enumerate(rows) for pair in row.pairs.tolist()}
    batches = row_batches(rows, chosen(batch_tokens=256), most, seed=0, epoch=0)
    assert sorted(np.concatenate(batches).tolist()) == sorted(row_of)
    padded, real, over = 0, 0, 0
    for pairs in batches:
        inside = sorted({row_of[pair] for pair in pairs.tolist()})
        assert sorted(pairs.tolist()) == sorted(pair for n in inside for pair in rows[n].pairs.tolist()), "whole rows"
        assert len(inside) >= 2
        sentences = sum(min(len(rows[n]), most or 9) for n in inside)
        size = sentences * max(rows[n].longest for n in inside)
        over += size > 512
        padded, real = padded + size, real + sum(min(len(rows[n]), most or 9) * rows[n].longest for n in inside)
    assert over <= 2, "the last row of each pool may join the rows before it"
    assert real / padded > 0.95, "rows of similar length stand together"
    assert len(batches) < 1.15 * real / 512 + 1500 / POOL + 1
    again = row_batches(rows, chosen(batch_tokens=256), most, seed=0, epoch=0)
    assert all(np.array_equal(a, b) for a, b in zip(batches, again, strict=True))
    assert any(not np.array_equal(a, b) for a, b in zip(batches, row_batches(
        rows, chosen(batch_tokens=256), most, seed=0, epoch=1), strict=False))  # fmt: skip


@pytest.mark.parametrize(("count", "wanted"), [(5, [2, 3]), (4, [2, 2]), (1, [1])])
def test_a_batch_has_at_least_two_rows(count, wanted):
    rows = rows_of([3] * count)
    found = row_batches(rows, chosen(batch_tokens=16), 0, seed=0, epoch=0)
    assert sorted(len(pairs) // 2 for pairs in found) == wanted


def test_languages_are_drawn_anew_and_the_anchor_like_any_other():
    rows = rows_of([5, 2, 4])
    every = draw_languages(rows, [2, 0], 0, np.random.default_rng(0))
    assert (every.row.tolist(), every.place.tolist()) == ([2] * 4 + [0] * 5, [0, 1, 2, 3, 0, 1, 2, 3, 4])
    seen = Counter()
    for seed in range(300):
        found = draw_languages(rows, [0, 1, 2], 2, np.random.default_rng(seed))
        assert found.row.tolist() == [0, 0, 1, 1, 2, 2]
        assert found.place[:2].tolist() == sorted(set(found.place[:2].tolist()))
        seen.update(found.place[:2].tolist())
    assert set(seen) == set(range(5))
    assert max(seen.values()) < 1.5 * min(seen.values())


# Row 0 in languages 0 1 2, row 1 in 0 1, row 2 in 0 2.
DRAWN, LANGUAGE = (
    Drawn(np.array([0, 0, 0, 1, 1, 2, 2]), np.array([0, 1, 2, 0, 1, 0, 1])),
    np.array([0, 1, 2, 0, 1, 0, 2]),
)


@pytest.mark.parametrize("everywhere", [False, True])
def test_every_ordered_pair_is_a_term_and_third_languages_are_no_negatives(everywhere):
    found = contrasts(DRAWN, LANGUAGE, everywhere=everywhere)
    terms = dict(zip(zip(found.asked.tolist(), found.positive.tolist(), strict=True), found.negatives, strict=True))
    assert set(terms) == {(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1), (3, 4), (4, 3), (5, 6), (6, 5)}
    for (asked, positive), mask in terms.items():
        wanted = [
            c for c in range(7)
            if DRAWN.row[c] != DRAWN.row[asked] and (everywhere or LANGUAGE[c] == LANGUAGE[positive])
        ]  # fmt: skip
        assert np.flatnonzero(mask).tolist() == wanted
    alike = np.zeros((7, 7), bool)
    alike[:3, 3:5] = alike[3:5, :3] = True
    fewer = contrasts(DRAWN, LANGUAGE, everywhere=everywhere, alike=alike)
    assert not fewer.negatives[:6, 3:5].any()
    assert fewer.negatives.sum() < found.negatives.sum()


@pytest.mark.parametrize("most", [0, 2, 3])
@pytest.mark.parametrize("everywhere", [False, True])
@pytest.mark.parametrize("pool", ["large", "small"])
def test_the_control_has_as_many_sentences_terms_and_negatives(most, everywhere, pool):
    """Counted over many steps, of ragged rows, also where the step takes up all rows there are."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        count = int(rng.integers(2, 9))
        rows = rows_of(rng.integers(2, 7, 60 if pool == "large" else count).tolist(), seed=seed)
        step = rng.permutation(len(rows))[:count].tolist()
        plain = draw_languages(rows, step, most, rng)
        language = np.array([["en", "de", "es", "ja", "ru", "sw", "zh"].index(rows[r].languages[p])
                             for r, p in zip(plain.row, plain.place, strict=True)])  # fmt: skip
        terms = contrasts(plain, language, everywhere=everywhere)
        wanted = terms.negatives.sum(1)
        drawn = draw_control(rows, step, len(plain), rng)
        assert len(drawn) == len(plain), "sentences"
        assert len(set(zip(drawn.row.tolist(), drawn.place.tolist(), strict=True))) == len(drawn)
        places = {row: sorted(drawn.place[drawn.row == row].tolist()) for row in set(drawn.row.tolist())}
        assert all(found[0] == 0 and len(found) >= 2 for found in places.values())
        assert set(step) <= set(places)
        if pool == "large":
            assert sum(len(found) - 2 for found in places.values()) == len(plain) % 2, "one odd sentence at the most"
        theirs = np.array([["en", "de", "es", "ja", "ru", "sw", "zh"].index(rows[r].languages[p])
                           for r, p in zip(drawn.row, drawn.place, strict=True)])  # fmt: skip
        found = control_contrasts(drawn, theirs, wanted, rng, everywhere=everywhere)
        if not everywhere or pool == "large":
            assert sorted(found.negatives.sum(1).tolist()) == sorted(wanted.tolist()), "negatives"
        assert len(found) == len(terms) == sum(n * (n - 1) for n in Counter(plain.row.tolist()).values()), "terms"
        times = Counter(zip(found.asked.tolist(), found.positive.tolist(), strict=True))
        assert len(times) == 2 * sum(len(one) - 1 for one in places.values()), "every pair is asked both ways"
        assert max(times.values()) - min(times.values()) <= 1
        first = drawn.place == 0
        for asked, positive, mask in zip(found.asked, found.positive, found.negatives, strict=True):
            assert drawn.row[asked] == drawn.row[positive]
            assert first[asked] != first[positive], "English with one language, never two others"
            assert not mask[drawn.row == drawn.row[asked]].any()
            assert everywhere or (first[mask] == first[positive]).all()
            own = (theirs == theirs[positive]) & (drawn.row != drawn.row[asked])
            assert everywhere or mask[own].all() or own[mask].all(), "its own language first"


def test_more_rows_of_the_control_are_of_similar_length():
    rows = rows_of([5] * 400, longest=60)
    order = np.argsort([row.longest for row in rows], kind="stable")
    step = order[200:220].tolist()
    found = draw_control(rows, step, 100, np.random.default_rng(0))
    others = sorted({row for row in found.row.tolist() if row not in step})
    assert len(others) == 30
    place = np.argsort(order)
    assert place[others].min() >= 170
    assert place[others].max() < 250
