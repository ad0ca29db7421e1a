"""`embed`: vectors of a text file at any layers, with the table that says whose they are."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from analysis.cli import console, outdir
from analysis.cli.options import EncoderOption, NoCache, parse_layers
from analysis.encoders.vectors import Pool, Unit, Vectors
from analysis.errors import InputError

if TYPE_CHECKING:
    from analysis.encoders.encoder import Encoder
    from analysis.text.corpus import Sentence


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("embed")(embed)


def embed(
    file: Annotated[str, typer.Argument(metavar="FILE", help="UTF-8 text, one sentence a line; - is standard input.")],
    encoder: EncoderOption,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Gets vectors.npy, units.parquet and run.json.")],
    layers: Annotated[str, typer.Option(help="all, or numbers like 0,6,12; 0 is the embedding output.")] = "all",
    pool: Annotated[Pool, typer.Option(help="How the subwords of a word become one vector.")] = Pool.MEAN,
    unit: Annotated[str, typer.Option(help="word or sentence.")] = "word",
    lang: Annotated[
        str | None, typer.Option(metavar="CODE", help="Language of the file; else detected a line.")
    ] = None,
    pretokenized: Annotated[bool, typer.Option("--pretokenized", help="Words are separated by white space.")] = False,
    prefix: Annotated[str, typer.Option(help='Put before every sentence with --unit sentence ("query: ").')] = "",
    no_cache: NoCache = False,
) -> None:
    """Compute word or sentence vectors of a text file."""
    from analysis.encoders.load import load_encoder
    from analysis.text.corpus import Sentence, digest
    from analysis.text.languages import normalise_tag
    from analysis.text.load import read_sentences
    from analysis.text.problems import Problems

    if unit not in ("word", "sentence"):
        raise InputError(f"unknown unit {unit!r}; valid: word, sentence")
    model = load_encoder(encoder, prefix=prefix)
    wanted = model.check_layers(parse_layers(layers))
    outdir.claim(out, "embed")
    problems = Problems(echo=console.report)
    language = normalise_tag(lang) if lang else None
    lines = read_sentences(file, language=language, pretokenized=pretokenized, problems=problems)
    rows = [number for number, sentence in enumerate(lines) if sentence is not None]
    read: list[Sentence] = [sentence for sentence in lines if sentence is not None]
    if not read:
        raise InputError(f"{file}: no usable row; give UTF-8 text with one sentence a line")
    sentences = [Sentence.from_words(one.words, one.language) for one in read] if pretokenized else read
    if not no_cache:
        _embed_large(model, sentences, unit=Unit(unit), layers=wanted, pool=pool)
    with console.progress_bar("embedding") as progress:
        vectors = model.vectors(
            sentences, unit=Unit(unit), layers=wanted, pool=pool, cache=not no_cache, progress=progress
        )  # fmt: skip
    table = _as_read(vectors, read, rows)
    outdir.write_run(out, "embed", {"file": file, "finished": False})
    outdir.replace_file(out / "vectors.npy", lambda path: _save(path, vectors.values))
    outdir.replace_file(out / "units.parquet", lambda path: _save_table(path, table))
    languages = sorted({sentence.language for sentence in read})
    outdir.write_run(
        out, "embed",
        {"file": file, "finished": True, "text_sha256": digest(sentences), "encoder": encoder, "revision": model.revision,
         "layers": list(wanted), "pool": str(pool), "unit": unit, "prefix": prefix, "pretokenized": pretokenized,
         "languages": languages, "language_from": "--lang" if lang else "detected a line", "lines": len(lines),
         "units": len(vectors.units), "truncated": len(set(vectors.units.sentence[vectors.units.truncated].tolist())),
         "problems": [str(problem) for problem in problems]},
    )  # fmt: skip
    if vectors.units.truncated.any():
        console.warn(
            f"{file}: sentences past the encoder's limit were read in overlapping windows; see column truncated"
        )


def _embed_large(encoder: "Encoder", sentences: "Sequence[Sentence]", **options: Any) -> None:
    """Fill the cache with the vectors of a large text by a run of its own, which outlives this command's death."""
    from analysis.cli.jobs import finish, watch
    from analysis.encoders import embed_job
    from analysis.jobs import control

    if len(sentences) <= embed_job.LARGE or (run := embed_job.request(encoder, sentences, **options)) is None:
        return
    try:
        said = watch(run)
    except KeyboardInterrupt:
        control.stop(run)
        raise console.interrupted("interrupted; finished parts are kept, run the command again to go on") from None
    finish(run, said)
    control.discard(run)


def _as_read(vectors: Vectors, read: list, rows: list[int]) -> dict[str, object]:
    """The columns of units.parquet, with line numbers and the offsets of the line as it was read."""
    units = vectors.units
    columns = units.to_arrow()
    if vectors.unit is Unit.WORD:
        spans = np.array([span for sentence in read for span in sentence.spans], dtype=np.int32).reshape(-1, 2)
    else:
        spans = np.array([(0, len(sentence.text)) for sentence in read], dtype=np.int32).reshape(-1, 2)
    found: dict[str, object] = {name: columns.column(name) for name in columns.column_names}
    found["sentence"] = np.asarray(rows, dtype=np.int32)[units.sentence]
    found["start"], found["end"] = spans[:, 0], spans[:, 1]
    if vectors.unit is Unit.SENTENCE:
        found["text"] = [sentence.text.encode("utf-8", "replace").decode("utf-8") for sentence in read]
    return found


def _save(path: Path, values: np.ndarray) -> None:
    """Write an array without numpy's habit of adding a suffix."""
    with path.open("wb") as file:
        np.save(file, np.ascontiguousarray(values, dtype=np.float32), allow_pickle=False)


def _save_table(path: Path, columns: dict[str, object]) -> None:
    """Write the table as Parquet."""
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.table(columns), path)
