"""The sweep over layers, decoders and levels: what it scores, what it keeps, where the choice goes."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from analysis.encoders.defaults import tuned_path
from analysis.encoders.encoder import LinkDefaults
from analysis.encoders.load import load_encoder
from analysis.errors import InputError
from analysis.links import tuning
from analysis.links.align import decode_pairs
from analysis.registry import find, registered
from analysis.settings import parse_settings
from analysis.text.corpus import Bitext, Sentence
from analysis.text.pharaoh import Links

pytestmark = pytest.mark.fast
PAIRS = [("the quick fox", "el rápido zorro"), ("a bank", "un banco"), ("the dog jumps over", "el perro salta")]
ALL = sum(len(decoder.tried) for decoder in registered("decoders").values())


@pytest.fixture
def bitext():
    sides = [tuple(Sentence.from_words(pair[k].split(), tag) for pair in PAIRS) for k, tag in enumerate(("en", "es"))]
    links = tuple(Links(frozenset((k, k) for k in range(min(len(a.spans), len(b.spans))))) for a, b in zip(*sides))
    return Bitext("hand", ("en", "es"), *sides, links, "gold")


@pytest.fixture
def encoder(tiny, cache):
    return load_encoder(tiny)


def test_everything_is_tried_and_scored(encoder, bitext):
    trials = tuning.sweep(encoder, [bitext])
    assert len(trials) == 3 * 2 * ALL
    assert {trial.decoder for trial in trials} == set(registered("decoders"))
    assert [trial.f1 for trial in trials] == sorted((trial.f1 for trial in trials), reverse=True)
    for trial in trials[:: len(trials) // 20]:
        decoder = find("decoders", trial.decoder)
        source, target = (encoder.vectors(side, unit=trial.level) for side in (bitext.source, bitext.target))
        found = decode_pairs(
            source, target, len(bitext), layer=trial.layer, decoder=decoder, level=trial.level,
            settings=parse_settings(decoder.settings, trial.settings),
        )  # fmt: skip
        assert trial.f1 == pytest.approx(tuning.corpus_f1(found, bitext.links))
        assert trial.seconds_per_1000 > 0


def test_scores_are_averaged_over_the_data(encoder, bitext):
    plan = tuning.make_plan(encoder, ["argmax"], [2])
    short = bitext.take([1])
    both, one, other = (tuning.sweep(encoder, data, plan=plan) for data in ([bitext, short], [bitext], [short]))
    scores = [{trial.level: trial.f1 for trial in trials} for trials in (both, one, other)]
    for level in ("word", "subword"):
        assert scores[0][level] == pytest.approx((scores[1][level] + scores[2][level]) / 2)


def test_similarities_are_made_once_for_a_layer_and_level(encoder, bitext, monkeypatch):
    made = []
    monkeypatch.setattr(
        tuning, "similarities", lambda *given, kind, original=tuning.similarities: made.append(kind) or original(*given)
    )
    tuning.sweep(encoder, [bitext])
    assert made == ["cosine"] * 3 * 2


def test_an_interrupted_sweep_goes_on_where_it_was(encoder, bitext, monkeypatch):
    scored = []
    original = tuning._scores
    monkeypatch.setattr(tuning, "_scores", lambda *given: scored.append(given[2]) or original(*given))

    def stop(done, total):
        assert total == 6
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tuning.sweep(encoder, [bitext], progress=stop)
    assert scored == [1, 2, 3, 1]
    told = []
    first = tuning.sweep(encoder, [bitext], progress=lambda *done: told.append(done))
    assert scored == [1, 2, 3, 1, 2, 3]
    assert told == [(n, 6) for n in range(1, 7)]
    assert tuning.sweep(encoder, [bitext]) == first
    assert len(scored) == 6


def test_other_text_links_or_decoders_are_scored_anew(encoder, bitext, monkeypatch):
    plan = tuning.make_plan(encoder, ["argmax"], [1])
    tuning.sweep(encoder, [bitext], plan=plan)
    scored = []
    monkeypatch.setattr(tuning, "_scores", lambda *given: scored.append(1) or np.zeros((len(given[4].decoders), 2)))
    fewer = Bitext("hand", bitext.languages, bitext.source, bitext.target, (Links(frozenset({(0, 0)})),) * 3, "gold")
    tuning.sweep(encoder, [fewer], plan=plan)
    tuning.sweep(encoder, [bitext], plan=tuning.make_plan(encoder, ["itermax"], [1]))
    assert len(scored) == 2 * 2
    tuning.sweep(encoder, [bitext], plan=plan)
    assert len(scored) == 2 * 2


def test_a_plan_names_what_does_not_exist(encoder):
    with pytest.raises(InputError, match="unknown decoder 'argmaks'; did you mean 'argmax'"):
        tuning.make_plan(encoder, ["argmaks"])
    with pytest.raises(InputError, match="layer 9 does not exist"):
        tuning.make_plan(encoder, None, [1, 9])
    assert tuning.make_plan(encoder, None, [0]).layers == (0,)


def test_the_best_of_each_decoder_stands_in_order():
    scores = [("a", 90.0), ("b", 80.0), ("a", 70.0), ("c", 65.0), ("b", 60.0)]
    trials = [tuning.Trial(1, name, "word", (), f1, 0.1) for name, f1 in scores]
    assert [(one.decoder, one.f1) for one in tuning.best_of_each(trials)] == [("a", 90.0), ("b", 80.0), ("c", 65.0)]


def test_data_without_links_are_refused(encoder, bitext):
    with pytest.raises(InputError, match="without word links"):
        tuning.sweep(encoder, [Bitext("bare", bitext.languages, bitext.source, bitext.target)])


CHOICE = LinkDefaults(2, "itermax", "word", {"discount": 0.5}, "F1 50.0 on hand")


def test_the_choice_of_a_base_encoder_lies_in_the_cache(encoder, tiny):
    path = tuning.store_choice(encoder, CHOICE)
    assert path == str(tuned_path(tiny, encoder.revision))
    assert load_encoder(tiny).link_defaults == CHOICE


@pytest.fixture
def aligned(tiny, bitext, tmp_path, cache):
    """The folder of an aligned encoder that has a choice of its own."""
    from analysis.alignment.run import align

    folder = tmp_path / "aligned"
    align(find("methods", "rotation"), load_encoder(tiny), [bitext], out=folder, say=lambda _: None,
          settings=find("methods", "rotation").settings())  # fmt: skip
    card = json.loads((folder / "isogloss.json").read_text())
    card["links"] = asdict(LinkDefaults(1, "argmax", "word", {}, "F1 10.0 on old"))
    (folder / "isogloss.json").write_text(json.dumps(card))
    return folder


def test_the_choice_of_an_aligned_encoder_lies_in_its_folder(aligned):
    card = json.loads((aligned / "isogloss.json").read_text())
    encoder = load_encoder(str(aligned))
    assert tuning.store_choice(encoder, CHOICE) == str(aligned / "isogloss.json")
    assert load_encoder(str(aligned)).link_defaults == CHOICE
    assert json.loads((aligned / "isogloss.json").read_text()) == card | {"links": asdict(CHOICE)}


def test_the_choice_for_a_folder_that_cannot_be_written_lies_in_the_cache_and_counts(aligned, monkeypatch):
    encoder = load_encoder(str(aligned))
    with monkeypatch.context() as patch:
        patch.setattr(tuning, "write_text", refuse_below(aligned, tuning.write_text))
        path = tuning.store_choice(encoder, CHOICE)
    assert path == str(tuned_path(str(aligned), encoder.revision))
    assert load_encoder(str(aligned)).link_defaults == CHOICE
    later = LinkDefaults(3, "match", "word", {}, "F1 60.0 on hand")
    tuning.store_choice(encoder, later)
    assert load_encoder(str(aligned)).link_defaults == later


def refuse_below(folder, original):
    """`write_text` on a read-only folder."""

    def write(path, text):
        if folder in path.parents:
            raise PermissionError(13, "Permission denied", str(path))
        original(path, text)

    return write
