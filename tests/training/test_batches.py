"""Which pairs make up which step."""

from collections import Counter

import numpy as np
import pytest

from analysis.training.batches import POOL, Plan, epoch_batches
from analysis.training.examples import Examples, Side
from tests.training.material import chosen

pytestmark = pytest.mark.fast
NONE = np.empty(0, np.int64)


def examples(counts, *, longest=20, seed=0):
    """Examples of some languages with sides of random length."""
    rng = np.random.default_rng(seed)
    side = lambda n: Side(np.zeros(n, np.int64), NONE, NONE, NONE, 0, NONE, (0, n))
    language = [tag for tag, count in counts.items() for _ in range(count)]
    sides = [[side(n) for n in rng.integers(3, longest + 1, len(language))] for _ in range(2)]
    empty = (NONE.reshape(0, 2),) * len(language)
    return Examples(tuple(language), tuple(sides[0]), tuple(sides[1]), empty, tuple(map(str, range(len(language)))))


def test_every_pair_comes_once_an_epoch_and_batches_keep_within_the_budget():
    found, settings = examples({"es": 2000, "sw": 300}), chosen(batch_tokens=128)
    sizes = found.sizes()
    batches = epoch_batches(found, settings, seed=0, epoch=0)
    assert sorted(np.concatenate(batches).tolist()) == list(range(2300))
    assert max(len(rows) * sizes[rows].max() for rows in batches) <= 128
    # Sorted within a pool, so that little is padding, yet small batches are the exception.
    padded = sum(len(rows) * sizes[rows].max() for rows in batches)
    assert sizes.sum() / padded > 0.9
    assert len(batches) < 1.15 * sizes.sum() / 128 + 2300 / POOL + 1
    both = [rows for rows in batches if len({found.language[row] for row in rows}) == 2]
    assert len(both) > len(batches) / 3, "languages are mixed within batches"


def test_a_pair_longer_than_the_budget_is_alone():
    found = examples({"es": 50}, longest=40)
    sizes = found.sizes()
    batches = epoch_batches(found, chosen(batch_tokens=16), seed=0, epoch=0)
    assert (sizes > 16).sum() > 10
    assert sorted(np.concatenate(batches).tolist()) == list(range(50))
    for rows in batches:
        assert len(rows) == 1 or len(rows) * sizes[rows].max() <= 16


@pytest.mark.parametrize(("mixing", "wanted"), [(1, (900, 100)), (0, (500, 500)), (0.5, (750, 250))])
def test_languages_get_their_share(mixing, wanted):
    found = examples({"es": 900, "sw": 100})
    batches = epoch_batches(found, chosen(mixing=mixing), seed=0, epoch=0)
    drawn = np.concatenate(batches).tolist()
    times = Counter(found.language[row] for row in drawn)
    assert (times["es"], times["sw"]) == wanted
    # No pair comes twice before all of its language came once.
    for tag in ("es", "sw"):
        each = Counter(row for row in drawn if found.language[row] == tag)
        size = found.language.count(tag)
        assert max(each.values()) == -(-times[tag] // size)
        assert len(each) == min(size, times[tag])


def flat(steps):
    return [(step, epoch, rows.tolist()) for step, epoch, rows in steps]


def test_the_seed_decides_the_plan_and_epochs_differ():
    found, settings = examples({"es": 200}), chosen(epochs=2)
    plan = Plan(found, settings, seed=3)
    assert flat(plan.after(0)) == flat(Plan(found, settings, seed=3).after(0))
    assert flat(plan.after(0)) != flat(Plan(found, settings, seed=4).after(0))
    epochs = [[rows for _, at, rows in flat(plan.after(0)) if at == epoch] for epoch in (0, 1)]
    assert epochs[0] != epochs[1]
    for steps in epochs:
        assert sorted(row for rows in steps for row in rows) == list(range(200))
    assert [step for step, _, _ in plan.after(0)] == list(range(1, plan.steps + 1))


def test_a_plan_goes_on_after_any_step():
    plan = Plan(examples({"es": 60, "sw": 9}), chosen(epochs=2.5, mixing=0.3), seed=1)
    whole = flat(plan.after(0))
    assert len(whole) == plan.steps
    for step in range(plan.steps + 1):
        assert flat(plan.after(step)) == whole[step:]
    assert plan.used().tolist() == sorted({row for _, _, rows in whole for row in rows})


@pytest.mark.parametrize(("epochs", "limit", "wanted"), [
    (1, 0, 1.0), (0.5, 0, 0.5), (2.25, 0, 2.25), (3, 7, 7), (0.01, 5, 1), (1000, 3, 3),
])  # fmt: skip
def test_fractions_of_epochs_and_limits(epochs, limit, wanted):
    found = examples({"es": 100})
    plan = Plan(found, chosen(epochs=epochs, max_steps=limit), seed=0)
    each = [len(epoch_batches(found, chosen(), seed=0, epoch=n)) for n in range(3)]
    if limit:
        assert plan.steps == wanted
    else:
        whole = int(wanted)
        part = round(each[min(whole, 2)] * (wanted - whole)) if wanted > whole else 0
        assert plan.steps == sum(each[:whole]) + part
    limited = len(plan.used())
    assert limited < 100 if wanted < 1 or (limit and limit < each[0]) else limited == 100 or limit
