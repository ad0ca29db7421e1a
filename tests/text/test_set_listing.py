"""Which public sets a form offers: those whose files are there, training and development apart."""

import pytest

from analysis.text.set_listing import DEV, TRAIN, list_sets

pytestmark = pytest.mark.fast


@pytest.fixture
def sets(tmp_path):
    """A folder with the file names of a few sets."""
    for name in ("tatoeba/de-en.de", "tatoeba/de-en.en", "wordalign_xlwa/en-es/dev.tsv", "multi30k/train.en.gz",
                 "multi30k/train.de.gz", "xnli/dev-en.tsv.gz", "xnli/dev-fr.tsv.gz"):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def test_training_sets_are_those_with_a_training_split_and_tatoeba(sets):
    found = {one.key: one.languages for one in list_sets(TRAIN, data_dir=sets)}
    assert found["set:tatoeba:test"] == ("en", "de")
    assert found["set:multi30k:train"] == ("en", "de")
    assert found["set:xnli:dev-a"] == ("en", "fr")
    assert not any(key.endswith(":dev") for key in found)


def test_development_sets_never_have_a_test_split(sets):
    found = {one.key: one.gold for one in list_sets(DEV, data_dir=sets)}
    assert found["set:wordalign_xlwa:dev"]
    assert not any(key.endswith((":test", ":train", "dev-a")) for key in found)
    # The whole of dev would have the half that is trained on.
    assert [key for key in found if "xnli" in key] == ["set:xnli:dev-b"]


def test_names_for_two_and_more_languages(sets):
    one = next(one for one in list_sets(TRAIN, data_dir=sets) if one.set == "tatoeba")
    assert one.name(("en", "de")) == "set:tatoeba:en-de:test"
    assert one.name(("en", "de", "fr")) == "set:tatoeba:en,de,fr:test"


def test_nothing_where_nobody_said_where(monkeypatch):
    monkeypatch.delenv("ISOGLOSS_DATA", raising=False)
    assert list_sets(TRAIN) == []
