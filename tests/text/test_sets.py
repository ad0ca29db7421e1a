"""The public sets, where ISOGLOSS_DATA or the usual folder beside the checkout has them."""

import os
from pathlib import Path

import pytest

from analysis.errors import InputError
from analysis.text.load import load_bitexts
from analysis.text.sets import load_set

pytestmark = pytest.mark.fast
DATA = Path(os.environ.get("ISOGLOSS_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason="the public sets are not here; name their folder by ISOGLOSS_DATA"
)


def load(name):
    return load_set(name, data_dir=DATA)


@needs_data
@pytest.mark.parametrize(
    ("name", "pairs", "rows"),
    [
        ("tatoeba:en-de:test", 1, 1000),
        ("tatoeba:sw-en:test", 1, 390),
        ("sib200:en,de,th:dev", 2, 99),
        ("sib200:all:dev", 30, 99),
        ("xnli:en-sw:dev", 1, 3320),
        ("xnli:en-sw:dev-a", 1, 1660),
        ("xnli:en-sw:test", 1, 6680),
        ("multi30k:de-cs:dev", 1, 1014),
        ("multi30k:all:test", 3, 1000),
        ("lafand_en_sw:en-sw:dev", 1, 1791),
        ("wordalign_xlwa:en-es:test", 1, 245),
        ("wordalign_awesome:en-fr:test", 1, 447),
        ("bli_xling:en-fi:test", 1, 2000),
        ("xquad:en-th:test", 1, 1190),
    ],
)
def test_counts_are_those_of_the_readmes(name, pairs, rows):
    bitexts = load(f"set:{name}")
    assert (len(bitexts), {len(bitext) for bitext in bitexts}) == (pairs, {rows})


@needs_data
def test_xnli_halves_are_disjoint_and_aligned():
    (whole,), (a,), (b,) = (load(f"set:xnli:en-de:{part}") for part in ("dev", "dev-a", "dev-b"))
    source = [s.text for s in whole.source]
    assert sorted([s.text for s in a.source] + [s.text for s in b.source]) == sorted(source)
    # Premise and three hypotheses go in fours: the first four are of premise 0, the next four of premise 1.
    assert [s.text for s in a.source[:4]] == source[:4]
    assert [s.text for s in b.source[:4]] == source[4:8]


@needs_data
def test_awesome_links_are_counted_from_one_in_the_file():
    (bitext,) = load("set:wordalign_awesome:en-fr:test")
    assert sum(len(links.sure) for links in bitext.links) == 4038
    assert sum(len(links.possible) for links in bitext.links) == 4038 + 13400
    assert bitext.links_origin == "gold"
    assert all(
        links.inside(len(s.spans), len(t.spans))
        for links, s, t in zip(bitext.links, bitext.source, bitext.target, strict=True)
    )


@needs_data
def test_pairs_turn_round_with_their_links():
    (forth,), (back,) = load("set:wordalign_xlwa:en-ru:dev"), load("set:wordalign_xlwa:ru-en:dev")
    assert back.languages == ("ru", "en")
    assert {(j, i) for i, j in forth.links[0].sure} == back.links[0].sure
    assert load("set:wordalign_xlwa:en-ru:train")[0].links_origin == "silver"


@needs_data
def test_stsb_sentences_do_not_repeat():
    (bitext,) = load("set:stsb_multi:en-de:dev")
    texts = [sentence.text for sentence in bitext.source]
    assert len(texts) == len(set(texts)) > 2500
    assert texts[:2] == ["A man with a hard hat is dancing.", "A man wearing a hard hat is dancing."]


@needs_data
def test_pairs_without_english_start_from_the_first():
    assert [bitext.languages for bitext in load("set:sib200:ru,de,th:dev")] == [("ru", "de"), ("ru", "th")]


@needs_data
def test_langs_choose_among_several_pairs():
    (bitext,) = load_bitexts("set:sib200:en,de,th:dev", langs="th-en", data_dir=DATA)
    assert bitext.languages == ("th", "en")


@needs_data
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("set:tatoeba:en-de:dev", "split"),
        ("set:tatoeba:de-fr:test", "en-fr"),
        ("set:sib200:en-xx:dev", "xx"),
        ("set:nope:en-de:test", "unknown set"),
        ("set:udpos:all:dev", "no parallel text"),
        ("set:sib200:en-en:dev", "twice"),
        ("set:sib200:english:dev", "language pair"),
        ("set:sib200", "set:NAME:LANGS:SPLIT"),
        ("set:../x:all:test", "unknown set"),
    ],
)
def test_what_a_set_does_not_have(name, said):
    with pytest.raises(InputError, match=said):
        load(name)


def test_without_a_folder_the_remedy_is_named(monkeypatch, tmp_path):
    monkeypatch.delenv("ISOGLOSS_DATA", raising=False)
    with pytest.raises(InputError, match="ISOGLOSS_DATA"):
        load_set("set:tatoeba:en-de:test")
    with pytest.raises(InputError, match="--data-dir"):
        load_set("set:tatoeba:en-de:test", data_dir=tmp_path)


def test_a_set_of_one_s_own_folder(monkeypatch, tmp_path):
    folder = tmp_path / "tatoeba"
    folder.mkdir()
    (folder / "de-en.en").write_text("It's here.\nYes\n")
    (folder / "de-en.de").write_text("Es ist da.\nJa\n")
    monkeypatch.setenv("ISOGLOSS_DATA", str(tmp_path))
    (bitext,) = load_set("set:tatoeba:all:test")
    assert (bitext.name, bitext.languages) == ("set:tatoeba:en-de:test", ("en", "de"))
    assert bitext.source[0].words == ("It's", "here", ".")
