"""The grammar of encoder names and the listing of encoders."""

import json

import pytest

from analysis.encoders.catalog import list_encoders
from analysis.encoders.names import Kind, resolve
from analysis.errors import InputError

pytestmark = pytest.mark.fast


@pytest.fixture
def aligned(cache):
    """A trained encoder `bundled+mine` in the cache folder."""
    folder = cache / "encoders" / "mine"
    folder.mkdir(parents=True)
    (folder / "isogloss.json").write_text(json.dumps({"base": "bundled", "kind": "maps", "method": "rotation"}))
    return folder


def test_bundled_and_hub():
    assert resolve("bundled").kind is Kind.BUNDLED
    found = resolve("hub:intfloat/multilingual-e5-small@v1.0")
    assert (found.kind, found.repo, found.revision) == (Kind.HUB, "intfloat/multilingual-e5-small", "v1.0")
    assert resolve("hub:google/mt5-small").revision is None


def test_a_path_comes_before_everything_else(tmp_path, monkeypatch, tiny_folders):
    (tmp_path / "bundled").symlink_to(tiny_folders["bert"])
    monkeypatch.chdir(tmp_path)
    assert resolve("bundled").kind is Kind.FOLDER


def test_a_stray_folder_hides_no_encoder(tmp_path, monkeypatch):
    (tmp_path / "bundled").mkdir()
    monkeypatch.chdir(tmp_path)
    assert resolve("bundled").kind is Kind.BUNDLED
    with pytest.raises(InputError, match="holds no config.json"):
        resolve("./bundled")


def test_an_encoder_that_stands_on_itself_is_bad_input(tmp_path):
    from analysis.encoders.load import load_encoder

    (tmp_path / "isogloss.json").write_text(json.dumps({"base": str(tmp_path), "kind": "maps"}))
    with pytest.raises(InputError, match="stands on itself"):
        load_encoder(str(tmp_path))


def test_aligned_by_name_and_by_path(aligned):
    found = resolve("bundled+mine")
    assert (found.kind, found.base, found.folder) == (Kind.ALIGNED, "bundled", aligned)
    assert resolve(str(aligned)).kind is Kind.ALIGNED
    assert "bundled+mine" in [entry.name for entry in list_encoders()]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nope", "unknown encoder 'nope'"),
        ("", "empty"),
        ("hub:", "no hub name"),
        ("hub:a b/c", "no hub name"),
        ("./nowhere", "does not exist"),
        ("bundled+Not!ok", "no encoder name"),
        ("bundled+absent", "unknown encoder"),
        ("hub:org/name+mine", "stands on 'bundled'; use bundled+mine"),
        ("a\0b", "empty"),
        ("~nobody-here/x", "does not exist"),
        ("x" * 300, "unknown encoder"),
    ],
)
def test_a_name_that_cannot_exist_is_one_line_of_bad_input(aligned, name, says):
    with pytest.raises(InputError, match="valid|use|here") as caught:
        resolve(name)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_broken_card_is_named(aligned):
    (aligned / "isogloss.json").write_text("{")
    with pytest.raises(InputError, match="isogloss.json cannot be read"):
        resolve(str(aligned))
    assert "bundled+mine" not in [entry.name for entry in list_encoders()]


def test_a_file_is_no_encoder(tmp_path):
    (tmp_path / "model.pkl").write_bytes(b"\x80\x04.")
    with pytest.raises(InputError, match="is a file, not an encoder"):
        resolve(str(tmp_path / "model.pkl"))
