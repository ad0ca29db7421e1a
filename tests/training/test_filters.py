"""What of the data is trained on: rows, joins, the placebo, and which links."""

import json
import shutil

import numpy as np
import pytest

from analysis import store
from analysis.alignment.reading import read_pairs
from analysis.encoders.load import load_encoder
from analysis.errors import InputError
from analysis.links.aligner import Aligner
from analysis.text.corpus import Bitext, Sentence
from analysis.text.pharaoh import Links
from analysis.text.problems import Problems
from analysis.training.examples import prepare, select
from analysis.training.links import link
from analysis.training.trainee import Trainee
from tests.training.material import bitext, chosen, trained

pytestmark = pytest.mark.fast


def hand(rows, links, language="es"):
    """A bitext of (source, target) texts with links."""
    made = tuple(Links(frozenset(one)) for one in links) if links is not None else None
    return Bitext("hand", (language, "en"), tuple(Sentence.from_words(a.split(), language) for a, _ in rows),
                  tuple(Sentence.from_words(b.split(), "en") for _, b in rows), made, "gold" if made else "")  # fmt: skip


def linked(tiny, data, **values):
    """The links of each pair as lists."""
    encoder, settings = load_encoder(tiny), chosen(**values)
    trainee = Trainee(encoder, settings, seed=0)
    examples, kept = prepare(trainee.base, [data] if isinstance(data, Bitext) else data, settings)
    return [one.tolist() for one in link(examples, kept, trainee, encoder, settings).links]


ROW = [("perro zorro banco", "dog fox banco bank")]
LINKS = [{(0, 0), (1, 1), (1, 3), (2, 2)}]


def test_one_to_one_and_identical_strings(tiny):
    assert linked(tiny, hand(ROW, LINKS)) == [[[0, 0], [2, 2]]]
    assert linked(tiny, hand(ROW, LINKS), one_to_one=False) == [[[0, 0], [1, 1], [1, 3], [2, 2]]]
    assert linked(tiny, hand(ROW, LINKS), drop_identical=True) == [[[0, 0]]]
    assert linked(tiny, hand(ROW, LINKS), specials=True) == [[[0, 0], [2, 2], [3, 4], [4, 5]]]


def without_opening_token(folder, out):
    """A copy of an encoder whose tokenizer closes a sentence but does not open it, as those of T5 do."""
    shutil.copytree(folder, out)
    tokenizer = json.loads((out / "tokenizer.json").read_text())
    single = tokenizer["post_processor"]["single"]
    tokenizer["post_processor"]["single"] = [one for one in single if one.get("SpecialToken", {}).get("id") != "<s>"]
    (out / "tokenizer.json").write_text(json.dumps(tokenizer))
    return str(out)


def test_special_tokens_that_are_not_there_are_not_linked(tiny_folders, tmp_path):
    folder = without_opening_token(tiny_folders["t5"], tmp_path / "t5")
    assert (
        load_encoder(folder).model.tokenizer("fox")["input_ids"][0] != load_encoder(folder).model.tokenizer.cls_token_id
    )
    assert linked(folder, hand(ROW, LINKS), specials=True) == [[[0, 0], [2, 2]]]
    found = trained(folder, [hand([("perro", "dog")] * 4, [{(0, 0)}] * 4)], method="cao", max_steps=1)
    assert found.links == 4


def test_nothing_left_of_the_links_is_bad_input(tiny):
    with pytest.raises(InputError, match="no pair has a word link that passes the filters"):
        linked(tiny, hand([("banco", "banco")], [{(0, 0)}]), drop_identical=True)
    with pytest.raises(InputError, match="one_to_one"):
        linked(tiny, hand([("perro zorro", "dog")], [{(0, 0), (1, 0)}]), specials=True)


def test_own_links_come_from_the_base_and_are_kept_in_the_cache(tiny, cache, monkeypatch):
    data = bitext(6)
    given = linked(tiny, data)
    assert given == [[[k, k] for k in range(len(one.spans))] for one in data.source]
    own = linked(tiny, data, links="own", link_layer=1)
    assert own != given
    made = Aligner.choose(load_encoder(tiny), layer=1, decoder="argmax", level="word").align(
        list(zip(data.source, data.target))
    )
    assert own == [[list(pair) for pair in sorted(one.one_to_one())] for one in made]
    assert linked(tiny, bitext(6, links=False), link_layer=1) == own, "data without links get the encoder's own"
    both = linked(tiny, [data, bitext(6, links=False, language="sw")], link_layer=1)
    assert both == given + own, "each bitext its own"
    found = []
    monkeypatch.setattr(store, "put", lambda key, arrays: found.append(key))
    assert linked(tiny, data, links="own", link_layer=1) == own
    assert not found, "they were made anew"
    linked(tiny, data, links="own", link_layer=2)
    assert len(found) == 1


def test_only_wanted_whole_and_short_rows():
    rows = [("perro", "dog"), ("", "dog"), ("perro", ""), ("uno dos tres cuatro", "dog"), ("zorro", "a b c d")]
    kept = select([hand(rows, None), hand(rows, None, "sw")], ("es",), chosen(max_words=3), 0)
    assert [(one.languages[0], one.row_ids) for one in kept] == [("es", ("0",))]
    kept = select([hand(rows, None)], ("es",), chosen(max_words=4), 0)
    assert kept[0].row_ids == ("0", "3", "4")
    with pytest.raises(InputError, match="max_words=3; give parallel rows"):
        select([hand(rows[1:], None)], ("es",), chosen(max_words=3), 0)


def test_rows_past_the_encoders_window_are_left_out(tiny):
    model = load_encoder(tiny).model
    rows = [("perro " * 100, "dog"), ("perro", "dog"), ("zorro", "fox " * 100)]
    examples, kept = prepare(model, [hand(rows, None)], chosen())
    assert (len(examples), kept[0].row_ids, examples.rows) == (1, ("1",), ("hand es row 1",))
    with pytest.raises(InputError, match="no sentence pair fits the encoder's 64 tokens"):
        prepare(model, [hand(rows[:1], None)], chosen())


def test_max_pairs_draws_per_bitext_by_the_seed():
    data = [bitext(50), bitext(5, seed=1)]
    first, again, other = (select(data, ("es",), chosen(max_pairs=10), seed) for seed in (0, 0, 1))
    assert [len(one) for one in first] == [10, 5]
    assert first[0].row_ids == again[0].row_ids != other[0].row_ids
    assert len(set(first[0].row_ids)) == 10
    for at, row in enumerate(first[0].row_ids):
        assert first[0].source[at] == data[0].source[int(row)]
        assert first[0].links[at] == data[0].links[int(row)]


@pytest.mark.parametrize("size", [2, 3])
def test_join_joins_text_and_shifts_links(size):
    data = bitext(11)
    found = select([data], ("es",), chosen(join=size), 0)[0]
    assert len(found) == -(-11 // size)
    rows = [[int(part) for part in name.split("+")] for name in found.row_ids]
    assert sorted(row for group in rows for row in group) == list(range(11))
    assert rows != sorted(rows), "drawn at random"
    for at, group in enumerate(rows):
        assert found.source[at].words == tuple(word for row in group for word in data.source[row].words)
        assert found.target[at].text == " ".join(data.target[row].text for row in group)
        # Word n is linked to word n in every row, so it is in the whole.
        assert found.links[at].sure == {(k, k) for k in range(len(found.source[at].spans))}
    crossed = hand([("a b", "x y z"), ("c", "v w")], [{(0, 2)}, {(0, 1)}])
    whole = select([crossed], ("es",), chosen(join=2), 0)[0]
    wanted = {"0+1": {(0, 2), (2, 4)}, "1+0": {(0, 1), (1, 4)}}[whole.row_ids[0]]
    assert whole.links[0].sure == wanted


def test_join_without_links():
    found = select([bitext(4, links=False)], ("es",), chosen(join=4), 0)[0]
    assert (len(found), found.links) == (1, None)


@pytest.mark.parametrize("count", [2, 3, 40])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_placebo_gives_every_sentence_a_wrong_translation(count, seed):
    rows = [(f"s{n}", f"t{n}") for n in range(count)]
    found = select([hand(rows, [{(0, 0)}] * count)], ("es",), chosen(placebo=True), seed)[0]
    assert found.links is None
    assert found.links_origin == ""
    assert all(a.text[1:] != b.text[1:] for a, b in zip(found.source, found.target))
    assert sorted(one.text for one in found.target) == sorted(b for _, b in rows)
    assert [one.text for one in found.source] == [a for a, _ in rows]


def test_one_pair_has_no_placebo():
    with pytest.raises(InputError):
        select([hand([("perro", "dog")], None)], ("es",), chosen(placebo=True), 0)


def test_the_placebo_of_the_cache_is_not_the_real_thing(tiny, cache):
    data = bitext(12, links=False)
    settings = chosen(placebo=True)
    wrong = select([data], ("es",), settings, 0)
    assert wrong[0].digest != data.digest
    assert linked(tiny, wrong, link_layer=1) != linked(tiny, data, link_layer=1)
    assert np.all([one.language == "es" for one in wrong[0].source])


def test_of_several_data_a_corpus_need_not_have_every_language(tmp_path):
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("en\tpt\nhello\tolá\n", "utf-8")
    found = read_pairs(["corpus:tour", str(pairs)], None, (), None, Problems(), ["en", "es", "pt"])
    assert [one.languages for one in found] == [("en", "es"), ("en", "pt")]
    with pytest.raises(InputError, match="unknown language of corpus tour 'pt'"):
        read_pairs(["corpus:tour"], None, (), None, Problems(), ["en", "pt"])
