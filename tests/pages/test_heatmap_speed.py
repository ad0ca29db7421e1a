"""The time of a decoder beside its choice on the heatmap page."""

import re

import pytest

pytestmark = pytest.mark.fast


@pytest.mark.parametrize("decoder", ["argmax", "ot_unbalanced"])
def test_heatmap_says_how_long_the_decoder_takes(run_page, decoder):
    app = run_page("heatmap", decoder=decoder)
    assert not app.exception
    (shown,) = [caption.value for caption in app.caption if "1,000 pairs like this one" in caption.value]
    assert float(re.search(r"Decoding takes ([\d.,]+) s ", shown)[1].replace(",", "")) >= 0
