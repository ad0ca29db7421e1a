"""A head on an encoder of closed-form maps: every language through its own map, the network standing still."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from analysis.encoders.load import load_encoder
from analysis.errors import InputError
from analysis.text.segment import split
from analysis.transfer.item import Item
from tests.transfer.material import classes, pairs, train

pytestmark = pytest.mark.fast


@pytest.fixture
def mapped(tiny, tmp_path):
    """An aligned encoder that turns Spanish at the last layer."""
    rng = np.random.default_rng(0)
    base = load_encoder(tiny)
    turn, _ = np.linalg.qr(rng.normal(size=(base.dim, base.dim)))
    tensors = {"es/3/mean": rng.normal(size=base.dim), "es/3/weight": turn, "es/3/shift": rng.normal(size=base.dim)}
    folder = tmp_path / "mapped"
    folder.mkdir()
    save_file({key: value.astype(np.float32) for key, value in tensors.items()}, folder / "maps.safetensors")
    card = {"format": 1, "kind": "maps", "method": "rotation", "base": tiny, "base_revision": base.revision,
            "default_layer": 3, "languages": ["es"], "settings": {"anchor": "en"}}  # fmt: skip
    (folder / "isogloss.json").write_text(json.dumps(card))
    return str(folder)


@pytest.mark.parametrize("pair", ["joined", "apart"])
def test_states_are_those_of_the_encoder(mapped, pair):
    """The head's view of sentences agrees with the encoder's own vectors, language by language."""
    data = [Item("0", split("the quick fox", "en"), "same", split("un perro perezoso", "es")), *pairs().items[:5]]
    network = train(mapped, task="nli", data=pairs(), mode="probe", pair=pair)
    network.trains(False)
    batch = network.encode(data)
    view = network.view(batch)
    one = batch.first[0]
    if pair == "apart":
        found = view.second[0, batch.second[0].content[0] : batch.second[0].content[1]].mean(dim=0).numpy()
        whole = load_encoder(mapped).sentences([data[0].other], layers=[3], cache=False).values[0, 0]
        np.testing.assert_allclose(found, whole, atol=1e-4)
        first = view.first[0, one.content[0] : one.content[1]].mean(dim=0).numpy()
        np.testing.assert_allclose(
            first, load_encoder(mapped).sentences([data[0].sentence], layers=[3], cache=False).values[0, 0], atol=1e-4
        )
        return
    plain = network.trainee.base.hidden_states([one.ids], [3])[3][0].numpy()
    expected = load_encoder(mapped).apply(plain[one.second[0] : one.second[1]], "es/3")
    np.testing.assert_allclose(view.first[0, one.second[0] : one.second[1]].numpy(), expected, atol=1e-4)
    np.testing.assert_allclose(view.first[0, : one.content[1]].numpy(), plain[: one.content[1]], atol=1e-4)


def test_a_map_decides_what_is_predicted_in_its_language_only(mapped, tiny):
    with_maps, without = (train(name, mode="probe", max_steps=20, epochs=20.0) for name in (mapped, tiny))
    for network in (with_maps, without):
        network.trains(False)
    english = [network.outputs(network.encode(classes().items)).detach().numpy() for network in (with_maps, without)]
    spanish = [
        network.outputs(network.encode(classes("es").items)).detach().numpy() for network in (with_maps, without)
    ]
    np.testing.assert_allclose(english[0], english[1], atol=1e-4)
    assert not np.allclose(spanish[0], spanish[1], atol=1e-2)


def test_a_network_under_maps_does_not_train(mapped):
    with pytest.raises(InputError, match="mode=probe"):
        train(mapped)
