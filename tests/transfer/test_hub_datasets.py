"""`datasets:ID@CONFIG:SPLIT`: local folders and files, the hub out of reach, and what is refused."""

import json
import sys

import pytest

from analysis.errors import InputError, IsoglossError
from analysis.registry import find
from analysis.text.problems import Problems
from analysis.transfer.item import Answers, Kind
from analysis.transfer.readers import hub
from analysis.transfer.reading import read_labelled

pytestmark = pytest.mark.fast
datasets = pytest.importorskip("datasets")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "hf"))


def read(name, task, told=None):
    problems = Problems()
    try:
        return read_labelled(f"datasets:{name}", find("tasks", task), problems=problems)
    finally:
        if told is not None:
            told += [str(one) for one in problems]


def jsonl(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def parquet(path, features, columns):
    path.parent.mkdir(parents=True, exist_ok=True)
    datasets.Dataset.from_dict(columns, features=datasets.Features(features)).to_parquet(str(path))
    return path


STRING = datasets.Value("string")


def test_sentences_of_a_folder_with_named_labels(tmp_path):
    names = datasets.ClassLabel(names=["sport", "politics"])
    columns = {"text": ["a", "b", "c"], "label": [1, 0, -1], "lang": ["en", "de", "en"]}
    parquet(tmp_path / "d" / "test.parquet", {"text": STRING, "label": names, "lang": STRING}, columns)
    told = []
    found = read(tmp_path / "d", "topics", told)
    name = f"datasets:{tmp_path}/d"
    assert [(one.language, one.items[0].label, one.items[0].where) for one in found] == [
        ("en", "politics", f"{name}:1"), ("de", "sport", f"{name}:2")
    ]  # fmt: skip
    assert told == [f"warning: {name}:3: an empty text or label; the row is left out"]


def test_pairs_and_scores_of_a_file(tmp_path):
    path = jsonl(tmp_path / "p.jsonl", [{"Premise": "a", "hypothesis": "b", "label": 2, "score": 4.5}])
    (found,) = read(f"{path}@de:train", "nli")
    assert (found.language, found.items[0].other.text, found.items[0].label) == ("de", "b", "2")
    assert read(f"{path}@de", "sts")[0].items[0].label == 4.5
    table = tmp_path / "p.tsv"
    table.write_text("sentence1\tsentence2\tlabel\na, b\tc\tyes\n", "utf-8")
    (found,) = read(f"{table}@pt_BR", "paraphrase")
    assert (found.language, found.items[0].sentence.text) == ("pt-BR", "a, b")


def test_tags_of_named_numbers_become_iob2(tmp_path):
    tags = datasets.List(datasets.ClassLabel(names=["O", "I-PER", "B-PER"]))
    columns = {"tokens": [["Ann", "Bob", "ran"], ["x"], []], "ner_tags": [[1, 2, 0], [0, 0], []]}
    parquet(tmp_path / "n" / "train.parquet", {"tokens": datasets.List(STRING), "ner_tags": tags}, columns)
    told = []
    (found,) = read(f"{tmp_path}/n@en:train", "ner", told)
    assert found.items[0].label == ("B-PER", "B-PER", "O")
    assert found.items[0].sentence.words == ("Ann", "Bob", "ran")
    assert (found.language, len(found), len(told)) == ("en", 1, 2)
    assert ":2: words and tags are not two lists of one length" in told[0]


def test_tags_as_texts_by_language_and_surface_tokens(tmp_path):
    rows = [{"tokens": ["im", "in", "dem", "Haus"], "upos": ["_", "ADP", "DET", "NOUN"], "lang": "de"},
            {"tokens": ["a"], "upos": ["DET"], "lang": "en"}, {"tokens": [""], "upos": ["DET"], "lang": "en"}]  # fmt: skip
    jsonl(tmp_path / "u" / "test.jsonl", rows)
    told = []
    found = read(tmp_path / "u", "pos", told)
    assert [(one.language, one.items[0].label) for one in found] == [("de", ("ADP", "DET", "NOUN")), ("en", ("DET",))]
    assert found[0].items[0].sentence.text == "in dem Haus"
    assert len(told) == 1


def test_numbers_without_names_are_no_tags_of_spans(tmp_path):
    path = jsonl(tmp_path / "n.jsonl", [{"tokens": ["a"], "ner_tags": [0]}])
    with pytest.raises(InputError, match="numbers without names in its column 'ner_tags'"):
        read(path, "ner")
    with pytest.raises(InputError, match="no column 'upos': tokens, ner_tags; valid: upos, pos_tags"):
        read(path, "pos")


def test_questions(tmp_path, monkeypatch):
    rows = [{"id": "q1", "question": "Wer?", "context": "Ann lief.", "answers": {"text": ["Ann"], "answer_start": [0]}},
            {"id": "q2", "question": "Was?", "context": "Ann lief.", "answers": {"text": ["x"], "answer_start": [3]}},
            {"id": "q3", "question": "Wo?", "context": "Ann lief.", "answers": {"text": [], "answer_start": []}}]  # fmt: skip
    path = jsonl(tmp_path / "q.jsonl", rows)
    told = []
    problems = Problems()
    task = find("tasks", "topics")
    asked = type(task)(**{**{name: getattr(task, name) for name in task.__dataclass_fields__}, "kind": Kind.SPAN})
    (found,) = hub.read_hub(f"datasets:{path}@de", asked, problems)
    told = [str(one) for one in problems]
    (item,) = found.items
    assert (found.language, item.id, item.sentence.text, item.other.text) == ("de", "q1", "Wer?", "Ann lief.")
    assert item.label == Answers(("Ann",), (0,))
    assert len(told) == 2
    bad = jsonl(tmp_path / "bad.jsonl", [{"question": "Wer?", "context": "a"}])
    with pytest.raises(InputError, match="no column 'answers'"):
        hub.read_hub(f"datasets:{bad}", asked, problems)


def test_the_language_of_the_texts_where_nothing_says_it(tmp_path):
    text = "Die Katze sitzt auf dem Tisch und schläft"
    path = jsonl(tmp_path / "g.jsonl", [{"text": text, "label": "a"}, {"text": "ok", "label": "b"}])
    assert [(one.language, len(one)) for one in read(path, "topics")] == [("de", 2)]
    assert [hub._language(one) for one in ("de", "zh_Hant", "pt-BR", "my_config", "is_test", "all", None)] == [
        "de", "zh-Hant", "pt-BR", None, None, None, None
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("org/set", ("org/set", None, "test")), ("org/set@de:train", ("org/set", "de", "train")),
     ("set:validation", ("set", None, "validation")), ("set:train[:10%]", ("set", None, "train[:10%]")),
     ("C:\\data\\x", ("C:\\data\\x", None, "test"))],
)  # fmt: skip
def test_parts_of_a_name(name, wanted):
    asked = hub._parse(f"datasets:{name}")
    assert (asked.id, asked.config, asked.split) == wanted


def test_a_path_that_holds_the_signs(tmp_path, monkeypatch):
    path = jsonl(tmp_path / "a@b" / "train.jsonl", [{"text": "a", "label": "x"}]).parent
    assert hub._parse(f"datasets:{path}").id == str(path)
    assert [hub._parse(f"datasets:{path}:train").id, hub._parse(f"datasets:{path}@de:train").config] == [
        str(path),
        "de",
    ]
    monkeypatch.chdir(tmp_path)
    assert hub.absolute_hub("datasets:a@b:train") == f"datasets:{path}:train"
    assert hub.absolute_hub("datasets:org/set@de") == "datasets:org/set@de"


@pytest.mark.parametrize(
    ("name", "task", "message"),
    [("", "topics", "is not datasets:ID"), ("x:", "topics", "is not datasets:ID"), ("D:test", "topics", "Should be one of"),
     ("D@nope:train", "topics", "'nope' not found"), ("D:train[:x]", "topics", "Unrecognized instruction"),
     ("D:train", "nli", "without a column 'text2'"), ("E", "topics", "any data files"), ("E/x.txt", "topics", "is no .json"),
     ("E/bad.jsonl", "topics", "bad.jsonl"), ("D:train", "pos", "no column 'tokens'")],
)  # fmt: skip
def test_refusals_are_one_line(tmp_path, monkeypatch, name, task, message):
    jsonl(tmp_path / "D" / "train.jsonl", [{"text": "a", "label": "x"}])
    (tmp_path / "E").mkdir()
    if "." in name:
        (tmp_path / name).write_text('{"text":\nxx', "utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message) as error:
        read(name, task)
    assert "\n" not in str(error.value)


def test_trees_and_a_missing_package(tmp_path, monkeypatch):
    task = find("tasks", "topics")
    tree = type(task)(**{**{name: getattr(task, name) for name in task.__dataclass_fields__}, "kind": Kind.TREE})
    with pytest.raises(InputError, match="give a CoNLL-U file"):
        hub.read_hub("datasets:org/set", tree, Problems())
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(InputError, match="datasets:org/set needs the package datasets; pip install datasets"):
        read("org/set", "topics")


def test_a_hub_that_refuses(monkeypatch):
    import huggingface_hub.utils._http as http
    from huggingface_hub import constants

    monkeypatch.setattr(datasets.config, "HF_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setattr(http.time, "sleep", lambda _seconds: None)
    with pytest.raises(IsoglossError, match="cannot fetch 'datasets:no/such': the hub is out of reach") as error:
        read("no/such", "topics")
    assert not isinstance(error.value, InputError)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("raised", "kind", "message"),
    [(ConnectionError("no\nroute"), IsoglossError, "out of reach"), (TimeoutError("late"), IsoglossError, "out of reach"),
     (OSError(28, "No space left on device"), IsoglossError, "cannot load .*No space left"),
     (FileNotFoundError("not there"), InputError, "no folder here and not on the hub"),
     (RuntimeError("scripts are no\nlonger supported"), InputError, "scripts are no longer supported")],
)  # fmt: skip
def test_whatever_the_package_raises_is_one_line(monkeypatch, raised, kind, message):
    def load(*_args, **_options):
        raise raised

    monkeypatch.setattr(datasets, "load_dataset", load)
    with pytest.raises(kind, match=message) as error:
        read("org/set", "topics")
    assert type(error.value) is kind
    assert "\n" not in str(error.value)


def test_a_language_without_an_answered_question_costs_itself_only(tmp_path):
    answers = {"text": ["Ann"], "answer_start": [0]}
    rows = [{"lang": "en", "question": "Who?", "context": "Ann ran.", "answers": answers},
            {"lang": "de", "question": "Wer?", "context": "Ann lief.", "answers": {"text": [], "answer_start": []}}]  # fmt: skip
    told = []
    found = read(jsonl(tmp_path / "q.jsonl", rows), "qa", told)
    assert [one.language for one in found] == ["en"]
    assert any("de: " in str(line) and "left out" in str(line) for line in told)
