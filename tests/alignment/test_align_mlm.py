"""ALIGN-MLM: its loss by hand, what it trains, what its adapter keeps, and what it refuses."""

import math

import numpy as np
import pytest
import torch

from analysis.alignment.align_mlm import _bags, mean_cosine
from analysis.encoders.load import load_encoder
from analysis.encoders.tuned import ADAPTER
from analysis.errors import InputError
from analysis.registry import find
from analysis.settings import parse_settings
from analysis.text.corpus import Sentence
from analysis.text.dictionary import Dictionary
from analysis.training.examples import Examples
from analysis.training.lexicon import WordPair, covered, word_types
from tests.training.material import WORDS, Record, bitext, trained

pytestmark = pytest.mark.fast
DICTIONARY = Dictionary(("es", "en"), tuple((b, a) for a, b in WORDS.items()), "made.tsv")
TEXT = {
    tag: tuple(Sentence.from_words(list(words), tag) for _ in range(6))
    for tag, words in (("en", WORDS), ("es", WORDS.values()))
}
QUICK = {"head_steps": 2, "distil": 0}


def pair(*pieces):
    return WordPair(("es", "en"), ("a", "b"), pieces, (0, 0), (True, True))


def run(encoder, **values):
    given = {"monolingual": TEXT, "dictionaries": [DICTIONARY], "max_steps": 3} | QUICK | values
    return trained(encoder, (), method="align_mlm", **given)


def test_the_mean_cosine_is_that_of_mean_pieces():
    table = torch.nn.Embedding(6, 3)
    weights = table.weight.detach().numpy().astype(float)
    pairs = (pair((0, 1), (2,)), pair((3,), (4, 5, 4)))
    wanted = 0.0
    for one in pairs:
        a, b = (np.mean([weights[piece] for piece in side], axis=0) for side in one.pieces)
        wanted += a @ b / math.sqrt(a @ a) / math.sqrt(b @ b) / len(pairs)
    assert float(mean_cosine(table, _bags(pairs)).detach()) == pytest.approx(wanted, abs=1e-6)


def test_the_gradient_of_the_cosine_is_right_and_reaches_only_the_dictionary():
    table = torch.nn.Embedding(5, 4).double()
    table.weight.data = torch.randn(5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    bags = _bags((pair((0, 1), (2,)), pair((1,), (3,))))
    mean_cosine(table, bags).backward()
    assert not table.weight.grad[4].any()
    step = 1e-2  # the mean is taken in float32
    for row, column in ((0, 1), (1, 2), (3, 0)):
        found = []
        for sign in (1, -1):
            table.weight.data[row, column] += sign * step
            found.append(float(mean_cosine(table, bags).detach()))
            table.weight.data[row, column] -= sign * step
        assert float(table.weight.grad[row, column]) == pytest.approx((found[0] - found[1]) / 2 / step, abs=2e-3)


def test_a_lexicon_is_what_the_text_covers(tiny):
    model = load_encoder(tiny).model
    types = {"es": set(word_types_of("es")), "en": set()}
    other = Dictionary(("es", "en"), (("zorro", "fox"), ("nada", "nothing"), ("perro", "dog")), "d.tsv")
    found = covered([other], model, types)
    assert [one.words for one in found] == [("zorro", "fox"), ("perro", "dog")]
    assert {one.seen for one in found} == {(True, False)}
    ids = [model.tokenizer.convert_tokens_to_ids(model.tokenizer.tokenize("fox"))]
    bare = model.tokenizer.convert_tokens_to_ids("▁")
    assert list(found[0].pieces[1]) == [number for number in ids[0] if number != bare]
    single = covered([other], model, types, strict=False)
    assert len(single) == 2
    with pytest.raises(InputError, match=r"single_piece=true") as refused:
        covered([Dictionary(("es", "en"), (("zorro", "fox"),), "d.tsv")], model, types, single_piece=True)
    assert "\n" not in str(refused.value)
    missing = Dictionary(("de", "en"), (("brown", "over"),), "de.tsv")
    with pytest.raises(InputError, match=r"dictionary de.tsv \(de-en\) covers no word of the text, which is in en, es"):
        covered([other, missing], model, types)
    assert [one.words for one in covered([missing], model, types, strict=False)] == [("brown", "over")]


def word_types_of(tag):
    from zlib import crc32

    return [crc32(word.encode()) for word in (WORDS.values() if tag == "es" else WORDS)]


def test_word_types_are_those_of_both_sides_of_pairs(tiny):
    from analysis.training.examples import prepare
    from tests.training.material import chosen

    examples, _ = prepare(load_encoder(tiny).model, [bitext(30)], chosen())
    found = word_types(examples, "en")
    assert found == {"es": set(word_types_of("es")), "en": set(word_types_of("en"))}


@pytest.mark.parametrize("adapter", ["lora", "full"])
def test_the_words_of_the_dictionary_come_together(tiny, tmp_path, adapter):
    job = Record(tmp_path / "run")
    run(tiny, adapter=adapter, max_steps=30, lr=0.02, epochs=100, job=job, batch_tokens=512)
    losses = job.of("loss")
    assert len(losses) == 30
    terms = [line["terms"]["embeddings"] for line in losses]
    assert terms[-1] < terms[0] - 2
    assert terms[-1] >= -10
    assert np.mean([line["loss"] for line in losses[-5:]]) < np.mean([line["loss"] for line in losses[:5]])
    assert set(losses[0]["terms"]) == {"mlm", "embeddings"}
    assert min(line["terms"]["mlm"] for line in losses) > 0


def test_without_weight_it_is_masked_language_modelling(tiny, tmp_path):
    job = Record(tmp_path / "run")
    run(tiny, weight=0, distil=1, job=job)
    assert set(job.of("loss")[0]["terms"]) == {"mlm", "distil"}
    assert job.of("loss")[0]["terms"]["distil"] == pytest.approx(0, abs=1e-6), "at first nothing has moved"


def test_the_whole_dictionary_counts_in_every_step(tiny, tmp_path):
    lone = {tag: sentences[:1] for tag, sentences in TEXT.items()}
    job = Record(tmp_path / "run")
    found = run(tiny, monolingual=lone, mlm=0, weight=1, job=job, max_steps=1, lr=1e-9)
    network = found.trainee.base.network
    pairs = covered([DICTIONARY], found.trainee.base, {"es": set(word_types_of("es"))})
    with torch.no_grad():
        wanted = float(mean_cosine(network.get_input_embeddings(), _bags(pairs)))
    assert job.of("loss")[0]["terms"] == {"embeddings": pytest.approx(-wanted, abs=1e-5)}


def test_stop_and_resume_give_the_same_weights(tiny, tmp_path, monkeypatch):
    from analysis.training import loop

    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    options = {"max_steps": 6, "epochs": 100, "lr": 0.01, "distil": 1}
    whole = run(tiny, job=Record(tmp_path / "whole"), **options)
    real, count = loop.Loop._step, []

    def stops(self, step, rows):
        real(self, step, rows)
        count.append(step)
        if step == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(loop.Loop, "_step", stops)
    with pytest.raises(KeyboardInterrupt):
        run(tiny, job=Record(tmp_path / "run"), **options)
    monkeypatch.setattr(loop.Loop, "_step", real)
    again = run(tiny, job=Record(tmp_path / "run"), **options)
    assert count == [1, 2, 3]
    for name, value in whole.tensors().items():
        assert np.array_equal(value, again.tensors()[name]), name


def test_an_adapter_of_embeddings_loads_again_and_leaves_its_base_alone(tiny, tmp_path):
    from peft import PeftModel
    from transformers import AutoModel

    from analysis.alignment.run import align

    encoder = load_encoder(tiny)
    table = encoder.model.network.get_input_embeddings().weight
    before = {name: one.detach().clone() for name, one in encoder.model.network.state_dict().items()}
    settings = parse_settings(
        find("methods", "align_mlm").settings,
        ["max_steps=8", "epochs=100", "lr=0.05", "distil=0", "head_steps=2", "stored=float32", "precision=float32"],
    )
    live = {}
    from analysis.training import fit as fitting

    real = fitting.train

    def keep(*args, **options):
        live["found"] = real(*args, **options)
        return live["found"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("analysis.alignment.trained.train", keep)
        out = align(
            find("methods", "align_mlm"), encoder, [], out=tmp_path / "out", settings=settings, monolingual=TEXT,
            dictionaries=(DICTIONARY,), say=lambda line: None,
        )  # fmt: skip
    ids = [np.array([0, 9, 12, 30, 2])]
    trainee = live["found"].trainee
    with trainee.evaluating():
        wanted = {layer: state.float() for layer, state in trainee.live.states(ids, [0, 3]).items()}
    loaded = load_encoder(str(out))
    found = loaded.model.hidden_states(ids, [0, 3])
    for layer in (0, 3):
        assert torch.allclose(found[layer], wanted[layer], atol=1e-5)
    twice = load_encoder(str(out)).model.hidden_states(ids, [0, 3])
    assert all(torch.equal(found[layer], twice[layer]) for layer in found)
    plain = PeftModel.from_pretrained(AutoModel.from_pretrained(tiny), str(out)).eval()
    with torch.no_grad():
        states = plain(input_ids=torch.from_numpy(ids[0])[None], output_hidden_states=True).hidden_states
    for layer in (0, 3):
        assert torch.allclose(states[layer], wanted[layer], atol=1e-5), "peft alone reads the same"
    assert not torch.allclose(wanted[0], encoder.model.hidden_states(ids, [0])[0], atol=1e-3), "embeddings trained"
    assert (out / ADAPTER).exists()
    assert encoder.model.network.get_input_embeddings().weight is table
    assert all(torch.equal(value, before[name]) for name, value in encoder.model.network.state_dict().items())
    fresh = AutoModel.from_pretrained(tiny).state_dict()
    assert torch.equal(fresh["embeddings.word_embeddings.weight"], table)


def test_the_placebo_trains_on_another_dictionary(tiny):
    plain, placebo = run(tiny, lr=0.01), run(tiny, lr=0.01, placebo="true")
    assert any(not np.array_equal(value, placebo.tensors()[name]) for name, value in plain.tensors().items())


def test_what_it_lacks_is_said_in_one_line(tiny):
    from analysis.alignment.method import Uses, check_needs

    spec = find("methods", "align_mlm")
    with pytest.raises(InputError, match="needs --dictionary"):
        check_needs(spec, {Uses.MONOLINGUAL: ["x"]})
    with pytest.raises(InputError, match="needs --data .* or --monolingual"):
        check_needs(spec, {Uses.DICTIONARY: ["x"]})
    with pytest.raises(InputError, match="covers no word of the text") as refused:
        run(tiny, dictionaries=[Dictionary(("es", "en"), (("nadie", "nobody"),), "none.tsv")])
    assert "none.tsv (es-en)" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("values", "line"), [
    ({"embeddings": False}, "embeddings=false leaves the dictionary nothing to move"),
    ({"weight": 0, "mlm": 0}, "both terms are switched off"), ({"layers": "1"}, "layers='1' cannot be followed"),
])  # fmt: skip
def test_settings_without_an_effect_are_refused(tiny, values, line):
    with pytest.raises(InputError, match=line):
        run(tiny, **values)


def test_words_have_the_subwords_that_the_text_gives_them(tiny_folders):
    from analysis.training.examples import sides_of
    from analysis.training.lexicon import spelled
    from tests.training.material import chosen

    model = load_encoder(str(tiny_folders["modernbert"])).model  # cuts "Fox", " fox" and "fox" in three ways
    text = bitext(6)
    sides = sides_of(model, [*text.source, *text.target], "mean")
    examples = Examples(("es",) * 6, tuple(sides[:6]), tuple(sides[6:]), (), tuple("abcdef"))
    found = spelled(examples, chosen())
    side, sentence = sides[6], text.target[0]
    for number in range(1, len(sentence.spans)):
        ids = tuple(side.ids[side.column[side.word == number]].tolist())
        assert ids in found["en"].values()
    entries = [Dictionary(("es", "en"), tuple((b, a) for a, b in WORDS.items()), "d.tsv")]
    types = {"es": set(word_types_of("es")), "en": set(word_types_of("en"))}
    for one in covered(entries, model, types, spelled=found):
        assert one.pieces[1] == found["en"].get(one.keys[1], one.pieces[1])
    alone = {one.words[1]: one.pieces[1] for one in covered(entries, model, types)}
    behind = model.tokenizer(" fox", add_special_tokens=False)["input_ids"]
    assert list(alone["fox"]) in (behind, behind[1:]), "a word is cut as behind another one"


def test_links_that_are_not_read_are_not_made_anew(tiny):
    assert run(tiny, links="refreshed", epochs=3, max_steps=0).state.step > 3
