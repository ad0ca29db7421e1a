"""`scratch`: a small untrained encoder with a tokenizer of its own, and a twin of its language to learn beside it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from analysis.cli import console, outdir
from analysis.cli.options import DataDir, Json, Seed
from analysis.errors import InputError

if TYPE_CHECKING:
    from analysis.encoders.scratch import Shape
    from analysis.text.twin import Twin

PASSAGE = 20  # sentences that stay together, in one part or the other
TWINS = ("none", "same", "inverted", "permuted")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("scratch")(scratch)


def scratch(
    text: Annotated[
        list[str],
        typer.Option("--text", metavar="FILE|corpus:NAME|set:NAME:LANGS:SPLIT", help="Sentences; repeat for several."),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Gets the encoder, its texts and a dictionary.")],
    lang: Annotated[str, typer.Option(metavar="CODE", help="Language of the text.")] = "en",
    layers: Annotated[int, typer.Option(min=1, help="Transformer blocks.")] = 4,
    dim: Annotated[int, typer.Option(min=8, help="Width.")] = 256,
    heads: Annotated[int, typer.Option(min=0, help="Attention heads; 0: one for each 64 dimensions.")] = 0,
    vocabulary: Annotated[int, typer.Option(min=50, help="Most subwords; with a twin it has half of them.")] = 8000,
    window: Annotated[int, typer.Option(min=16, help="Most tokens of a sentence.")] = 128,
    twin: Annotated[
        str, typer.Option(help="none, or the twin's word order: same, inverted, permuted; its letters are others.")
    ] = "same",
    disjoint: Annotated[
        bool, typer.Option("--disjoint", help="Language and twin get every other sentence instead of all.")
    ] = False,
    rate: Annotated[float, typer.Option(min=0, max=1, help="Share of the words that the dictionary gets.")] = 0.5,
    held_out: Annotated[int, typer.Option(min=1, help="Sentences kept apart for scoring.")] = 400,
    most: Annotated[int, typer.Option("--max-sentences", min=0, help="Drawn at random; 0 means all.")] = 0,
    seed: Seed = 0,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Make a small BERT with random weights, to be pretrained by `align`, and the twin that it learns beside."""
    from analysis.encoders.scratch import Shape, train_tokenizer, write_scratch
    from analysis.text.languages import normalise_tag

    if twin not in TWINS:
        raise InputError(f"unknown twin {twin!r}; valid: {', '.join(TWINS)}")
    tag, shape = normalise_tag(lang), Shape(layers, dim, heads, vocabulary, window)
    _ = shape.attention_heads  # refused before anything is read
    outdir.claim(out, "scratch")
    train, kept = _sentences(text, tag, data_dir, held_out, most, seed)
    made = None
    if twin != "none":
        from analysis.text.twin import make_twin

        made = make_twin([*train, *kept], tag, order=twin, seed=seed)
    outdir.write_run(out, "scratch", {"text": text, "finished": False})
    tokenizer = train_tokenizer(train, shape, made.alphabet if made else None)
    weights = write_scratch(out, tokenizer, shape, seed=seed)
    record: dict[str, Any] = {
        "text": text, "language": tag, "twin": made.tag if made else None, "order": twin, "disjoint": disjoint,
        "rate": rate, "seed": seed, "layers": layers, "dim": dim, "heads": shape.attention_heads,
        "vocabulary": len(tokenizer), "weights": weights, "trained": False, "sentences": len(train),
        "alphabet": dict(made.alphabet) if made else {},
    }  # fmt: skip
    record |= _texts(out, train, kept, made, tokenizer, disjoint=disjoint, rate=rate, seed=seed)
    _write(out / "README.md", _card(record, shape))
    outdir.write_run(out, "scratch", {**record, "finished": True})
    if as_json:
        console.emit_json({key: value for key, value in record.items() if key != "alphabet"})
        return
    console.emit(f"{out}: untrained, {layers} layers of {dim}, {len(tokenizer):,} subwords, {len(train):,} sentences")


def _sentences(
    names: Sequence[str], tag: str, data_dir: Path | None, held_out: int, most: int, seed: int
) -> tuple[list[str], list[str]]:
    """Training and held-out sentences, each once, drawn by the seed in short passages, in their order."""
    import numpy as np

    from analysis.alignment.reading import read_monolingual
    from analysis.text.problems import Problems
    from analysis.text.twin import plain

    known = ("set:", "corpus:", "upload:")
    given = [one if one.startswith(known) or one.endswith(f":{tag}") else f"{one}:{tag}" for one in names]
    problems = Problems(echo=console.report)
    found = read_monolingual(given, None, str(data_dir) if data_dir else None, problems, [tag])
    if tag not in found:
        raise InputError(f"{', '.join(names)} has no text in {tag!r}, but in {', '.join(sorted(found))}; choose --lang")
    texts = list(dict.fromkeys(line for line in (plain(one.text) for one in found[tag]) if line))
    if len(texts) < 2 * held_out:
        raise InputError(f"{len(texts)} sentences are too few to keep {held_out} apart; give more, or --held-out N")
    # Whole passages are kept apart, so that what follows what can be asked of both parts.
    starts = np.random.default_rng(seed).permutation(range(0, len(texts), PASSAGE)).tolist()
    order = [n for start in starts for n in range(start, min(start + PASSAGE, len(texts)))]
    chosen = sorted(order[held_out:][: most or None])
    return [texts[n] for n in chosen], [texts[n] for n in order[:held_out]]


def _texts(
    out: Path, train: Sequence[str], kept: Sequence[str], twin: "Twin | None", tokenizer: Any, *, disjoint: bool,
    rate: float, seed: int,
) -> dict[str, int]:  # fmt: skip
    """Write what is learned from and what is kept apart; how much it is."""
    from analysis.text.twin import aligned_lines

    split = disjoint and twin is not None
    _write(out / "text.txt", "".join(f"{line}\n" for line in (train[::2] if split else train)))
    if twin is None:
        _write(out / "dev.txt", "".join(f"{line}\n" for line in kept))
        return {"held_out": len(kept)}
    first = 1 if disjoint else 0
    numbered = list(enumerate(train))[first :: 2 if disjoint else 1]
    written = [pair[1].text for number, line in numbered if (pair := twin.pair(line, number)) is not None]
    _write(out / "twin.txt", "".join(f"{line}\n" for line in written))
    pairs = [pair for number, line in enumerate(kept, len(train)) if (pair := twin.pair(line, number)) is not None]
    _write(out / "dev.tsv", "".join(aligned_lines(pairs)))
    known, rest = _entries(train, twin, tokenizer, rate, seed)
    for name, entries in (("dictionary.tsv", known), ("dictionary-rest.tsv", rest)):
        header = f"{twin.language}\t{twin.tag}\n"
        _write(out / name, header + "".join(f"{a}\t{b}\n" for a, b in entries))
    return {"held_out": len(pairs), "dictionary": len(known), "dictionary_rest": len(rest)}


def _entries(
    train: Sequence[str], twin: "Twin", tokenizer: Any, rate: float, seed: int
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:  # fmt: skip
    """The words that are one subword each beside their twins: a random share of them, and the rest."""
    import numpy as np

    from analysis.text.segment import segment

    ids = tokenizer.get_vocab()
    occur = {line[a:b] for line in train for a, b in segment(line, twin.language)}
    words = sorted((word for word in occur if word in ids and any(map(str.isalpha, word))), key=lambda word: ids[word])
    order = np.random.default_rng([seed, 31]).permutation(len(words)).tolist()
    chosen = set(order[: round(rate * len(words))])
    pairs = [(word, twin.spell(word)) for word in words]
    return [pairs[n] for n in sorted(chosen)], [pair for n, pair in enumerate(pairs) if n not in chosen]


def _write(path: Path, text: str) -> None:
    """Write a text file whole."""
    outdir.replace_file(path, lambda draft: draft.write_text(text, "utf-8"))


def _card(record: dict[str, Any], shape: "Shape") -> str:
    """README.md of the folder."""
    language, twin = record["language"], record["twin"]
    lines = [
        "# An untrained encoder", "",
        f"BERT with random weights (seed {record['seed']}): {shape.layers} layers of {shape.dim}, "
        f"{record['heads']} heads, {record['vocabulary']:,} subwords, {record['weights']:,} weights. It has learned "
        "nothing; its vectors say only what its shape and its tokenizer do.", "",
        f"- `text.txt`: {language}, normalised (NFKC, lower case), from {', '.join(record['text'])}",
    ]  # fmt: skip
    if twin:
        pair = f"{language.replace('-', '_')}-{twin.replace('-', '_')}"
        lines += [
            f"- `twin.txt`: its twin {twin}: other letters, word order {record['order']}",
            f"- `dev.tsv`: {record['held_out']} held-out sentences beside their twins, with word links (`--langs {pair}`)",
            f"- `dictionary.tsv`, `dictionary-rest.tsv`: {record['dictionary']} words beside their twins, and the other "
            f"{record['dictionary_rest']}, which no training here sees", "",
            "Pretrain it:", "", "```",
            f"python -m analysis align align_mlm --encoder DIR --monolingual DIR/text.txt:{language} \\",
            f"    --monolingual DIR/twin.txt:{twin} --dictionary DIR/dictionary.tsv --dev DIR/dev.tsv --langs {pair} \\",
            "    --set adapter=full --set distil=0 --set head_steps=0 --set epochs=10 --out OUT", "```",
        ]  # fmt: skip
    else:
        lines += ["- `dev.txt`: held-out sentences"]
    return "\n".join(lines) + "\n"
