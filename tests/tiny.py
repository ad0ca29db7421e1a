"""Tiny random encoders with WordPiece, BPE and Unigram tokenizers, made without a download."""

from pathlib import Path

TEXT = [
    "the quick brown fox jumps over the lazy dog",
    "el rápido zorro marrón salta sobre el perro perezoso",
    "быстрая коричневая лиса прыгает через ленивую собаку",
    "敏捷的棕色狐狸跳过懒狗 素早い茶色の狐",
    "الثعلب البني السريع يقفز فوق الكلب الكسول",
    "तेज भूरी लोमड़ी आलसी कुत्ते के ऊपर कूदती है",
    "a bank account at the river bank in spring, 3.5 euros!",
]
FAMILIES = {
    "bert": "wordpiece",
    "xlmr": "unigram",
    "distilbert": "wordpiece",
    "modernbert": "bpe",
    "t5": "unigram",
}
SPECIALS = {
    "wordpiece": ("[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]"),
    "bpe": ("[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]"),
    "unigram": ("<s>", "<pad>", "</s>", "<unk>", "<mask>"),
}
WIDTH, DEPTH, POSITIONS = 16, 3, 64


def make_tokenizer(kind):
    """A trained tokenizer of one kind."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

    cls, pad, sep, unk, mask = SPECIALS[kind]
    specials = [cls, pad, sep, unk, mask]
    if kind == "wordpiece":
        built = Tokenizer(models.WordPiece(unk_token=unk))
        built.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=True)
        built.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(vocab_size=300, special_tokens=specials, show_progress=False)
    elif kind == "bpe":
        built = Tokenizer(models.BPE())
        built.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(
            vocab_size=400, special_tokens=specials, show_progress=False, initial_alphabet=alphabet
        )
    else:
        built = Tokenizer(models.Unigram())
        built.normalizer = normalizers.NFKC()
        built.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
        trainer = trainers.UnigramTrainer(vocab_size=300, special_tokens=specials, unk_token=unk, show_progress=False)
    built.train_from_iterator(TEXT, trainer)
    ids = built.get_vocab()
    second = ":1" if kind == "wordpiece" else ""  # BERT tells the two texts of a pair apart
    built.post_processor = processors.TemplateProcessing(
        single=f"{cls} $A {sep}",
        pair=f"{cls} $A {sep} $B{second} {sep}{second}",
        special_tokens=[(cls, ids[cls]), (sep, ids[sep])],
    )
    return built


def make_config(family, vocab):
    """The `transformers` configuration of one family."""
    from transformers import BertConfig, DistilBertConfig, ModernBertConfig, T5Config, XLMRobertaConfig

    common = {"vocab_size": vocab, "hidden_size": WIDTH, "num_hidden_layers": DEPTH, "num_attention_heads": 2}
    small = {"intermediate_size": 32, "max_position_embeddings": POSITIONS, "pad_token_id": 1}
    if family == "bert":
        return BertConfig(**common, **small)
    if family == "xlmr":
        return XLMRobertaConfig(**common, **(small | {"max_position_embeddings": POSITIONS + 2}))
    if family == "distilbert":
        return DistilBertConfig(
            vocab_size=vocab, dim=WIDTH, n_layers=DEPTH, n_heads=2, hidden_dim=32,
            max_position_embeddings=POSITIONS, pad_token_id=1,
        )  # fmt: skip
    if family == "modernbert":
        ends = {"bos_token_id": 0, "eos_token_id": 2, "cls_token_id": 0, "sep_token_id": 2}
        return ModernBertConfig(**common, **small, **ends, local_attention=16)
    return T5Config(
        vocab_size=vocab, d_model=WIDTH, num_layers=DEPTH, num_heads=2, d_kv=8, d_ff=32, pad_token_id=1,
        decoder_start_token_id=1,
    )  # fmt: skip


def write_tiny(folder: Path, family: str, seed: int = 0) -> Path:
    """Write a random encoder of a family into a folder and return the folder."""
    import torch
    from transformers import AutoModel, PreTrainedTokenizerFast, T5EncoderModel

    kind = FAMILIES[family]
    tokenizer = make_tokenizer(kind)
    roles = dict(zip(("cls_token", "pad_token", "sep_token", "unk_token", "mask_token"), SPECIALS[kind], strict=True))
    names = ["input_ids", *(["token_type_ids"] if family == "bert" else []), "attention_mask"]
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=POSITIONS, model_input_names=names, **roles
    )
    torch.manual_seed(seed)
    config = make_config(family, len(fast))
    network = T5EncoderModel(config) if family == "t5" else AutoModel.from_config(config)
    network.save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder
