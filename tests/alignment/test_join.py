"""One adapter out of a chain of runs."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from analysis.alignment.join import join_adapters
from analysis.alignment.run import align
from analysis.alignment.strength import rescale
from analysis.encoders.load import load_encoder
from analysis.encoders.tuned import ADAPTER, ADAPTER_CONFIG
from analysis.errors import InputError
from analysis.registry import find
from analysis.settings import parse_settings
from tests.test_registered import bitext

pytestmark = pytest.mark.fast


def trained(base, out, method, *settings):
    spec = find("methods", method)
    chosen = parse_settings(
        spec.settings, ["max_steps=3", "epochs=3", "lr=0.01", "join=1", "stored=float32", *settings]
    )
    return align(
        spec, load_encoder(str(base)), [bitext()], out=out, settings=chosen, command=f"align {method}", say=str
    )


@pytest.fixture(scope="module")
def chain(tiny, tmp_path_factory):
    """A tiny encoder trained by `contrastive`, and that one by `cao` in other blocks, at another rank and strength."""
    root = tmp_path_factory.mktemp("chain")
    first = trained(tiny, root / "first", "contrastive", "rank=2")
    second = trained(first, root / "second", "cao", "rank=3", "blocks=2-3", "strength=0.5", "layers=last")
    return first, second


def vectors(name):
    return load_encoder(str(name)).words(bitext().source, cache=False).values


def test_the_joined_adapter_is_the_chain(chain, tiny, tmp_path):
    folder = join_adapters(str(chain[1]), tmp_path / "joined", say=str)
    np.testing.assert_allclose(vectors(folder), vectors(chain[1]), atol=2e-5)
    assert np.abs(vectors(folder) - vectors(chain[0])).max() > 1e-3
    assert load_encoder(str(folder)).base == tiny


def test_a_chain_of_three_and_embeddings(chain, tmp_path):
    third = trained(chain[1], tmp_path / "third", "contrastive", "rank=2", "embeddings=true")
    folder = join_adapters(str(third), tmp_path / "joined", say=str)
    np.testing.assert_allclose(vectors(folder), vectors(third), atol=2e-5)


def test_a_smaller_rank_is_the_nearest_change(chain, tmp_path):
    whole, most = (join_adapters(str(chain[1]), tmp_path / name, rank=rank, say=str)
                   for name, rank in (("whole", 0), ("most", 4)))  # fmt: skip
    sides = []
    for folder in (whole, most):
        tensors, config = load_file(folder / ADAPTER), json.loads((folder / ADAPTER_CONFIG).read_text("utf-8"))
        assert config["lora_alpha"] == config["r"]
        sides.append({key.replace("lora_A", "lora"): tensors[key.replace("lora_A", "lora_B")] @ one
                      for key, one in tensors.items() if "lora_A" in key})  # fmt: skip
    for key, change in sides[0].items():
        u, values, vh = torch.linalg.svd(change, full_matrices=False)
        torch.testing.assert_close(sides[1][key], u[:, :4] * values[:4] @ vh[:4], atol=1e-5, rtol=1e-4)
    with pytest.raises(InputError, match="--rank 6 is out of range; valid: 1 to 5"):
        join_adapters(str(chain[1]), tmp_path / "out", rank=6)


def test_the_card_tells_of_every_run_and_of_no_score(chain, tmp_path):
    folder = join_adapters(str(chain[1]), tmp_path / "joined", say=str)
    card = json.loads((folder / "isogloss.json").read_text("utf-8"))
    assert [one["method"] for one in card["stages"]] == ["contrastive", "cao"]
    assert card["command"].splitlines()[:2] == ["align contrastive", "align cao"]
    assert card["command"].splitlines()[2].startswith("python -m analysis join --encoder")
    assert len(card["data"]) == 1, "the same text is named once"
    assert "development" not in card
    page = (folder / "README.md").read_text("utf-8")
    assert "with the methods `contrastive`, then `cao`" in page
    assert "Settings of `contrastive`: " in page
    assert "Settings of `cao`: " in page


def test_development_scores_are_against_the_first_base(chain, tiny, tmp_path):
    folder = join_adapters(str(chain[1]), tmp_path / "joined", dev=[bitext()], say=str)
    card = json.loads((folder / "isogloss.json").read_text("utf-8"))
    from analysis.scoring.evaluate import evaluate

    assert card["development"][0]["base"] == evaluate("word_retrieval", load_encoder(tiny), bitext()).score
    assert card["links"]["chosen_on"]


def test_what_cannot_be_joined_is_refused(chain, tiny, tmp_path):
    for name in (tiny, str(chain[0])):
        with pytest.raises(InputError, match="one run or none"):
            join_adapters(name, tmp_path / "out")
    full = trained(chain[0], tmp_path / "full", "cao", "adapter=full")
    last = trained(full, tmp_path / "last", "cao")
    with pytest.raises(InputError, match="is no LoRA adapter"):
        join_adapters(str(last), tmp_path / "out")
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").write_text("x")
    with pytest.raises(InputError, match="not an empty folder"):
        join_adapters(str(chain[1]), tmp_path / "used")
    assert not (tmp_path / "out").exists()


def test_a_share_of_a_joined_change(chain, tiny, tmp_path):
    folder = join_adapters(str(chain[1]), tmp_path / "joined", say=str)
    np.testing.assert_allclose(vectors(rescale(str(folder), 0.0, tmp_path / "none")), vectors(tiny), atol=1e-6)
