"""Which reader fits a file: by its ending first, by its content where the ending says nothing."""

import codecs
import re
import zlib
from pathlib import PurePath

from analysis.registry import registered
from analysis.text.rows import read_header, split_parts

LINKS = re.compile(r"(?:\d+[-p]\d+)(?:\s+\d+[-p]\d+)*\s*")
_LOOK = 50


def sniff(name: str, head: bytes) -> str:
    """The name of the reader that fits an upload.

    Args:
        name: the file's name, also with `.gz`.
        head: its first bytes, packed or not.

    Returns:
        A registered reader; `lines` where nothing else fits.
    """
    head = _unpacked(head)
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"PK\x03\x04"):
        return "moses"
    if b"<tmx" in head[:4096].replace(b"\0", b""):
        return "tmx"
    ending = PurePath(name.lower().removesuffix(".gz")).suffix.removeprefix(".")
    lines = head_lines(head)
    if ending in ("tsv", "tab", "csv"):
        return sniff_lines(lines, fallback="tsv" if ending != "csv" else "csv")
    for reader in registered("readers").values():
        if ending in reader.extensions and reader.name != "lines":
            return reader.name
    return sniff_lines(lines)


def sniff_lines(lines: list[str], *, fallback: str = "lines") -> str:
    """The name of the reader that fits the first lines of a text."""
    filled = [line for line in lines[:_LOOK] if line.strip()]
    if not filled:
        return fallback
    if "\t" in filled[0] and read_header(filled[0].split("\t"), None) is not None and fallback != "csv":
        return "tsv"
    if any(len(split_parts(line)) > 1 for line in filled):
        return "fastalign"
    if filled[0].lstrip().startswith("{"):
        return "jsonl"
    cells = [line.split("\t") for line in filled]
    if any(len(row) == 10 and row[0][:1].isdigit() for row in cells):
        return "conllu"
    if any(len(row) == 3 and LINKS.fullmatch(row[2]) for row in cells):
        return "aligned_tsv"
    for delimiter in ",;":
        row = filled[0].split(delimiter)
        if len(row) > 1 and read_header([cell.strip('"') for cell in row], None) is not None:
            return "csv"
    return fallback


def head_lines(head: bytes) -> list[str]:
    """The whole lines in the first bytes of a file, as far as they are UTF-8."""
    text = head.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace")
    lines = text.split("\n")
    return [line.removesuffix("\r") for line in (lines[:-1] if len(lines) > 1 else lines)]


def _unpacked(head: bytes) -> bytes:
    """The first bytes, unpacked if they are gzip."""
    if not head.startswith(b"\x1f\x8b"):
        return head
    try:
        return zlib.decompressobj(wbits=31).decompress(head, 65536)
    except zlib.error:
        return head
