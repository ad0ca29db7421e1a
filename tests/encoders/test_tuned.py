"""Fine-tuned encoders: what is written is what `peft` and `transformers` read, and what was trained."""

import json

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from analysis.alignment.run import align
from analysis.encoders.load import load_encoder
from analysis.errors import InputError
from analysis.registry import find
from tests.training.material import bitext, chosen

pytestmark = pytest.mark.fast
SENTENCES = bitext(12, seed=4).source


def made(base, out, method="contrastive", **values):
    settings = chosen(method, **{"max_steps": 3, "lr": 0.01} | values)
    align(find("methods", method), load_encoder(str(base)), [bitext(12)], out=out, settings=settings,
          say=lambda _: None)  # fmt: skip
    return load_encoder(str(out))


def words(encoder, **options):
    return encoder.words(SENTENCES, cache=False, **options).values


def states(network, encoder):
    """Hidden states of a plain network for the encoder's own ids."""
    ids = torch.tensor([encoder.model.tokenizer(SENTENCES[0].text)["input_ids"]])
    with torch.no_grad():
        plain = network.eval()(input_ids=ids, output_hidden_states=True).hidden_states
    own = encoder.model.hidden_states([ids[0].numpy()], range(encoder.depth + 1))
    return [state[0].numpy() for state in plain], [own[layer][0].numpy() for layer in range(encoder.depth + 1)]


@pytest.mark.parametrize("family", ["bert", "xlmr", "distilbert", "modernbert", "t5"])
def test_plain_peft_reads_an_adapter(tiny_folders, tmp_path, family):
    from peft import PeftModel
    from transformers import AutoModel, T5EncoderModel

    base = tiny_folders[family]
    # More than twenty maps, which peft sums up by their endings, and few, which it does not.
    for blocks in ("all", "2-3"):
        encoder = made(base, tmp_path / blocks, blocks=blocks)
        auto = T5EncoderModel if family == "t5" else AutoModel
        plain = PeftModel.from_pretrained(auto.from_pretrained(base), tmp_path / blocks)
        theirs, ours = states(plain, encoder)
        for a, b in zip(theirs, ours):
            np.testing.assert_allclose(a, b, atol=1e-5)
        before, after = words(load_encoder(str(base))), words(encoder)
        np.testing.assert_array_equal(before[0], after[0])
        np.testing.assert_allclose(before[1], after[1], atol=1e-6 if blocks == "2-3" else 9)
        assert np.abs(before[3] - after[3]).max() > 1e-3


@pytest.mark.parametrize("family", ["bert", "xlmr", "distilbert", "modernbert"])
def test_plain_transformers_read_a_whole_network(tiny_folders, tmp_path, family):
    from transformers import AutoModel, AutoTokenizer

    encoder = made(tiny_folders[family], tmp_path / "out", "cao", adapter="full")
    assert (encoder.kind, encoder.base) == ("full", str(tiny_folders[family].resolve()))
    theirs, ours = states(AutoModel.from_pretrained(tmp_path / "out"), encoder)
    for a, b in zip(theirs, ours):
        np.testing.assert_allclose(a, b, atol=1e-5)
    assert np.abs(words(encoder) - words(load_encoder(str(tiny_folders[family])))).max() > 1e-3
    tokens = AutoTokenizer.from_pretrained(tmp_path / "out")("el zorro <s> [MASK]")["input_ids"]
    assert tokens == AutoTokenizer.from_pretrained(tiny_folders[family])("el zorro <s> [MASK]")["input_ids"]


@pytest.mark.parametrize("adapter", ["lora", "full"])
def test_strength_lies_between_the_base_and_the_trained(tiny, tmp_path, adapter):
    base = load_encoder(tiny)
    found = {s: made(tiny, tmp_path / str(s), adapter=adapter, strength=s) for s in (0.0, 0.5, 1.0)}
    np.testing.assert_allclose(words(found[0.0]), words(base), atol=1e-6)
    weights = {s: dict(one.model.network.named_parameters()) for s, one in found.items()}
    for name, one in base.model.network.named_parameters():
        halfway = (one + weights[1.0][name]) / 2
        torch.testing.assert_close(weights[0.5][name], halfway, atol=1e-6, rtol=1e-5)
    far, near = (np.abs(words(found[s]) - words(base)).max() for s in (1.0, 0.5))
    assert far > near > 1e-4


def test_the_blocks_are_the_adapters_own_and_the_embeddings_are_shared(tiny, tmp_path):
    encoder = made(tiny, tmp_path / "out")
    ours, base = (dict(one.model.network.named_parameters()) for one in (encoder, encoder.base_encoder))
    assert ours.keys() == base.keys()
    for name, one in ours.items():
        assert (one is base[name]) is (".layer." not in name)
    assert encoder.revision.startswith(base_revision := encoder.base_encoder.revision)
    assert encoder.revision != base_revision


def test_nothing_of_this_machine_is_in_the_adapter(tiny, tmp_path):
    made(tiny, tmp_path / "out")
    config = json.loads((tmp_path / "out" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "xlmr"
    assert config["inference_mode"] is True
    assert config["lora_alpha"] == 2 * config["r"] == 4
    files = {path.name for path in (tmp_path / "out").iterdir()}
    assert files == {"adapter_config.json", "adapter_model.safetensors", "isogloss.json", "README.md"}
    text = (tmp_path / "out" / "adapter_config.json").read_text()
    assert str(tmp_path) not in text
    assert "/" not in text.replace(config["base_model_name_or_path"], "")
    stored = load_file(tmp_path / "out" / "adapter_model.safetensors")
    assert all("lora_" in key for key in stored)


@pytest.mark.parametrize(("name", "wanted"), [("hub:org/model@main", "org/model"),
                                              ("bundled", "intfloat/multilingual-e5-small")])  # fmt: skip
def test_a_public_base_is_named_as_the_hub_names_it(tiny, tmp_path, monkeypatch, name, wanted):
    from analysis.alignment.method import AlignmentData
    from analysis.encoders.encoder import Encoder

    local = load_encoder(tiny)
    encoder = Encoder(name, revision="r", depth=3, dim=16, folder=lambda: local._folder())
    spec = find("methods", "contrastive")
    fitted = spec.fit(encoder, AlignmentData((bitext(6),)), chosen(max_steps=1), say=lambda _: None)
    fitted.write(tmp_path)
    text = (tmp_path / "adapter_config.json").read_text()
    assert json.loads(text)["base_model_name_or_path"] == wanted
    assert "/" not in text.replace(wanted, "")


def test_the_card_says_what_was_done(tiny, tmp_path):
    card = made(tiny, tmp_path / "out", max_steps=2).card
    assert (card["steps"], card["kept_step"], card["pairs"], card["precision"]) == (2, 2, {"es": 12}, "float32")
    assert card["links_used"] == sum(len(one.spans) for one in bitext(12).source)
    assert card["settings"]["rank"] == 2
    assert "the weights of step 2 were kept" in (tmp_path / "out" / "README.md").read_text()


@pytest.fixture(scope="module")
def good(tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    made(tiny, folder / "out", max_steps=1)
    return {path.name: path.read_bytes() for path in (folder / "out").iterdir()}


class TestBroken:
    """Folders that are not whole say so in one line."""

    def refused(self, folder, good, **changed):
        folder.mkdir()
        for name, content in (good | changed).items():
            if content is not None:
                (folder / name).write_bytes(content)
        with pytest.raises(InputError) as caught:
            words(load_encoder(str(folder)))
        assert "\n" not in str(caught.value)
        return str(caught.value)

    def test_weights(self, good, tmp_path):
        name = "adapter_model.safetensors"
        assert "no adapter_model.safetensors" in self.refused(tmp_path / "a", good, **{name: None})
        assert "cannot be loaded" in self.refused(tmp_path / "b", good, **{name: good[name][:100]})
        assert "cannot be loaded" in self.refused(tmp_path / "c", good, **{"adapter_config.json": b"{"})
        (tmp_path / name).write_bytes(good[name])
        tensors = load_file(tmp_path / name)
        tensors.pop(sorted(tensors)[0])
        save_file(tensors, tmp_path / name)
        fewer = self.refused(tmp_path / "d", good, **{name: (tmp_path / name).read_bytes()})
        assert "does not fit its base" in fewer

    def test_another_base(self, good, tmp_path, tiny_folders):
        card = json.loads(good["isogloss.json"]) | {"base": str(tiny_folders["distilbert"])}
        text = self.refused(tmp_path / "e", good, **{"isogloss.json": json.dumps(card).encode()})
        assert "train it anew" in text
