"""`random:BASE`: the shape and tokenizer of an encoder, nothing of what it has learned."""

import numpy as np
import pytest

from analysis.encoders.load import load_encoder
from analysis.encoders.names import Kind, resolve
from analysis.errors import InputError
from tests.encoders.test_vectors import SENTENCES
from tests.tiny import FAMILIES

pytestmark = pytest.mark.fast


@pytest.mark.parametrize("family", FAMILIES)
def test_same_shape_other_weights(family, tiny_folders):
    base = load_encoder(str(tiny_folders[family]))
    control = load_encoder(f"random:{tiny_folders[family]}#3")  # seed 0 made the tiny encoder itself
    assert (control.depth, control.dim) == (base.depth, base.dim)
    assert control.revision != base.revision
    one, other = (encoder.words(SENTENCES, cache=False) for encoder in (base, control))
    assert one.units.text == other.units.text
    assert np.isfinite(other.values).all()
    for layer in range(1, base.depth + 1):
        assert not np.allclose(one.layer(layer), other.layer(layer), atol=1e-2)


def test_a_seed_is_a_draw(tiny):
    first, again, second = (
        load_encoder(name).words(SENTENCES, cache=False).values
        for name in (f"random:{tiny}", f"random:{tiny}#0", f"random:{tiny}#1")
    )
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, second, atol=1e-2)


def test_the_draw_leaves_the_global_seed_and_the_base_alone(tiny):
    import torch

    base = load_encoder(tiny)
    before = base.words(SENTENCES, cache=False).values
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    load_encoder(f"random:{tiny}").words(SENTENCES, cache=False)
    assert torch.rand(1) == expected
    np.testing.assert_array_equal(before, base.words(SENTENCES, cache=False).values)


def test_the_grammar(tiny):
    found = resolve(f"random:{tiny}#7")
    assert (found.kind, found.base, found.revision) == (Kind.RANDOM, tiny, "7")
    with pytest.raises(InputError, match="names no base"):
        resolve("random:")
    with pytest.raises(InputError, match="unknown encoder"):
        resolve("random:nothing")
    with pytest.raises(InputError, match="no base encoder"):
        resolve(f"random:random:{tiny}")
    with pytest.raises(InputError, match="no base encoder"):
        resolve("random:bundled+rotation")
