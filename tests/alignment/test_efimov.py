"""Squared distance as Efimov et al. have it: which links and pairs are left, the loss, stopping."""

import numpy as np
import pytest
import torch

from analysis.alignment.efimov import Efimov, EfimovSettings
from analysis.encoders.load import load_encoder
from analysis.errors import InputError
from analysis.text.corpus import Bitext, Sentence
from analysis.text.pharaoh import Links
from analysis.training.examples import prepare, select
from analysis.training.frozen import freeze
from analysis.training.links import link, only_linked
from analysis.training.steps import make_step
from analysis.training.trainee import Trainee
from tests.training.material import Record, bitext, chosen, trained

pytestmark = pytest.mark.fast
# Row 0: "banco" = "banco" is identical. Row 1: only that. Row 2: banco-banco and perro-banco, so the word banco has two
# links; one-to-one first leaves zorro-fox alone, whereas identical strings first would have left perro-banco too.
ROWS = [
    ("perro banco", "dog banco", {(0, 0), (1, 1)}),
    ("banco", "banco", {(0, 0)}),
    ("perro banco zorro", "banco fox", {(0, 0), (1, 0), (2, 1)}),
    ("zorro perro", "fox dog", set()),
]


def hand(rows, language="es", name="hand"):
    """A bitext of (source, target, links)."""
    return Bitext(
        name, (language, "en"), tuple(Sentence.from_words(a.split(), language) for a, _, _ in rows),
        tuple(Sentence.from_words(b.split(), "en") for _, b, _ in rows),
        tuple(Links(frozenset(links)) for *_, links in rows), "gold",
    )  # fmt: skip


def ready(tiny, data, **values):
    """A trainee, examples with links, the bitexts and an objective."""
    encoder, settings = load_encoder(tiny), chosen("efimov", **values)
    trainee, objective = Trainee(encoder, settings, seed=0), Efimov(encoder, settings)
    languages = tuple(one.languages[0] for one in data)
    examples, kept = prepare(trainee.base, select(data, languages, settings, 0), settings)
    return trainee, link(examples, kept, trainee, encoder, settings), kept, objective


def test_the_defaults_are_those_of_the_paper():
    one = EfimovSettings()
    assert (one.target, one.pool, one.specials, one.regularise, one.reduction) == ("live", "mean", True, 1.0, "mse")
    assert (one.one_to_one, one.drop_identical, one.layers, one.max_pairs) == (True, True, "last", 250_000)
    assert Efimov.drops_unlinked


def test_equal_strings_go_after_the_one_to_one_test_and_pairs_without_links_go_last(tiny):
    _, examples, kept, _ = ready(tiny, [hand(ROWS), hand(ROWS[1:2], "fr")])
    # The special tokens are the last two words of a side.
    assert [one.tolist() for one in examples.links] == [
        [[0, 0], [2, 2], [3, 3]], [[1, 1], [2, 2]], [[2, 1], [3, 2], [4, 3]], [[2, 2], [3, 3]], [[1, 1], [2, 2]],
    ]  # fmt: skip
    left, texts = only_linked(examples, kept)
    assert [row.rpartition(" ")[2] for row in left.rows] == ["0", "2"]
    assert [one.tolist() for one in left.links] == [[[0, 0], [2, 2], [3, 3]], [[2, 1], [3, 2], [4, 3]]]
    assert [(one.languages[0], one.row_ids) for one in texts] == [("es", ("0", "2"))], "nothing of French is left"
    assert [one.text for one in texts[0].target] == ["dog banco", "banco fox"]
    assert left.groups == (0, 2)
    _, plain, kept, _ = ready(tiny, [hand(ROWS)], specials=False)
    assert [row.rpartition(" ")[2] for row in only_linked(plain, kept)[0].rows] == ["0", "2"]


def test_a_run_reads_the_pairs_that_are_left(tiny, monkeypatch, tmp_path):
    from analysis.training import loop

    seen, real = [], loop.make_step
    monkeypatch.setattr(loop, "make_step", lambda *a, **o: seen.append([*a[1].take(a[2]).rows]) or real(*a, **o))
    job = Record(tmp_path / "run")
    found = trained(tiny, [hand(ROWS)], method="efimov", job=job, epochs=3)
    assert {row.rpartition(" ")[2] for rows in seen for row in rows} == {"0", "2"}
    assert found.links == 6
    assert f"2 pairs without a word link left out; {found.steps} steps" in job.said


def test_nothing_left_is_one_line(tiny):
    with pytest.raises(InputError, match="no pair has a word link that passes the filters") as caught:
        trained(tiny, [hand([ROWS[1], ROWS[3]])], method="efimov")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("weight", [0.0, 1.0, 2.5])
def test_the_loss_by_hand(tiny, weight):
    trainee, examples, kept, objective = ready(tiny, [hand(ROWS)], regularise=weight, dropout=False)
    examples, _ = only_linked(examples, kept)
    with torch.no_grad():
        for name, one in trainee.parameters.items():
            if "lora_B" in name:
                one += 0.05
    frozen = freeze(trainee, examples.target, objective.layers, np.arange(2)) if objective.reads_frozen else None
    found = objective(make_step(trainee, examples, range(2), objective, frozen))

    def words(model, side):
        """The mean of each word's subwords, then the two special tokens."""
        states = model.hidden_states([side.ids], [3])[3][0].double().numpy()
        inner = [states[side.column[side.word == n]].mean(0) for n in range(side.words - 2)]
        return np.stack([*inner, states[0], states[len(side.ids) - 1]])

    near, held = [], []
    for a, b, links in zip(examples.source, examples.target, examples.links, strict=True):
        left, right, base = words(trainee.live, a), words(trainee.live, b), words(trainee.base, b)
        near += [(left[i] - right[j]) ** 2 for i, j in links]
        held += [*((right - base) ** 2)]
    assert (len(near), len(held)) == (6, 4 + 4)
    wanted = np.mean(near) + weight * np.mean(held)
    assert float(sum(found.values()).detach()) == pytest.approx(wanted, rel=1e-4)
    assert objective.reads_frozen is (weight > 0)


def test_both_sides_get_gradients_and_the_base_gets_none(tiny):
    trainee, examples, _, objective = ready(tiny, [bitext(4)], regularise=0, drop_identical=False)
    step = make_step(trainee, examples, range(4), objective)
    source, target = torch.autograd.grad(sum(objective(step).values()), [step.source[3], step.target[3]])
    assert source.any()
    assert torch.equal(source[step.pairs[:, 0]], -target[step.pairs[:, 1]]), "each pull is felt equally on both sides"
    assert all(one.grad is None for one in trainee.base.network.parameters())


def test_the_loss_falls_and_steps_are_obeyed(tiny, tmp_path):
    job = Record(tmp_path / "run")
    found = trained(tiny, [bitext(8, seed=3)], method="efimov", job=job, max_steps=30, epochs=99, lr=0.01,
                    dropout=False, batch_tokens=512)  # fmt: skip
    assert found.state.step == 30
    losses = [line["loss"] for line in job.of("loss")]
    assert losses[-1] < 0.7 * losses[0]


def test_a_run_that_was_stopped_ends_in_the_same_bits(tiny, monkeypatch, tmp_path):
    from analysis.training import loop

    options = {"method": "efimov", "max_steps": 5, "lr": 0.01, "epochs": 9}
    data, real, stopped = [bitext(12), hand(ROWS, "fr")], loop.Loop._step, []
    options["languages"] = ("es", "fr")
    whole = trained(tiny, data, **options).tensors()

    def step(self, number, rows):
        if number == 4 and not stopped:
            stopped.append(number)
            raise KeyboardInterrupt
        real(self, number, rows)

    monkeypatch.setattr(loop.Loop, "_step", step)
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    with pytest.raises(KeyboardInterrupt):
        trained(tiny, data, job=Record(tmp_path / "run"), **options)
    resumed = trained(tiny, data, job=Record(tmp_path / "run"), **options).tensors()
    assert all(np.array_equal(one, resumed[name]) for name, one in whole.items())


def test_a_placebo_learns_from_other_pairs(tiny):
    data = [bitext(8, seed=3, links=False)]
    plain, placebo = (trained(tiny, data, method="efimov", max_steps=2, placebo=one).tensors() for one in (False, True))
    assert any((plain[name] != placebo[name]).any() for name in plain)


def test_links_made_anew_belong_to_the_pairs_that_are_left(tiny, monkeypatch):
    from analysis.training import loop

    seen, real = [], loop.link
    monkeypatch.setattr(loop, "link", lambda *a, **o: seen.append((len(a[0]), [len(b) for b in a[1]])) or real(*a, **o))
    data = [bitext(6, links=False), hand([ROWS[1]], "fr")]
    trained(tiny, data, method="efimov", languages=("es", "fr"), links="refreshed", epochs=2)
    pairs, parts = seen[0]
    assert pairs == sum(parts) <= 6
