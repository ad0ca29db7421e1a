"""The contrast over rows: its loss by hand, each sentence encoded once, the control, gradients, stopping."""

import math

import numpy as np
import pytest
import torch

from analysis.alignment.multiway import Multiway
from analysis.encoders.load import load_encoder
from analysis.errors import InputError
from analysis.text.corpus import Bitext, Sentence
from analysis.training.examples import prepare, select
from analysis.training.frozen import freeze
from analysis.training.objective import Material
from analysis.training.steps import make_step
from analysis.training.trainee import Trainee
from tests.tiny import TEXT
from tests.training.material import Record, bitext, chosen, trained
from tests.training.test_losses import unit

pytestmark = pytest.mark.fast
TAGS = ("es", "ru", "zh")
WORDS = {tag: text.split() for tag, text in zip(("en", *TAGS), TEXT, strict=False)} | {
    "zh": ["敏捷", "的", "棕色", "狐狸", "跳过", "懒狗", "素早い", "茶色"]
}


def data(count=6, *, seed=0, tags=TAGS, lacking=()):
    """Pairs of several languages with English; row n of language `tag` is left out where (n, tag) is in `lacking`."""
    rng = np.random.default_rng(seed)
    picks = [rng.integers(0, 7, rng.integers(2, 6)).tolist() for _ in range(count)]
    say = lambda tag, pick: Sentence.from_words([WORDS[tag][n] for n in pick], tag)
    found = []
    for tag in tags:
        rows = [n for n in range(count) if (n, tag) not in lacking]
        found.append(Bitext("made", (tag, "en"), tuple(say(tag, picks[n]) for n in rows),
                            tuple(say("en", picks[n]) for n in rows), row_ids=tuple(map(str, rows))))  # fmt: skip
    return found


def ready(tiny, bitexts, *, job=None, **values):
    """An objective, its trainee and a function that makes a step over all pairs."""
    encoder, settings = load_encoder(tiny), chosen("multiway", **values)
    trainee, objective = Trainee(encoder, settings, seed=0), Multiway(encoder, settings)
    languages = tuple(one.languages[0] for one in bitexts)
    examples, _ = prepare(trainee.base, select(bitexts, languages, settings, 0), settings)
    objective.prepare(Material(encoder, trainee, examples, {}, (), settings, 0, job))
    every = np.arange(len(examples))
    frozen = freeze(trainee, examples.target, objective.layers, every) if objective.reads_frozen else None
    return objective, trainee, lambda number=1: make_step(trainee, examples, every, objective, frozen, number=number)


def vectors(trainee, objective, pooling):
    """For each row a mapping from language to its vector of length 1, and to its token ids."""
    found = []
    for row in objective.rows:
        states = [trainee.base.hidden_states([side.ids], [3])[3][0].double().numpy() for side in row.sides]
        pooled = [one[0] if pooling == "cls" else one[slice(*side.content)].mean(0)
                  for one, side in zip(states, row.sides, strict=True)]  # fmt: skip
        found.append({tag: (unit(one[None])[0], side.ids.tolist())
                      for tag, one, side in zip(row.languages, pooled, row.sides, strict=True)})  # fmt: skip
    return found


def by_hand(rows, temperature, everywhere, masked):
    """The mean over rows and ordered pairs of languages of -log of the softmax."""
    terms = []
    for r, row in enumerate(rows):
        for a in row:
            for b in row:
                if a == b:
                    continue
                scores = [
                    {tag: math.exp(float(row[a][0] @ one[0]) / temperature) for tag, one in found.items()}
                    for found in rows
                ]
                total = scores[r][b]
                for other in range(len(rows)):
                    shared = any(x[1] == y[1] for x in rows[other].values() for y in row.values())
                    if other == r or (masked and shared):
                        continue
                    total += sum(one for tag, one in scores[other].items() if everywhere or tag == b)
                terms.append(-math.log(scores[r][b] / total))
    return sum(terms) / len(terms)


@pytest.mark.parametrize("negatives", ["language", "all"])
@pytest.mark.parametrize("pooling", ["mean", "cls"])
@pytest.mark.parametrize("masked", [True, False])
def test_the_loss_by_hand(tiny, negatives, pooling, masked):
    # Row 6 is row 0 once more; rows 1 and 2 lack languages, and row 3 has only English and Chinese.
    many = data(6, lacking={(1, "es"), (2, "zh"), (3, "es"), (3, "ru")})
    first = [one.take([0]) for one in many]
    many = [
        Bitext("made", one.languages, one.source + more.source, one.target + more.target, row_ids=(*one.row_ids, "6"))
        for one, more in zip(many, first, strict=True)
    ]
    objective, trainee, step = ready(tiny, many, negatives=negatives, pooling=pooling, temperature=0.2,
                                     mask_duplicates=masked)  # fmt: skip
    assert sorted(map(len, objective.rows)) == [2, 3, 3, 4, 4, 4, 4]
    rows = vectors(trainee, objective, pooling)
    terms = objective(step())
    assert set(terms) == {"rows"}
    wanted = by_hand(rows, 0.2, negatives == "all", masked)
    assert wanted != pytest.approx(by_hand(rows, 0.2, negatives == "all", not masked), rel=1e-3)
    assert float(terms["rows"].detach()) == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize("negatives", ["language", "all"])
def test_two_rows_on_paper(tiny, monkeypatch, negatives):
    """Languages a and b of row 1 at (1, 0), of row 2 at (0, 1): every term is log(1 + n e^(-1 / tau)), with n negatives."""
    count = {"language": 1, "all": 2}[negatives]
    objective, _, step = ready(tiny, data(2, tags=("es",)), temperature=0.5, negatives=negatives)
    axis = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    from analysis.alignment import multiway

    def of_rows(states, sides, pooling):
        return axis[
            [n for side in sides for n, row in enumerate(objective.rows) if any(one is side for one in row.sides)]
        ]

    monkeypatch.setattr(multiway, "sentence_vectors", of_rows)
    assert float(objective(step())["rows"].detach()) == pytest.approx(math.log(1 + count * math.exp(-2)))


def test_each_distinct_sentence_is_encoded_once(tiny):
    many = data(5)
    twice = [Bitext("made", one.languages, one.source * 2, one.target * 2) for one in many]
    objective, _, step = ready(tiny, twice)
    assert len(objective.rows) == 10
    runs, real = [], step().states
    from dataclasses import replace

    seen = replace(step(), states=lambda ids, layers: runs.append([one.tolist() for one in ids]) or real(ids, layers))
    objective(seen)
    assert len(runs) == 1
    assert len(runs[0]) == len({tuple(one) for one in runs[0]}) == 20
    assert not seen.source, "and the pairs are not encoded beside them"


@pytest.mark.parametrize("negatives", ["language", "all"])
@pytest.mark.parametrize("most", [0, 3])
def test_the_control_of_a_step_counts_the_same(tiny, negatives, most):
    many = data(12, seed=4, lacking={(1, "es"), (2, "zh"), (5, "ru")})
    plans = []
    for control in (False, True):
        encoder, settings = load_encoder(tiny), chosen("multiway", control=control, negatives=negatives,
                                                       most_languages=most, mask_duplicates=False)  # fmt: skip
        objective = Multiway(encoder, settings)
        examples, _ = prepare(encoder.model, select(many, TAGS, settings, 0), settings)
        objective.prepare(Material(encoder, None, examples, {}, (), settings, 0))
        ragged = sorted(objective.rows, key=len)[:4]
        rows = np.concatenate([row.pairs for row in ragged])
        trainee = Trainee(encoder, settings, seed=0)
        drawn, _, terms = objective.plan(make_step(trainee, examples, rows, objective, number=3))
        plans.append((len(drawn), len(terms), sorted(terms.negatives.sum(1).tolist())))
        if control:
            languages = {(objective.rows[drawn.row[i]].languages[drawn.place[i]],
                          objective.rows[drawn.row[j]].languages[drawn.place[j]])
                         for i, j in zip(terms.asked, terms.positive, strict=True)}  # fmt: skip
            assert all(("en" in pair) and pair[0] != pair[1] for pair in languages)
    assert plans[0] == plans[1]
    assert plans[0][0] > 8
    if most == 0:
        assert plans[0][1] == 12 + 3 * 6


def test_rows_of_two_languages_are_a_symmetric_pair_loss_and_said_so(tiny, tmp_path):
    job = Record(tmp_path / "run")
    objective, trainee, step = ready(tiny, data(5, tags=("es",)), job=job, temperature=0.1, negatives="language")
    assert job.said[0] == "5 rows: 5 of 2 languages"
    assert "every row has two languages, so this is a symmetric loss over pairs" in job.said[1]
    rows = vectors(trainee, objective, "mean")
    table = np.array([[float(a["es"][0] @ b["en"][0]) / 0.1 for b in rows] for a in rows])
    ways = [np.mean([np.log(np.exp(one).sum()) - one[n] for n, one in enumerate(way)]) for way in (table, table.T)]
    assert float(objective(step())["rows"].detach()) == pytest.approx(sum(ways) / 2, rel=1e-4)
    other = Record(tmp_path / "other")
    ready(tiny, data(5, lacking={(0, "zh")}), job=other, control=True)
    assert other.said[0] == "5 rows: 1 of 3 languages, 4 of 4 languages"
    assert other.said[1].startswith("control: the anchor with one drawn language at a time")
    assert len(other.said) == 2


def test_draws_belong_to_the_step(tiny):
    objective, _, step = ready(tiny, data(8), most_languages=2)
    losses = [float(objective(step(number))["rows"].detach()) for number in (1, 2, 1)]
    assert losses[0] == losses[2] != losses[1]


@pytest.mark.parametrize("control", [False, True])
def test_what_gets_gradients(tiny, control):
    objective, trainee, step = ready(tiny, data(6), control=control)
    with torch.no_grad():
        for name, one in trainee.parameters.items():
            if "lora_B" in name:
                one += 0.01
    sum(objective(step()).values()).backward()
    assert all(one.grad is not None and one.grad.any() for one in trainee.parameters.values())
    assert all(one.grad is None for one in trainee.base.network.parameters())


def test_what_holds_on_to_the_base_reads_the_pairs(tiny):
    objective, _, step = ready(tiny, data(4), distil=2, anchor_words=1, anchor_relations=1)
    assert objective.reads_words
    assert set(objective(step())) == {"rows", "distil", "anchor words", "anchor relations"}
    assert not ready(tiny, data(4))[0].reads_words


@pytest.mark.parametrize("control", [False, True])
def test_the_loss_falls_and_steps_are_obeyed(tiny, tmp_path, control):
    job = Record(tmp_path / "run")
    found = trained(tiny, data(8, seed=3), method="multiway", languages=TAGS, job=job, max_steps=40, epochs=99, lr=0.02,
                    batch_tokens=2048, control=control)  # fmt: skip
    assert (found.state.step, found.links, found.languages) == (40, 0, TAGS)
    losses = [line["loss"] for line in job.of("loss")]
    assert np.mean(losses[-4:]) < 0.5 * np.mean(losses[:4])


def test_a_run_that_was_stopped_ends_in_the_same_bits(tiny, monkeypatch, tmp_path):
    from analysis.training import loop

    options = {"method": "multiway", "languages": TAGS, "max_steps": 5, "lr": 0.01, "most_languages": 3,
               "control": True, "epochs": 9}  # fmt: skip
    pairs, real, stopped = data(20), loop.Loop._step, []
    whole = trained(tiny, pairs, **options).tensors()

    def step(self, number, rows):
        if number == 4 and not stopped:
            stopped.append(number)
            raise KeyboardInterrupt
        real(self, number, rows)

    monkeypatch.setattr(loop.Loop, "_step", step)
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    with pytest.raises(KeyboardInterrupt):
        trained(tiny, pairs, job=Record(tmp_path / "run"), **options)
    resumed = trained(tiny, pairs, job=Record(tmp_path / "run"), **options).tensors()
    assert all(np.array_equal(one, resumed[name]) for name, one in whole.items())


def test_a_placebo_keeps_rows_and_learns_from_other_ones(tiny):
    sizes, tensors = [], []
    for placebo in (False, True):
        objective, _, _ = ready(tiny, data(12, seed=3), placebo=placebo)
        sizes.append([len(row) for row in objective.rows])
        tensors.append(trained(tiny, data(12, seed=3), method="multiway", languages=TAGS, max_steps=2,
                               placebo=placebo).tensors())  # fmt: skip
    assert sizes[0] == sizes[1] == [4] * 12
    assert any((one != tensors[1][name]).any() for name, one in tensors[0].items())


def test_refusals(tiny):
    for values, message in (({"most_languages": 1}, "most_languages=1 leaves a row nothing"),
                            ({"layers": "2,3"}, "multiway compares one")):  # fmt: skip
        with pytest.raises(InputError, match=message):
            ready(tiny, data(3), **values)
    with pytest.raises(InputError, match="there is one; give at least two parallel rows") as caught:
        trained(tiny, data(1), method="multiway", languages=TAGS)
    assert "\n" not in str(caught.value)
    assert trained(tiny, [bitext(6)], method="multiway", max_steps=1).state.step == 1
