"""A monolingual teacher: the loss by hand, what is kept, pseudo-labels, other encoders as teachers, refusals."""

from pathlib import Path

import numpy as np
import pytest
import torch

from analysis.errors import InputError
from analysis.jobs.job import Job
from analysis.transfer import teacher as teaching
from analysis.transfer.job import make_spec
from analysis.transfer.regime import Extras, Step
from analysis.transfer.regimes.monox import Monox, MonoxSettings, soft_loss
from analysis.transfer.teacher import Lessons, key
from tests.training.material import Record, bitext
from tests.transfer.material import classes, pairs, scores, tagged, train, weights
from tests.transfer.test_joint import interrupted

pytestmark = pytest.mark.fast
TEXT = Extras(monolingual={"en": bitext(12).target})
QUICK = {"teacher_mlm_steps": 2, "head_steps": 2, "max_steps": 3}


def soft_by_hand(student, teacher, temperature):
    """t^2 times the mean cross-entropy under the teacher."""
    parts = []
    for z, y in zip(student.astype(np.float64), teacher.astype(np.float64), strict=True):
        if np.isnan(y).any():
            continue
        p = np.exp(y / temperature) / np.exp(y / temperature).sum()
        parts.append(-(p * (z / temperature - np.log(np.exp(z / temperature).sum()))).sum())
    return temperature**2 * np.mean(parts)


def test_the_soft_loss_by_hand():
    rng = np.random.default_rng(0)
    student, said = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    said[2] = np.nan
    z = torch.tensor(student, requires_grad=True)
    loss = soft_loss(z, said, 3.0)
    assert loss.item() == pytest.approx(soft_by_hand(student, said, 3.0))
    loss.backward()
    assert not z.grad[2].any()
    soft = lambda x: np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    expected = 3 * (soft(student / 3) - soft(said / 3)) / 4  # t^2 * (p - q) / t over four rows that count
    np.testing.assert_allclose(z.grad.numpy()[[0, 1, 3, 4]], expected[[0, 1, 3, 4]], atol=1e-9)
    assert soft_loss(z, np.full((5, 3), np.nan), 3.0).item() == 0


@pytest.mark.parametrize(("variant", "gold", "names"), [
    ("distil", 0.0, {"distil"}), ("distil", 0.5, {"task", "distil"}), ("pseudo", 0.0, {"task"}),
    ("both", 0.0, {"task", "distil"}),
])  # fmt: skip
def test_the_terms_by_hand_whatever_the_order_of_the_items(tiny, variant, gold, names):
    network = train(tiny, max_steps=1, dropout=False, head_dropout=0.0)
    items = classes().items
    rng = np.random.default_rng(1)
    strategy = Monox(MonoxSettings(variant=variant, gold=gold, temperature=2.0))
    strategy.lessons = Lessons({key(one): rng.normal(size=(1, 2)).astype(np.float32) for one in items}, ())
    chosen = [items[n] for n in (7, 2, 11)]
    batch = network.encode(chosen)
    terms = strategy.terms(Step(batch, 1, 1, rng, network))
    assert set(terms) == names
    logits = network.outputs(batch).detach().numpy()
    if "distil" in terms:
        said = np.concatenate([strategy.lessons.of_item[key(one)] for one in chosen])
        assert terms["distil"].item() == pytest.approx(soft_by_hand(logits, said, 2.0), abs=1e-5)
    if "task" in terms:
        hard = np.mean([np.log(np.exp(row).sum()) - row[("animal", "money").index(one.label)]
                        for row, one in zip(logits.astype(np.float64), chosen, strict=True)])  # fmt: skip
        assert terms["task"].item() == pytest.approx((gold if variant == "distil" else 1.0) * hard, abs=1e-5)
    strategy.backward(terms, Step(batch, 1, 1, rng, network))
    assert all(one.grad is not None for one in network.parameters.values())
    assert any(bool(one.grad.any()) for name, one in network.parameters.items() if "lora" in name)
    assert bool(network.parameters["head.1.weight"].grad.any())
    assert all(one.grad is None for one in network.trainee.base.network.parameters())


def test_the_logits_of_an_item_are_its_own(tiny):
    network = train(tiny, max_steps=2)
    items = classes().items
    found = teaching.logits(network, items)
    network.trains(False)
    for item, one in zip(items, found, strict=True):
        alone = network.outputs(network.encode([item])).detach().numpy()
        np.testing.assert_allclose(one, alone, atol=1e-5)


def test_a_word_that_was_cut_off_teaches_nothing(tiny):
    data = tagged()
    network = train(tiny, task="pos", data=data, max_steps=1, max_tokens=8)
    found = teaching.logits(network, data.items)
    assert [len(one) for one in found] == [len(item.sentence.spans) for item in data.items]
    cut = [bool(np.isnan(one).any()) for one in found]
    assert any(cut)
    assert not all(np.isnan(one).all() for one in found)
    # The student cuts at another place than the teacher.
    strategy, other = Monox(MonoxSettings()), train(tiny, task="pos", data=data, max_steps=1)
    strategy.lessons = Lessons({key(i): z for i, z in zip(data.items, found, strict=True)}, ())
    terms = strategy.terms(Step(other.encode(data.items), 1, 1, np.random.default_rng(0), other))
    assert np.isfinite(terms["distil"].item())
    short = network.encode(data.items)
    whole = Lessons({key(i): np.zeros_like(z) for i, z in zip(data.items, found, strict=True)}, ())
    strategy.lessons = whole
    assert np.isnan(strategy.taught(short)).any(axis=1).sum() == sum(np.isnan(z).any(axis=1).sum() for z in found)


@pytest.mark.parametrize(("variant", "task", "data", "extras"), [
    ("distil", "topics", classes, None), ("distil", "nli", pairs, None), ("distil", "pos", tagged, None),
    ("pseudo", "topics", classes, TEXT), ("both", "topics", classes, TEXT),
])  # fmt: skip
def test_a_run_is_finite_changes_the_weights_and_repeats(tiny, variant, task, data, extras):
    values = {"extras": extras, "variant": variant, **QUICK}
    one, again = (weights(train(tiny, "monox", task, data(), **values)) for _ in range(2))
    assert all(np.isfinite(value).all() for value in one.values())
    assert all(np.array_equal(one[name], again[name]) for name in one)
    assert any(np.abs(one[name]).max() > 1e-6 for name in one if "lora_B" in name)  # they start at 0


def test_masked_lm_makes_another_teacher_of_the_encoder(tiny, tmp_path):
    said = {}
    for steps in (0, 5):
        job = Record(tmp_path / str(steps))
        train(tiny, "monox", job=job, extras=TEXT, lr=1e-2, **{**QUICK, "teacher_mlm_steps": steps})
        (path,) = (job.folder / "kept").glob("teacher-*.npz")
        said[steps] = np.load(path)["train"]
        assert not path.with_suffix("").exists()
        assert any("training labels right" in line for line in job.said)
    assert said[0].shape == (12, 2)
    assert not np.allclose(said[0], said[5], atol=1e-4)


def test_another_encoder_teaches_and_a_different_width_and_tokenizer_do_not_matter(tiny, tiny_folders, tmp_path):
    job = Record(tmp_path)
    name = str(tiny_folders["distilbert"])
    train(tiny, "monox", "nli", pairs(), teacher=name, job=job, blocks="2-3", **QUICK)
    assert any(f"teacher {name} is ready" in line for line in job.said)
    assert not any("masked-LM" in line for line in job.said)


def test_the_student_comes_to_say_what_the_teacher_says(tiny, tmp_path):
    job = Record(tmp_path)
    values = {"lr": 5e-3, "head_lr": 2e-2, "head_dropout": 0.0, "dropout": False, "max_steps": 0}
    network = train(tiny, "monox", job=job, epochs=12, teacher_epochs=4, teacher_mlm_steps=0, **values)
    (path,) = (job.folder / "kept").glob("teacher-*.npz")
    said = np.load(path)["train"].argmax(axis=1)
    assert len(set(said.tolist())) == 2
    heard = [("animal", "money").index(one) for one in network.predict(classes().items)]
    assert np.mean(said == heard) >= 0.9


def test_pseudo_labels_are_the_teachers_and_are_mixed_in(tiny, monkeypatch):
    seen = []
    terms = Monox.terms
    monkeypatch.setattr(Monox, "terms", lambda self, step: seen.append((self, step)) or terms(self, step))
    train(tiny, "monox", extras=TEXT, variant="pseudo", mix=0.5, **QUICK)
    strategy, step = seen[0]
    assert len(step.batch) == 6  # four labelled ones and half as many
    added = [one for one in step.batch.items if one.where == "unlabelled"]
    assert len(added) == 2
    texts = {one.text for one in TEXT.monolingual["en"]}
    for one in added:
        assert one.sentence.text in texts
        assert one.label == ("animal", "money")[int(strategy.lessons.of_item[key(one)].argmax())]
    assert [one.id for one in seen[0][1].batch.items] != [one.id for one in seen[1][1].batch.items]


def test_a_resumed_run_keeps_its_teacher_and_ends_as_an_undisturbed_one(tiny, monkeypatch):
    values = {"variant": "both", "extras": TEXT, **QUICK, "max_steps": 6}
    whole = weights(train(tiny, "monox", **values))
    found = interrupted(tiny, monkeypatch, "monox", **values)
    assert all(np.array_equal(whole[name], found[name]) for name in whole)


def test_a_teacher_that_is_there_is_not_made_again(tiny, monkeypatch, tmp_path):
    with Job.temporary() as job:
        first = weights(train(tiny, "monox", job=job, **QUICK))
        monkeypatch.setattr(teaching, "_taught", None)
        again = weights(train(tiny, "monox", job=job, **QUICK))
    assert all(np.array_equal(first[name], again[name]) for name in first)


def test_refusals(tiny):
    for extras in (None, Extras(monolingual={"de": bitext(3).source})):
        with pytest.raises(InputError, match="needs --monolingual text in en"):
            train(tiny, "monox", variant="pseudo", extras=extras)
    with pytest.raises(InputError, match="use variant=distil"):
        train(tiny, "monox", "nli", pairs(), variant="both", extras=TEXT)
    with pytest.raises(InputError, match="nowhere"):
        train(tiny, "monox", teacher="/nowhere/at/all")
    with pytest.raises(InputError, match="does not work with task"):
        train(tiny, "monox", "sts", scores())


def test_a_teacher_in_a_folder_is_found_from_any_working_folder(tiny, monkeypatch, tmp_path):
    monkeypatch.chdir(Path(tiny).parent)
    spec = make_spec("monox", "categories", tiny, train=[], test=[], out=tmp_path / "out",
                     settings=[f"teacher={Path(tiny).name}", "gold=0.5"])  # fmt: skip
    assert spec["settings"] == [f"teacher={tiny}", "gold=0.5"]
