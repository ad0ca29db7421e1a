"""A run encodes each text once, keeps what is finished, and lets no failure cost more than itself."""

import json
from dataclasses import replace

import numpy as np
import pytest

from analysis.comparison import cells
from analysis.comparison.estimate import estimate
from analysis.comparison.plan import plan
from analysis.comparison.request import Asked, Control, Request
from analysis.comparison.run import collect, groups, run
from analysis.encoders.encoder import Encoder
from analysis.encoders.load import load_encoder
from analysis.errors import InputError
from analysis.registry import registered

pytestmark = pytest.mark.fast


@pytest.fixture
def read(monkeypatch):
    """Which texts encoders read: (encoder, unit, layers, first text)."""
    found = []
    compute = Encoder.compute

    def counted(self, sentences, unit, pool, layers, progress=None):
        found.append((self.name, str(unit), layers, sentences[0].text))
        return compute(self, sentences, unit, pool, layers, progress)

    monkeypatch.setattr(Encoder, "compute", counted)
    return found


def scores_of(scores):
    return {(e.encoder, e.control, e.key, e.label, e.layer): (e.result.score, e.result.low) for e in scores.entries}


def test_each_text_is_encoded_once_for_the_union_of_layers(asking, read):
    request = asking("toy_near", "toy_near scale=1", "sentence_retrieval", "cka", layers=(1, 3))
    run(plan(request))
    assert {layers for _, _, layers, _ in read} == {(1, 3)}
    assert len(read) == len(set(read)) == 2 * 4


def test_a_second_run_computes_nothing_and_a_larger_one_what_is_missing(asking, toy, read):
    first = run(plan(asking()))
    assert len(toy) == 6
    toy.clear()
    again = run(plan(asking()))
    assert toy == []
    assert scores_of(again) == scores_of(first)
    more = run(plan(asking("toy_near", "toy_near scale=1", layers=(2, 3))))
    assert len(toy) == 6 * 3
    assert len(more.entries) == 6 * 4


def test_a_run_that_was_stopped_goes_on_where_it_was(asking, toy, monkeypatch):
    made = plan(asking())
    with monkeypatch.context() as patch:
        stop_after(patch, 4)
        with pytest.raises(KeyboardInterrupt):
            run(made)
    half = collect(made)
    assert (len(half.entries), half.missing) == (4, 2)
    assert half.entries[0].difference is None
    said = []
    scores = run(made, progress=lambda done, total, text: said.append((done, total, text)))
    assert len(scores.entries) == 6
    assert said[-1][:2] == (6, 6)
    assert [done for done, *_ in said] == sorted(done for done, *_ in said)
    assert any("reads" in text for _, _, text in said)
    assert collect(made).missing == 0


def stop_after(monkeypatch, count):
    """Ctrl-C comes after so many cells."""
    from analysis.comparison import run as module

    kept = []

    def keep(cell, result):
        if len(kept) == count:
            raise KeyboardInterrupt
        kept.append(cell)
        return cells.keep(cell, result)

    monkeypatch.setattr(module, "keep", keep)


def test_a_broken_cache_file_is_computed_again(asking, toy):
    made = plan(asking())
    first = run(made)
    cells.path_of(made.cells[2]).write_bytes(b"half a fi")
    toy.clear()
    again = run(made)
    assert len(toy) == 1
    assert scores_of(again) == scores_of(first)


def test_a_language_that_fails_does_not_cost_the_others(asking, tiny):
    said = []
    scores = run(plan(asking("toy_picky", "toy_near")), say=said.append)
    assert {entry.languages for entry in scores.of("toy_picky")} == {("en", "es")}
    assert {entry.languages for entry in scores.of("toy_near")} == {("en", "es"), ("en", "ru"), ("en", "it")}
    reasons = {one.reason for one in scores.skipped}
    assert reasons == {"no Russian today; choose another language", "unexpected ZeroDivisionError: no Italian"}
    assert len(said) == len(scores.skipped) == 4
    assert all(one.asked == "toy_picky" for one in scores.skipped)


def test_one_failure_in_several_languages_is_one_line(asking, monkeypatch, tiny):
    def never(space, settings=None, *, seed=0):
        raise InputError("not today")

    never_does = replace(registered("measures")["toy_near"], name="toy_never", compute=never)
    monkeypatch.setitem(registered("measures"), "toy_never", never_does)
    scores = run(plan(asking("toy_near", "toy_never", encoders=(tiny,))))
    (line,) = scores.skipped
    assert line.data.endswith("four, languages.tsv en-es, en-ru, en-it")


def test_nothing_but_failures_is_bad_input(asking):
    with pytest.raises(InputError, match="no Russian today"):
        run(plan(asking("toy_picky", langs="en-ru")))


def test_an_encoder_that_cannot_be_loaded_is_one_line(asking, tiny, second_tiny, tmp_path):
    import shutil

    broken = tmp_path / "broken"
    shutil.copytree(tiny, broken)
    (broken / "model.safetensors").write_bytes(b"not weights")
    scores = run(plan(asking("toy_near", "cka", encoders=(str(broken), tiny, second_tiny))))
    assert scores.encoders == (tiny, second_tiny)
    assert len(scores.skipped) == 1
    assert str(scores.skipped[0]).startswith(f"{broken}: encoder {str(broken)!r} cannot be loaded")
    assert all(entry.difference is not None for entry in scores.entries if entry.encoder == second_tiny)
    with pytest.raises(InputError, match="cannot be loaded"):
        run(plan(asking(encoders=(str(broken),))))


def test_the_order_of_encoders_and_measures_changes_no_result(asking, tiny, second_tiny, tmp_path, monkeypatch):
    one = asking("toy_near", "cka", controls=(Control.SHUFFLED, Control.SAME))
    other = asking("cka", "toy_near", controls=(Control.SAME, Control.SHUFFLED), encoders=(second_tiny, tiny))
    first = run(plan(one))
    monkeypatch.setenv("ISOGLOSS_CACHE", str(tmp_path / "other"))
    second = run(plan(other))
    assert scores_of(first) == scores_of(second)
    ahead = {e.label: e.difference for e in first.of("toy_near") if e.encoder == second_tiny and not e.control}
    behind = {e.label: e.difference for e in second.of("toy_near") if e.encoder == tiny and not e.control}
    for label, difference in ahead.items():
        assert difference.difference == pytest.approx(-behind[label].difference)
        assert difference.p_value == pytest.approx(behind[label].p_value)


def test_layers_of_one_encoder(asking, tiny):
    scores = run(plan(asking(encoders=(tiny,), layers="all")))
    assert [entry.layer for entry in scores.layers("toy_near", ("en", "ru"))] == [0, 1, 2, 3]
    means = scores.layers("toy_near")
    assert [entry.layer for entry in means] == [0, 1, 2, 3]
    assert scores.best_layer("toy_near", tiny) == max(means, key=lambda entry: entry.result.score).layer


def test_a_sample_is_said_on_each_result(asking):
    scores = run(plan(asking(max_rows=5)))
    assert {entry.result.note for entry in scores.entries} == {"a sample of 5 of 8 rows, seed 0"}
    assert {entry.result.n for entry in scores.entries} == {5}


def test_texts_and_many_languages(asking, monkeypatch, tiny):
    from analysis.scoring.measure import Need, scored

    def spread(space, settings=None, *, seed=0):
        kinds.append(type(space).__name__)
        sums = np.ones((space.rows, 1))
        return scored(many, space, many.settings(), seed=seed, sums=sums, score=lambda s: s[..., 0], n=space.rows,
                      parts={}, items={"n": [1]})  # fmt: skip

    kinds = []
    near = registered("measures")["toy_near"]
    many = replace(near, name="toy_many", needs=Need.MANY, compute=spread)
    text = replace(near, name="toy_text", needs=Need.TEXT, compute=spread)
    for measure in (many, text):
        monkeypatch.setitem(registered("measures"), measure.name, measure)
    scores = run(plan(asking("toy_many", "toy_text", controls=tuple(Control), languages=("en", "es"))))
    assert [entry.control for entry in scores.of("toy_many")] == ["", "", "shuffled", "shuffled", "random"]
    assert {entry.languages for entry in scores.of("toy_text")} == {("en",), ("es",)}
    assert {entry.control for entry in scores.of("toy_text")} == {"", "random"}
    assert set(kinds) == {"ManySpace", "TextSpace"}


def test_special_tokens_are_encoded_for_those_who_ask(asking, monkeypatch, read, tiny):
    from dataclasses import dataclass
    from typing import Annotated

    from analysis.settings import Setting

    @dataclass(frozen=True)
    class Special:
        """Settings."""

        special_tokens: Annotated[bool, Setting("with special tokens")] = True

    def seen(space, settings=None, *, seed=0):
        assert space.special[0].shape == (16, 16)
        return near.compute(space, seed=seed)

    near = registered("measures")["toy_near"]
    monkeypatch.setitem(registered("measures"), "toy_sp", replace(near, name="toy_sp", compute=seen, settings=Special))
    scores = run(plan(asking("toy_sp", encoders=(tiny,), langs="en-es", controls=(Control.SHUFFLED,))))
    assert len(scores.entries) == 2
    assert scores.skipped == ()
    assert {unit for _, unit, _, _ in read} == {"sentence", "special"}


def test_groups_share_an_encoder_and_a_text(asking, tiny, second_tiny):
    found = groups(plan(asking("toy_near", "cka", layers=(0, 2), controls=(Control.SAME,))))
    assert [group.encoder for group in found] == [tiny] * 3 + [second_tiny] * 3
    assert {str(unit): layers for unit, layers in found[0].layers.items()} == {"sentence": (0, 2)}


def test_the_estimate_is_close_before_and_free_after(asking, tiny, read):
    made = plan(asking("toy_near", "cka"))
    before = estimate(made)
    assert (before.cells, before.cached) == (12, 0)
    assert before.tokens > 50
    assert 0 < before.seconds < 60
    guess = estimate(made, calibrated=False)
    assert guess.cells == 12
    run(made)
    read.clear()
    after = estimate(made)
    assert (after.cached, after.tokens, after.seconds) == (12, 0, 0.0)
    assert str(after) == "12 cells, all in the cache"
    assert read == []
    more = estimate(plan(asking("toy_near", "toy_near scale=1")))
    assert (more.cached, more.tokens) == (6, 0)
    assert str(more).startswith("12 cells, 6 in the cache; about 0 tokens")


def test_an_estimate_times_each_base_once(asking, tiny, monkeypatch):
    from analysis.comparison import estimate as module

    timed = []
    monkeypatch.setattr(module, "calibrate", lambda encoder, text: timed.append(encoder.name) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        estimate(plan(asking(encoders=(tiny,))))
    assert timed == [tiny]


def test_a_plan_survives_as_json(asking):
    request = asking("toy_near scale=2", controls=(Control.SAME,), layers=(1,), max_rows=4)
    assert Request.from_spec(json.loads(json.dumps(request.as_spec()))) == request
    assert plan(request).request.measures == (Asked("toy_near", ("scale=2",)),)


def test_compare_from_python(asking, toy, tiny, table):
    from analysis.comparison.compare import compare

    scores = compare([tiny], ["toy_near"], [table], settings=["scale=1"], controls=["same"], langs="en-it", pool="last")
    assert [(entry.control, entry.settings) for entry in scores.entries] == [("", "scale=1"), ("same", "scale=1")]
    assert load_encoder(tiny).revision == scores.entries[0].result.provenance["revision"]


def test_the_same_text_under_two_names_is_two_rows(tmp_path, tiny):
    text = "en\tes\n" + "".join(f"the quick fox {n}\tel zorro {n}\n" for n in range(8))
    names = [tmp_path / "a.tsv", tmp_path / "b.tsv"]
    for path in names:
        path.write_text(text, "utf-8")
    request = Request((tiny,), (Asked("sentence_retrieval"),), tuple(map(str, names)))
    scores = run(plan(request))
    assert [entry.data for entry in scores.entries] == list(map(str, names))
    assert scores.missing == 0
