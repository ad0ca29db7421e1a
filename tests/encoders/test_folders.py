"""Folders that cannot be loaded get one clear line, and none of them runs code."""

import json
import pickle
import shutil

import pytest

from analysis.encoders.load import load_encoder
from analysis.errors import InputError
from analysis.text.corpus import Sentence

pytestmark = pytest.mark.fast
SENTENCE = [Sentence.from_words(["a", "b"])]


class Bomb:
    """Unpickling this writes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.fixture
def copy(tmp_path, tiny_folders):
    """A copy of a tiny encoder, to be broken."""
    return shutil.copytree(tiny_folders["bert"], tmp_path / "copy")


def message(folder):
    with pytest.raises(InputError) as caught:
        load_encoder(str(folder)).words(SENTENCE, cache=False)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_pickle_is_refused_and_never_opened(copy, tmp_path):
    (copy / "model.safetensors").unlink()
    (copy / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb(tmp_path / "boom")))
    assert "a pickle, which is never opened" in message(copy)
    assert not (tmp_path / "boom").exists()


def test_a_pickle_beside_safetensors_is_not_opened(copy, tmp_path):
    (copy / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb(tmp_path / "boom")))
    assert load_encoder(str(copy)).words(SENTENCE, cache=False).values.shape[1] == 2
    assert not (tmp_path / "boom").exists()


def test_remote_code_is_refused(copy, tmp_path):
    config = json.loads((copy / "config.json").read_text())
    (copy / "evil.py").write_text(f"open({str(tmp_path / 'boom')!r}, 'w')")
    config |= {"model_type": "evil", "auto_map": {"AutoConfig": "evil.C", "AutoModel": "evil.M"}}
    (copy / "config.json").write_text(json.dumps(config))
    assert "remote code" in message(copy)
    assert not (tmp_path / "boom").exists()


def test_no_config(tmp_path):
    assert "config.json" in message(tmp_path)


def test_config_that_is_not_json(copy):
    (copy / "config.json").write_text("{")
    assert "config.json cannot be read" in message(copy)


def test_no_weights(copy):
    (copy / "model.safetensors").unlink()
    assert "no weights" in message(copy)


def test_broken_weights(copy):
    (copy / "model.safetensors").write_bytes(b"not safetensors")
    assert "cannot be loaded" in message(copy)


def test_weights_that_lack_layers(copy):
    from safetensors.torch import load_file, save_file

    weights = load_file(copy / "model.safetensors")
    kept = {key: value for key, value in weights.items() if "layer.1" not in key}
    save_file(kept, copy / "model.safetensors", metadata={"format": "pt"})
    assert "lacks weights" in message(copy)


def test_no_tokenizer(copy):
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (copy / name).unlink()
    assert "has no tokenizer" in message(copy)


def test_the_revision_follows_the_weights(copy, cache):
    before = load_encoder(str(copy)).revision
    assert before == load_encoder(str(copy)).revision
    content = bytearray((copy / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (copy / "model.safetensors").write_bytes(content)
    assert load_encoder(str(copy)).revision != before
