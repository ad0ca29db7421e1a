"""Encoders trained here: free names, renaming, deleting, one file to take away."""

import json

import pytest

from analysis.encoders.names import aligned_folders, encoder_roots
from analysis.encoders.trained import (
    check_free,
    delete_encoder,
    free_name,
    full_name,
    rename_encoder,
    trained_folder,
    zip_encoder,
)
from analysis.errors import InputError

pytestmark = pytest.mark.fast


@pytest.fixture
def mine(cache):
    """Makes the folder of a trained encoder."""

    def make(name, base="bundled"):
        folder = trained_folder(name)
        folder.mkdir(parents=True)
        (folder / "isogloss.json").write_text(json.dumps({"base": base}), "utf-8")
        (folder / "maps.safetensors").write_bytes(b"0" * 1000)
        return folder

    return make


@pytest.mark.parametrize("name", ["", "Mine", "a b", "../x", "a+b", "ä", "x" * 200])
def test_what_is_no_name_is_refused(cache, name):
    with pytest.raises(InputError, match="no encoder name"):
        check_free(name)


def test_taken_names_are_refused_and_a_free_one_is_found(mine):
    mine("one")
    with pytest.raises(InputError, match="there already"):
        check_free("one")
    with pytest.raises(InputError, match="there already"):
        check_free(next(path.name for path in encoder_roots()[0].iterdir() if path.is_dir()))
    assert check_free("two") == "two"
    assert free_name("one") == "one-2"
    assert free_name("one", {"one-2"}) == "one-3"


def test_a_renamed_encoder_is_found_under_its_new_name(mine):
    folder = rename_encoder(mine("one"), "two")
    assert full_name(folder) == "bundled+two"
    assert "bundled+one" not in [name for name, _, _ in aligned_folders()]


def test_what_others_stand_on_can_be_neither_renamed_nor_deleted(mine):
    folder = mine("one")
    mine("top", "bundled+one")
    with pytest.raises(InputError, match="bundled\\+one\\+top stands on it"):
        rename_encoder(folder, "two")
    with pytest.raises(InputError, match="delete that one first"):
        delete_encoder(folder)
    delete_encoder(trained_folder("top"))
    delete_encoder(folder)
    assert not folder.exists()


def test_shipped_encoders_and_other_folders_stay(cache, tmp_path):
    shipped = next(path for path in encoder_roots()[0].iterdir() if path.is_dir())
    for folder in (shipped, tmp_path):
        with pytest.raises(InputError, match="no encoder trained here"):
            delete_encoder(folder)
    assert shipped.exists()


def test_only_an_encoder_is_packed(tmp_path):
    with pytest.raises(InputError, match="no encoder in"):
        zip_encoder(tmp_path)
