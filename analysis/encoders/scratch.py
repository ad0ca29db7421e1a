"""A small encoder with random weights and a tokenizer of its own, to be pretrained from nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.errors import InputError

CLS, PAD, SEP, UNK, MASK = SPECIALS = ("[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]")
CONTINUED = "##"


@dataclass(frozen=True)
class Shape:
    """How large an encoder is to be.

    Attributes:
        layers: transformer blocks.
        dim: width; the inner layers are four times as wide.
        heads: of attention; 0 means one for each 64 dimensions.
        vocabulary: most subwords, special ones included.
        window: most tokens of a sentence.
    """

    layers: int = 4
    dim: int = 256
    heads: int = 0
    vocabulary: int = 8000
    window: int = 128

    @property
    def attention_heads(self) -> int:
        """The number of attention heads.

        Raises:
            InputError: it does not divide the width.
        """
        heads = self.heads or max(1, self.dim // 64)
        if self.dim % heads:
            raise InputError(f"dim={self.dim} is no multiple of {heads} attention heads; give another dim, or --heads")
        return heads


def twin_vocabulary(pieces: Iterable[str], alphabet: Mapping[str, str]) -> list[str]:
    """Subwords of a language followed by the same subwords in its twin's letters, in the same order.

    Args:
        pieces: WordPiece subwords without special ones; those in which nothing has an image are left out.
        alphabet: the image of each character.
    """
    table = str.maketrans(dict(alphabet))
    known: dict[str, str] = {}
    for piece in pieces:
        body = piece.removeprefix(CONTINUED)
        image = body.translate(table)
        if image != body:
            known[piece] = piece[: len(piece) - len(body)] + image
    return [*known, *known.values()]


def train_tokenizer(texts: Iterable[str], shape: Shape, alphabet: Mapping[str, str] | None = None) -> Any:
    """A fast WordPiece tokenizer; with an alphabet its second half are the subwords of the twin.

    Args:
        texts: in the language.
        shape: size of the vocabulary and of the window.
        alphabet: the image of each character in the twin; None where there is no twin.

    Returns:
        A `PreTrainedTokenizerFast`: specials first, subword v has its twin at v + half of the rest.
    """
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    def built(model: Any) -> Any:
        """A tokenizer around a model; accents are letters here."""
        made = Tokenizer(model)
        made.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=False)
        made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        return made

    room = shape.vocabulary - len(SPECIALS)
    if room < 2 * len(SPECIALS):
        raise InputError(f"--vocabulary {shape.vocabulary} is too small; give at least {3 * len(SPECIALS)}")
    learner, texts = built(models.WordPiece(unk_token=UNK)), list(texts)
    inner = _inner_letters(learner, texts)
    size = (room if alphabet is None else room // 2) + len(SPECIALS)
    learner.train_from_iterator(
        texts, trainers.WordPieceTrainer(vocab_size=size, special_tokens=[*SPECIALS, *inner], show_progress=False)
    )
    by_id = sorted(learner.get_vocab().items(), key=lambda item: item[1])
    pieces = [piece for piece, _ in by_id if piece not in SPECIALS]
    if alphabet is not None:
        pieces = twin_vocabulary(pieces, alphabet)
    ids = {piece: number for number, piece in enumerate([*SPECIALS, *pieces])}
    made = built(models.WordPiece(ids, unk_token=UNK))
    made.post_processor = processors.TemplateProcessing(
        single=f"{CLS} $A {SEP}", pair=f"{CLS} $A {SEP} $B {SEP}", special_tokens=[(CLS, ids[CLS]), (SEP, ids[SEP])]
    )
    made.add_special_tokens(list(SPECIALS))
    roles = {"cls_token": CLS, "pad_token": PAD, "sep_token": SEP, "unk_token": UNK, "mask_token": MASK}
    return PreTrainedTokenizerFast(tokenizer_object=made, model_max_length=shape.window, **roles)


def _inner_letters(learner: Any, texts: Iterable[str]) -> list[str]:
    """`##a` for every character that goes on with a word, in order.

    Left to itself, the trainer numbers them in an order that differs from run to run, and then ties fall otherwise.
    """
    found: set[str] = set()
    for text in texts:
        for word, _ in learner.pre_tokenizer.pre_tokenize_str(learner.normalizer.normalize_str(text)):
            found.update(word[1:])
    return [CONTINUED + char for char in sorted(found)]


def twin_shift(vocabulary: int) -> int:
    """How far a subword's twin stands behind it."""
    return (vocabulary - len(SPECIALS)) // 2


def write_scratch(folder: Path, tokenizer: Any, shape: Shape, *, seed: int) -> int:
    """Write an untrained BERT with its tokenizer, an encoder name from now on.

    Args:
        folder: where to.
        tokenizer: from `train_tokenizer`.
        shape: depth, width and window.
        seed: of the weights.

    Returns:
        The number of its weights.

    Raises:
        InputError: the width does not go with the number of attention heads.

    Source: Devlin et al. 2019, BERT; sizes after Turc et al. 2019, Well-read students learn better.
    """
    import torch
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=shape.dim, num_hidden_layers=shape.layers,
        num_attention_heads=shape.attention_heads, intermediate_size=4 * shape.dim,
        max_position_embeddings=shape.window, type_vocab_size=1, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = BertModel(config)
    folder.mkdir(parents=True, exist_ok=True)
    network.save_pretrained(folder, safe_serialization=True)
    tokenizer.save_pretrained(folder)
    return sum(one.numel() for one in network.parameters())
