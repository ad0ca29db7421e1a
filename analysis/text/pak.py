"""Chromium's `.pak` files: numbered resources, one after the other, behind a table of offsets.

All numbers are little-endian.

    version 4   u32 version, u32 resources, u8 encoding
    version 5   u32 version, u8 encoding, 3 bytes of padding, u16 resources, u16 aliases
    both        (resources + 1) x (u16 id, u32 offset from the start of the file), ascending by id; the last
                one only ends the one before it
    version 5   aliases x (u16 id, u16 position of the resource in the table above)

Encoding is 0 (binary), 1 (UTF-8) or 2 (UTF-16) and holds for all texts of the file. A resource is text unless
it is binary in itself, such as a compressed page; nothing says which, so a resource that cannot be decoded is
taken for binary.

Source: tools/grit/grit/format/data_pack.py and ui/base/resource/data_pack.cc of the Chromium sources.
"""

import struct
from collections.abc import Iterator
from itertools import pairwise

from analysis.errors import IsoglossError

_ENTRY, _ALIAS = struct.Struct("<HI"), struct.Struct("<HH")
_CODECS = {1: "utf-8", 2: "utf-16-le"}


def read_texts(content: bytes) -> dict[int, str]:
    """The texts of a locale file by resource id; an alias has the text of the resource it stands for.

    Args:
        content: all bytes of the file.

    Raises:
        IsoglossError: another version, no text encoding, or a table that points past the end.
    """
    try:
        encoding, resources, aliases, at = _read_header(content)
        entries, at = _read_table(_ENTRY, content, at, resources + 1)
        pointers, _ = _read_table(_ALIAS, content, at, aliases)
        targets = {identifier: entries[position][0] for identifier, position in pointers}
    except (struct.error, IndexError) as error:
        raise IsoglossError("the .pak file ends within its table; fetch it again") from error
    if entries[-1][1] > len(content):
        raise IsoglossError(f"the .pak file has {len(content)} bytes, its table says {entries[-1][1]}; fetch it again")
    if encoding not in _CODECS:
        raise IsoglossError(f"the .pak file has encoding {encoding}, no text; valid: 1 (UTF-8), 2 (UTF-16)")
    texts = dict(_decode(content, entries, _CODECS[encoding]))
    return texts | {identifier: texts[target] for identifier, target in targets.items() if target in texts}


def _read_header(content: bytes) -> tuple[int, int, int, int]:
    """Encoding, number of resources and of aliases, and where the table begins."""
    (version,) = struct.unpack_from("<I", content)
    if version == 4:
        resources, encoding = struct.unpack_from("<IB", content, 4)
        return encoding, resources, 0, 9
    if version == 5:
        encoding, resources, aliases = struct.unpack_from("<B3xHH", content, 4)
        return encoding, resources, aliases, 12
    raise IsoglossError(f"the .pak file has version {version}; valid: 4, 5")


def _read_table(row: struct.Struct, content: bytes, at: int, rows: int) -> tuple[list[tuple[int, int]], int]:
    """A table of pairs of numbers, and where it ends."""
    end = at + rows * row.size
    if end > len(content):
        raise struct.error("the table is cut off")
    return list(row.iter_unpack(content[at:end])), end


def _decode(content: bytes, entries: list[tuple[int, int]], codec: str) -> Iterator[tuple[int, str]]:
    """The resources that are text."""
    for (identifier, start), (_, end) in pairwise(entries):
        try:
            yield identifier, content[start:end].decode(codec)
        except UnicodeDecodeError:
            continue
