"""Parquet: a text column for each language, or one struct column `translation`."""

import io
from collections.abc import Iterator, Sequence
from typing import Any

from analysis.errors import InputError
from analysis.text.languages import known_tag
from analysis.text.lines import Source, opened
from analysis.text.problems import Problems
from analysis.text.rows import Reader, Row, is_row_name, only_source, segment_row

_BATCH = 4096


def read(sources: Sequence[Source], *, languages: tuple[str, ...] | None, problems: Problems) -> Iterator[Row]:
    """Yield a row for each row of the table, batch by batch; the line of a problem is the row, from 1.

    Raises:
        InputError: not one Parquet file, or no column is named by a (wanted) language code.
    """
    import pyarrow

    source = only_source(sources, "parquet")
    try:
        with opened(source) as stream:
            yield from _rows(io.BytesIO(stream.read()) if source.path is None else stream, source, languages, problems)
    except pyarrow.ArrowException as error:
        message = str(error).split("\n")[0][:120]
        raise InputError(f"{source.name} is no readable Parquet file ({message}); write it again") from None


def _rows(stream: Any, source: Source, languages: tuple[str, ...] | None, problems: Problems) -> Iterator[Row]:
    """The rows of an open file."""
    from pyarrow.parquet import ParquetFile

    file = ParquetFile(stream)
    schema = file.schema_arrow
    names = [name for name in schema.names if _holds_text(schema.field(name).type, name)]
    if not names:
        raise InputError(
            f"{source.name}: no text column is named by a language code; columns: {', '.join(schema.names)}"
        )
    number = 0
    for batch in file.iter_batches(_BATCH, columns=names):
        for at in range(batch.num_rows):
            number += 1
            try:
                record = {name: batch.column(name)[at].as_py() for name in batch.schema.names}
            except UnicodeDecodeError:
                problems.add(source.name, number, "not UTF-8; the row is left out")
                continue
            row = _row(number, record, languages)
            if row is None:
                problems.add(source.name, number, "no text in any language; the row is left out")
            else:
                yield row


def _holds_text(kind: Any, name: str) -> bool:
    """Whether a column can hold texts by language, or names its row or category."""
    from pyarrow import types

    text = types.is_string(kind) or types.is_large_string(kind)
    return (text and (known_tag(name) is not None or name == "category")) or (
        types.is_struct(kind) and name == "translation"
    )


def _row(number: int, record: dict[str, Any], languages: tuple[str, ...] | None) -> Row | None:
    """One row of the table."""
    cells = {**record, **(record.get("translation") or {})}
    texts = {tag: cell for key, cell in cells.items() if (tag := known_tag(key)) and isinstance(cell, str)}
    row_id = texts.pop("id").strip() if is_row_name(texts.get("id", "")) else ""
    sentences = segment_row(texts, languages)
    return Row(number, sentences, None, row_id, record.get("category") or "") if sentences else None


SPEC = Reader("parquet", "Parquet", ("parquet",), "A text column for each language, or a `translation` struct.", read)
