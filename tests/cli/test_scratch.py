"""`scratch`: a folder that is an encoder, a vocabulary in two halves, and what is learned from beside it."""

import json
import random

import pytest

from analysis.cli import run
from analysis.encoders.load import load_encoder
from analysis.encoders.scratch import Shape, twin_shift, twin_vocabulary
from analysis.errors import InputError
from analysis.text.dictionary import load_dictionary
from analysis.text.load import load_bitexts

pytestmark = pytest.mark.fast
WORDS = [
    "the",
    "quick",
    "brown",
    "fox",
    "jumps",
    "over",
    "a",
    "lazy",
    "dog",
    "while",
    "river",
    "banks",
    "don't",
    "flood",
    "in",
    "spring",
    "and",
    "12",
    "birds",
    "sing",
]
SMALL = ["--layers", "2", "--dim", "16", "--heads", "2", "--vocabulary", "160", "--window", "32", "--held-out", "12"]


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    chance = random.Random(5)
    lines = {" ".join(chance.choices(WORDS, k=chance.randint(3, 8))).capitalize() + "." for _ in range(150)}
    path = tmp_path_factory.mktemp("scratch") / "lines.txt"
    path.write_text("\n".join(sorted(lines)) + "\n", "utf-8")
    return path


@pytest.fixture(scope="module")
def made(text):
    out = text.parent / "made"
    assert run(["scratch", "--text", str(text), *SMALL, "--twin", "inverted", "--out", str(out)]) == 0
    return out


def test_the_folder_is_an_untrained_encoder(made):
    encoder = load_encoder(str(made))
    assert (encoder.depth, encoder.dim) == (2, 16)
    vectors = encoder.vectors(
        list(load_bitexts(str(made / "dev.tsv"), langs="en-en_Cans_x_twin")[0].source), layers=[2]
    )
    assert vectors.layer(2).any()
    assert "untrained" in (made / "README.md").read_text("utf-8")
    assert json.loads((made / "run.json").read_text("utf-8"))["trained"] is False


def test_every_subword_has_its_twin_half_a_vocabulary_further_on(made):
    tokenizer = load_encoder(str(made)).model.tokenizer
    record = json.loads((made / "run.json").read_text("utf-8"))
    table = str.maketrans(record["alphabet"])
    size, shift = len(tokenizer), twin_shift(len(tokenizer))
    assert size == record["vocabulary"] <= 160
    assert size == 5 + 2 * shift
    pieces = tokenizer.convert_ids_to_tokens(list(range(size)))
    for at in range(5, 5 + shift):
        mark = "##" if pieces[at].startswith("##") else ""
        assert pieces[at + shift] == mark + pieces[at].removeprefix("##").translate(table)
    dev = load_bitexts(str(made / "dev.tsv"), langs="en-en_Cans_x_twin")[0]
    for source, target in zip(dev.source, dev.target, strict=True):
        first, second = (tokenizer(" ".join(side), add_special_tokens=False)["input_ids"]
                         for side in (source.words, target.words[::-1]))  # fmt: skip
        assert [one + shift for one in first] == second
        assert tokenizer.unk_token_id not in first


def test_texts_dictionaries_and_held_out_rows_belong_together(made, text):
    train = (made / "text.txt").read_text("utf-8").splitlines()
    twin = (made / "twin.txt").read_text("utf-8").splitlines()
    assert len(train) == len(twin) == len(text.read_text("utf-8").splitlines()) - 12
    dev = load_bitexts(str(made / "dev.tsv"), langs="en-en_Cans_x_twin")[0]
    assert len(dev) == 12
    assert all(len(one.sure) == len(side.words) for one, side in zip(dev.links, dev.source))
    assert not {" ".join(side.words).replace(" ", "") for side in dev.source} & {
        line.replace(" ", "") for line in train
    }
    known, rest = (load_dictionary(made / name) for name in ("dictionary.tsv", "dictionary-rest.tsv"))
    assert known.languages == rest.languages == ("en", "en-Cans-x-twin")
    assert not set(known.entries) & set(rest.entries)
    assert abs(len(known) - len(rest)) <= 1
    tokenizer = load_encoder(str(made)).model.tokenizer
    for word, other in known.entries:
        (piece,), (image,) = (tokenizer(one, add_special_tokens=False)["input_ids"] for one in (word, other))
        assert image == piece + twin_shift(len(tokenizer))


def test_the_same_seed_gives_the_same_encoder_and_it_replaces_only_its_own(made, text, tmp_path, capsys):
    again = tmp_path / "again"
    arguments = ["scratch", "--text", f"{text}:en", *SMALL, "--twin", "inverted", "--out"]
    assert run([*arguments, str(again)]) == 0
    for name in ("model.safetensors", "tokenizer.json", "text.txt", "twin.txt", "dev.tsv", "dictionary.tsv"):
        assert (again / name).read_bytes() == (made / name).read_bytes(), name
    assert run([*arguments, str(again)]) == 0
    other = tmp_path / "other"
    other.mkdir()
    (other / "mine.txt").write_text("mine")
    assert run([*arguments, str(other)]) == 2
    assert "not an earlier run of 'scratch'" in capsys.readouterr().err


def test_without_a_twin_and_with_other_sentences_for_the_twin(text, tmp_path):
    plain, apart = tmp_path / "plain", tmp_path / "apart"
    assert run(["scratch", "--text", str(text), *SMALL, "--twin", "none", "--out", str(plain)]) == 0
    assert not (plain / "twin.txt").exists()
    assert len((plain / "dev.txt").read_text("utf-8").splitlines()) == 12
    assert run(["scratch", "--text", str(text), *SMALL, "--disjoint", "--out", str(apart)]) == 0
    lines = [(apart / name).read_text("utf-8").splitlines() for name in ("text.txt", "twin.txt")]
    alphabet = json.loads((apart / "run.json").read_text("utf-8"))["alphabet"]
    back = str.maketrans({image: char for char, image in alphabet.items()})
    assert not set(lines[0]) & {line.translate(back) for line in lines[1]}
    assert len(lines[0]) + len(lines[1]) == len((plain / "text.txt").read_text("utf-8").splitlines())


def test_it_is_pretrained_by_align(made, tmp_path):
    out = tmp_path / "trained"
    code = run(
        ["align", "align_mlm", "--encoder", str(made), "--monolingual", f"{made}/text.txt:en",
         "--monolingual", f"{made}/twin.txt:en-Cans-x-twin", "--dictionary", f"{made}/dictionary.tsv", "--out", str(out),
         *(part for one in ("adapter=full", "distil=0", "head_steps=0", "max_steps=3") for part in ("--set", one))]
    )  # fmt: skip
    assert code == 0
    card = json.loads((out / "isogloss.json").read_text("utf-8"))
    assert [one["language"] for one in card["text"]] == ["en", "en-Cans-x-twin"], "the twin's language is as named"
    tables = [load_encoder(str(one)).model.network.get_input_embeddings().weight for one in (made, out)]
    assert not (tables[0] == tables[1]).all()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--twin", "odd"], "unknown twin 'odd'; valid: none, same"),
        (["--dim", "30", "--heads", "4"], "no multiple of 4 attention heads"),
        (["--held-out", "5000"], "too few to keep 5000 apart"),
        (["--lang", "english"], "is not a language code"),
    ],
)
def test_refusals_are_one_line(text, tmp_path, capsys, given, said):
    assert run(["scratch", "--text", str(text), *SMALL, *given, "--out", str(tmp_path / "no")]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error:")]
    assert len(lines) == 1
    assert said in lines[0]
    assert not (tmp_path / "no" / "model.safetensors").exists()


def test_a_vocabulary_is_doubled_in_order():
    assert twin_vocabulary(["a", "##b", "!", "7"], {"a": "x", "b": "y", "7": "9"}) == ["a", "##b", "7", "x", "##y", "9"]
    assert twin_shift(5 + 6) == 3
    assert Shape(dim=256).attention_heads == 4
    with pytest.raises(InputError, match="no multiple"):
        _ = Shape(dim=100, heads=3).attention_heads


def test_a_file_of_text_may_name_its_language(tmp_path):
    from analysis.alignment.reading import read_monolingual
    from analysis.text.problems import Problems

    for name in ("plain.txt", "odd:en"):
        (tmp_path / name).write_text("the dog sleeps\n", "utf-8")
    read = lambda name: list(read_monolingual([str(tmp_path / name)], None, None, Problems()))
    assert read("plain.txt:qaa") == ["qaa"]
    assert read("plain.txt:ZH_hant") == ["zh-Hant"]
    assert read("odd:en") == ["en"], "a file of that name is that file, its language detected"
    with pytest.raises(InputError, match="no such file"):
        read("absent.txt:de")
