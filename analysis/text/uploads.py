"""Uploaded and pasted text, kept by content in the cache folder so that a link restores a view."""

import hashlib
import json
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePath

from analysis.errors import InputError, unknown
from analysis.registry import registered
from analysis.store import cache_folder, new_folder
from analysis.text.corpus import Corpus, Sentence
from analysis.text.identify import identify_columns, identify_lines
from analysis.text.lines import Source, printable, split_lines
from analysis.text.load import read_corpus
from analysis.text.problems import Problems, excerpt
from analysis.text.rows import split_parts, wanted_tags
from analysis.text.segment import split
from analysis.text.sniff import sniff

MAX_BYTES = 200 * 2**20
MAX_ROWS = 100_000
MY_TEXT = "my text"
_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Upload:
    """What is known of a stored upload without reading it.

    Attributes:
        id: the first 16 hex digits of the hash of its content, format and languages.
        name: the file's name, or "my text".
        reader: name of its format.
        languages: the languages somebody chose, () for those the file names or that are identified.
        size: bytes.
    """

    id: str
    name: str
    reader: str
    languages: tuple[str, ...]
    size: int


def save_upload(name: str, data: bytes, *, reader: str | None = None, languages: Sequence[str] | None = None) -> str:
    """Store an upload and return its id; the same content, format and languages give the same id.

    Args:
        name: the file's name as the browser gave it; only its last part is kept, and only as a label.
        data: the file's bytes.
        reader: name of the format, None to guess it; `my text` for pasted text.
        languages: tags, None to go by the file.

    Raises:
        InputError: nothing in it, too large, an unknown format or language.
        IsoglossError: the cache folder cannot be written.
    """
    if not data:
        raise InputError(f"{excerpt(name)} is empty; give a file with at least one line")
    if len(data) > MAX_BYTES:
        raise InputError(f"{excerpt(name)} has {len(data) >> 20} MB; at most {MAX_BYTES >> 20} MB, so split it")
    chosen = reader or sniff(name, data[:65536])
    if chosen != MY_TEXT and chosen not in registered("readers"):
        raise unknown("format", chosen, registered("readers"))
    tags = wanted_tags(languages) or ()
    label = printable(PurePath(name.replace("\\", "/")).name)[:200] or "upload"
    state = hashlib.sha256(json.dumps([chosen, tags]).encode())
    state.update(data)
    upload = Upload(state.hexdigest()[:16], label, chosen, tags, len(data))
    folder = _root() / upload.id
    if not folder.exists():
        with new_folder(folder) as draft:
            (draft / "data").write_bytes(data)
            (draft / "meta.json").write_text(json.dumps(asdict(upload), ensure_ascii=False, indent=1), "utf-8")
    return upload.id


def save_text(text: str, languages: Sequence[str] | None = None) -> str:
    """Store pasted text and return its id.

    Raises:
        InputError: nothing in it, or too long.
    """
    return save_upload(MY_TEXT, text.encode("utf-8", "surrogatepass"), reader=MY_TEXT, languages=languages)


def load_upload(upload_id: str) -> tuple[Corpus, Problems]:
    """The corpus in a stored upload and the problems of its rows; at most 100,000 rows are read.

    Raises:
        InputError: no such upload, or no usable row in it.
    """
    upload = find_upload(upload_id)
    source = Source(upload.name, data=(_root() / upload.id / "data").read_bytes())
    tags = upload.languages or None
    if upload.reader == MY_TEXT:
        return parse_my_text((source.data or b"").decode("utf-8", "surrogatepass"), tags)
    problems = Problems()
    identifier = f"upload-{upload.id}"
    corpus = read_corpus(
        [source], reader=upload.reader, languages=tags, problems=problems, identifier=identifier, max_rows=MAX_ROWS
    )
    return corpus, problems


def find_upload(upload_id: str) -> Upload:
    """What is known of one upload.

    Raises:
        InputError: the id is none, or nothing is stored under it.
    """
    if not _ID.fullmatch(str(upload_id)):
        raise InputError(
            f"{str(upload_id)[:40]!r} is not an upload id; valid: 16 hex digits, as the data page shows them"
        )
    upload = _read(_root() / upload_id)
    if upload is None:
        raise InputError(f"no upload {upload_id} on this server; upload the file again")
    return upload


def list_uploads() -> list[Upload]:
    """All stored uploads, by name."""
    root = _root()
    folders = [path for path in root.iterdir() if _ID.fullmatch(path.name)] if root.is_dir() else []
    found = [upload for folder in folders if (upload := _read(folder)) is not None]
    return sorted(found, key=lambda upload: (upload.name, upload.id))


def delete_upload(upload_id: str) -> None:
    """Delete one upload.

    Raises:
        InputError: there is none with that id.
    """
    shutil.rmtree(_root() / find_upload(upload_id).id, ignore_errors=True)


def parse_my_text(text: str, languages: Iterable[str] | None = None) -> tuple[Corpus, Problems]:
    """A corpus of text somebody typed: one row a line, languages separated by ` ||| `.

    Args:
        text: the content of the box.
        languages: the language of each part in order; None to identify them: over the whole column where
            lines have several parts, else line by line.

    Raises:
        InputError: no line with text.
    """
    problems = Problems()
    lines = [(number, split_parts(line)) for number, line in enumerate(split_lines(text), start=1) if line.strip()]
    if len(lines) > MAX_ROWS:
        problems.add(MY_TEXT, lines[MAX_ROWS][0], f"only the first {MAX_ROWS:,} rows are read; the rest is left out")
        lines = lines[:MAX_ROWS]
    rows: list[dict[str, Sentence]] = []
    row_ids = []
    for (number, parts), tags in zip(lines, _part_tags(lines, wanted_tags(languages)), strict=True):
        if len(parts) > len(tags):
            problems.add(MY_TEXT, number, f"{len(parts)} parts where {len(tags)} languages belong; the row is left out")
            continue
        row = {tag: split(part, tag) for tag, part in zip(tags, parts, strict=False) if part}
        if not row:
            problems.add(MY_TEXT, number, "no text between the separators; the row is left out")
            continue
        rows.append(row)
        row_ids.append(str(number))
    if not rows:
        raise InputError("my text has no line with text; write one row a line, languages separated by ` ||| `")
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    corpus = Corpus(f"text-{digest}", "My text", tuple(rows), tuple(row_ids), source="typed or pasted")
    return corpus, problems


def _part_tags(lines: Sequence[tuple[int, list[str]]], given: tuple[str, ...] | None) -> list[tuple[str, ...]]:
    """The language of each part of each line."""
    if given is not None:
        return [given] * len(lines)
    widths = Counter(len(parts) for _, parts in lines)
    if set(widths) <= {1}:
        return [(guess.tag,) for guess in identify_lines(parts[0] for _, parts in lines)]
    width = min(widths, key=lambda parts: (parts == 1, -widths[parts], -parts))
    columns = [[parts[at] for _, parts in lines if len(parts) > at] for at in range(width)]
    return [identify_columns(columns, distinct=True)] * len(lines)


def _root() -> Path:
    """The folder of the uploads."""
    return cache_folder() / "uploads"


def _read(folder: Path) -> Upload | None:
    """The meta data of one folder, None where it is not an upload."""
    try:
        meta = json.loads((folder / "meta.json").read_text("utf-8"))
        meta["languages"] = tuple(meta["languages"])
        return Upload(**meta)
    except (OSError, ValueError, TypeError, KeyError):
        return None
