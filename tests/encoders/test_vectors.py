"""Word, subword and sentence vectors of every tokenizer family."""

import unicodedata

import numpy as np
import pytest

from analysis.encoders.load import load_encoder
from analysis.encoders.vectors import Pool, Unit
from analysis.errors import InputError
from analysis.text.corpus import Sentence
from tests.tiny import DEPTH, FAMILIES, TEXT, WIDTH

pytestmark = pytest.mark.fast
SENTENCES = tuple(Sentence.from_words(line.split(), "en") for line in TEXT)


@pytest.fixture(scope="module", params=FAMILIES)
def encoder(request, tiny_folders):
    return load_encoder(str(tiny_folders[request.param]))


def text_without_marks(word):
    """The word without the marks at its end, which accent-stripping tokenizers drop."""
    while unicodedata.combining(word[-1]) or unicodedata.category(word[-1]).startswith("M"):
        word = word[:-1]
    return word


def by_hand(encoder, text, spans, layer):
    """Mean of the subwords of each word, by one plain call of the model."""
    import torch

    model = encoder.model
    coded = model.tokenizer(text, return_offsets_mapping=True, return_special_tokens_mask=True)
    ids = torch.tensor([coded["input_ids"]])
    with torch.inference_mode():
        states = model.network(input_ids=ids, attention_mask=torch.ones_like(ids), output_hidden_states=True)
    states = states.hidden_states[layer][0].numpy()
    rows = []
    for start, end in spans:
        mine = [
            n
            for n, (a, b) in enumerate(coded["offset_mapping"])
            if a < end and b > start and text[a:b].strip() and not coded["special_tokens_mask"][n]
            and model.tokenizer.convert_ids_to_tokens(coded["input_ids"][n]) not in ("▁", "Ġ")
        ]  # fmt: skip
        rows.append(states[mine].mean(axis=0))
    return np.stack(rows)


def test_words_are_the_mean_of_their_subwords_at_every_layer(encoder):
    found = encoder.words(SENTENCES, cache=False)
    assert found.values.shape == (DEPTH + 1, sum(len(s.spans) for s in SENTENCES), WIDTH)
    for layer in range(DEPTH + 1):
        expected = np.concatenate([by_hand(encoder, s.text, s.spans, layer) for s in SENTENCES])
        np.testing.assert_allclose(found.layer(layer), expected, atol=1e-5)


@pytest.mark.parametrize("budget", [8, 64, 4096])
def test_vectors_do_not_depend_on_batch_or_order(encoder, budget, monkeypatch):
    alone = np.concatenate([encoder.words([s], cache=False).values for s in SENTENCES], axis=1)
    monkeypatch.setattr("analysis.encoders.encoder.TOKENS_PER_BATCH", budget)
    together = encoder.words(SENTENCES, cache=False)
    np.testing.assert_allclose(together.values, alone, atol=1e-5)
    turned = encoder.words(SENTENCES[::-1], cache=False)
    for n in range(len(SENTENCES)):
        mine = turned.values[:, turned.units.sentence == len(SENTENCES) - 1 - n]
        np.testing.assert_allclose(mine, together.values[:, together.units.sentence == n], atol=1e-5)


def test_a_lower_layer_is_the_same_when_the_pass_stops_there(encoder):
    full = encoder.words(SENTENCES, cache=False)
    for layer in range(DEPTH):
        np.testing.assert_array_equal(
            encoder.words(SENTENCES, layers=[layer], cache=False).values[0], full.layer(layer)
        )
    assert encoder.model.blocks is not None, "this family should be able to stop early"


def test_first_and_last_are_single_subwords(encoder):
    pieces = encoder.subwords(SENTENCES, layers=[1], cache=False)
    for pool, pick in ((Pool.FIRST, 0), (Pool.LAST, -1)):
        words = encoder.words(SENTENCES, layers=[1], pool=pool, cache=False)
        for n, (sentence, position) in enumerate(zip(words.units.sentence, words.units.position, strict=True)):
            mine = np.flatnonzero((pieces.units.sentence == sentence) & (pieces.units.position == position))
            np.testing.assert_allclose(words.values[0, n], pieces.values[0, mine[pick]], atol=1e-6)


def test_subwords_cover_their_words(encoder):
    pieces = encoder.subwords(SENTENCES, layers=[0], cache=False).units
    for n, sentence in enumerate(SENTENCES):
        for position, (start, end) in enumerate(sentence.spans):
            mine = np.flatnonzero((pieces.sentence == n) & (pieces.position == position))
            assert pieces.start[mine].min() <= start
            bare = text_without_marks(sentence.text[start:end])
            assert pieces.end[mine].max() >= start + len(bare)


def test_sentence_is_the_mean_without_special_tokens(encoder):
    import torch

    found = encoder.sentences(SENTENCES, cache=False)
    for n, sentence in enumerate(SENTENCES):
        coded = encoder.model.tokenizer(sentence.text)["input_ids"]
        ids = torch.tensor([coded])
        with torch.inference_mode():
            state = encoder.model.network(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state[0]
        np.testing.assert_allclose(found.layer(DEPTH)[n], state[1:-1].mean(0).numpy(), atol=1e-5)
    first = encoder.sentences(SENTENCES, pool="first", cache=False).layer(DEPTH)[-1]
    np.testing.assert_allclose(first, state[0].numpy(), atol=1e-5)


def test_long_sentence_is_read_in_windows_and_says_so(encoder):
    words = " ".join(TEXT).split() * 12
    found = encoder.words([Sentence.from_words(words), SENTENCES[0]], cache=False)
    assert found.values.shape[1] == len(words) + len(SENTENCES[0].spans)
    assert found.units.truncated[: len(words)].all()
    assert not found.units.truncated[len(words) :].any()
    assert np.abs(found.values[:, : len(words)]).sum(axis=2).min() > 0


def test_layers_come_ascending_without_repeats(encoder):
    assert encoder.words(SENTENCES, layers=[2, 0, 2], cache=False).layers == (0, 2)
    with pytest.raises(InputError, match="valid: 0 to 3"):
        encoder.words(SENTENCES, layers=[4])


def test_special_tokens_in_the_text_are_text(encoder):
    mark = encoder.model.tokenizer.cls_token
    found = encoder.words([Sentence.from_words(["a", mark, "b"])], cache=False)
    assert np.abs(found.values).sum(axis=2).min() > 0
    special = encoder.model.tokenizer(f"a {mark} b", return_special_tokens_mask=True)["special_tokens_mask"]
    assert special == [1, *[0] * (len(special) - 2), 1]


def test_hostile_text_never_raises(encoder):
    texts = ["", " ", "\ud800x", "a\u200bb", "\u202eabc", "👩\u200d👩\u200d👧", "<b>&amp;</b>", "x" * 3000, "\x00"]
    sentences = [Sentence(text, "en", ((0, len(text)),) if text.strip() else ()) for text in texts]
    for unit in Unit:
        found = encoder.vectors(sentences, unit=unit, cache=False)
        assert np.isfinite(found.values).all()
    assert len(encoder.sentences(sentences, cache=False).units) == len(texts)


def test_no_sentence_gives_no_vectors(encoder):
    for unit in Unit:
        assert encoder.vectors([], unit=unit, cache=False).values.shape == (DEPTH + 1, 0, WIDTH)


def test_cached_vectors_are_the_computed_ones(encoder, cache):
    for unit in Unit:
        fresh = encoder.vectors(SENTENCES, unit=unit)
        again = encoder.vectors(SENTENCES, unit=unit)
        np.testing.assert_array_equal(fresh.values, again.values)
        assert fresh.units.text == again.units.text
        np.testing.assert_array_equal(fresh.units.position, again.units.position)
    assert len(list((cache / "vectors").glob("*/key.json"))) == len(Unit)
