"""What a run is said to cost, and runs that a machine cannot hold."""

import shutil
from types import SimpleNamespace

import psutil
import pytest

from analysis.alignment.cost import estimate
from analysis.encoders.load import load_encoder
from analysis.errors import InputError
from analysis.registry import find
from tests.training.material import bitext, chosen, trained

pytestmark = pytest.mark.fast


@pytest.mark.parametrize(("count", "values"), [
    (300, {}), (300, {"epochs": 2.5}), (900, {"batch_tokens": 256}), (300, {"max_steps": 7}),
    (300, {"method": "cao", "max_pairs": 120}), (300, {"join": 3}), (40, {"within": 1, "distil": 1, "anchor_words": 1}),
])  # fmt: skip
def test_the_estimate_is_near_the_real_plan(tiny, monkeypatch, count, values):
    from analysis.training.batches import Plan
    from analysis.training.examples import prepare, room_of, select

    values = {"method": "contrastive"} | values
    settings = chosen(**values)
    encoder, data = load_encoder(tiny), bitext(count)
    spec = find("methods", values["method"])
    found = estimate(spec, encoder, [data], settings)
    examples, _ = prepare(encoder.model, select([data], ("es",), settings, 0, room=room_of(encoder.model)), settings)
    steps = Plan(examples, settings, seed=0).steps
    assert abs(found.steps - steps) <= max(1, 0.2 * steps), (found.steps, steps)
    assert found.pairs == min(count, settings.max_pairs or count)
    assert 0 < found.minutes < 60
    assert 1e5 < found.memory_bytes < 1e9
    assert 1e4 < found.disk_bytes < 1e8
    assert found.trainable > 1000
    assert " s in float32" in found.note


def test_what_trains_is_counted_and_more_of_it_costs_more(tiny):
    encoder, spec = load_encoder(tiny), find("methods", "contrastive")
    cost = lambda **values: estimate(spec, encoder, [bitext(30)], chosen(**values))
    small, large, full = cost(rank=1), cost(rank=8), cost(adapter="full")
    assert large.trainable == 8 * small.trainable
    assert small.memory_bytes < large.memory_bytes
    assert small.disk_bytes < large.disk_bytes
    assert full.trainable == sum(one.numel() for one in encoder.model.blocks.parameters())
    assert cost(batch_tokens=4096).memory_bytes > 10 * small.memory_bytes
    assert cost(distil=1).disk_bytes > cost(rank=2).disk_bytes


def test_either_side_may_be_the_anchors(tiny):
    spec, encoder = find("methods", "contrastive"), load_encoder(tiny)
    counts = [estimate(spec, encoder, [data], chosen()).pairs for data in (bitext(9), bitext(9).flipped())]
    assert counts == [9, 9]


def test_a_closed_form_costs_nothing_worth_saying(tiny):
    spec = find("methods", "rotation")
    assert estimate(spec, load_encoder(tiny), [bitext(5)], spec.settings()) is None


def test_the_estimate_refuses_what_the_run_refuses(tiny):
    spec, encoder = find("methods", "contrastive"), load_encoder(tiny)
    for data, values, line in (
        ([], {}, "no sentence pair"), ([bitext(5)], {"anchor": "de"}, "lacks the anchor 'de'"),
        ([bitext(5)], {"languages": "fr"}, "fr"), ([bitext(5)], {"layers": "9"}, "valid: 0 to 3"),
        ([bitext(5)], {"layers": "0"}, "a layer of at least 1"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=line):
            estimate(spec, encoder, data, chosen(**values))


def test_too_little_memory_or_disk_is_said_before_the_first_step(tiny, monkeypatch):
    from analysis.training.loop import Loop

    steps = []
    monkeypatch.setattr(Loop, "_step", lambda self, step, rows: steps.append(step))
    with monkeypatch.context() as patch:
        patch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1000))
        with pytest.raises(InputError, match=r"GB of memory and 0\.0 GB are free; lower batch_tokens") as caught:
            trained(tiny, [bitext(5)])
        assert "\n" not in str(caught.value)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=10))
        with pytest.raises(InputError, match="GB of disk in .*; free some, or name another cache folder") as caught:
            trained(tiny, [bitext(5)])
        assert "\n" not in str(caught.value)
    assert not steps


def test_a_head_that_is_warmed_up_counts(tiny):
    spec, text = find("methods", "hierarchical"), {"es": tuple(bitext(30).source)}
    minutes = [
        estimate(spec, load_encoder(tiny), [], chosen("hierarchical", max_steps=1, head_steps=steps), monolingual=text)
        .minutes
        for steps in (1, 3000)
    ]  # fmt: skip
    assert minutes[1] > 20 * minutes[0]
