r"""The one place where bytes become lines.

UTF-8, a byte-order mark dropped, gzip undone; a line ends at \n or \r\n and at nothing else, so a form feed,
U+2028 or a lone \r stays inside its line and line numbers agree with every other tool.
"""

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from analysis.errors import InputError
from analysis.text.problems import Problems

BAD_SHARE = 0.01
MAX_UNPACKED = 2**30
BinaryStream = io.BufferedIOBase
_BOM = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Source:
    """Where bytes come from: a file or memory.

    Attributes:
        name: what messages call it.
        path: the file; None for memory.
        data: the bytes themselves, for uploads, pasted text and standard input.
    """

    name: str
    path: Path | None = None
    data: bytes | None = None

    @classmethod
    def of(cls, value: "Source | str | Path | bytes", name: str = "") -> "Source":
        """A source made of a path, of bytes, or of `-`: standard input, read at once so it can be read twice."""
        if isinstance(value, Source):
            return value
        if isinstance(value, bytes):
            return cls(name or "uploaded text", data=value)
        if str(value) == "-":
            return cls(name or "standard input", data=_standard_input())
        return cls(name or printable(str(value)), path=Path(value))

    def head(self, size: int = 65536) -> bytes:
        """The first bytes, unpacked, for guessing the format.

        Raises:
            InputError: the source cannot be read.
        """
        with opened(self) as stream:
            return stream.read(size)


def printable(name: str) -> str:
    """A file name on one line that any terminal can show."""
    return "".join(char if char.isprintable() else "?" for char in name)


def _standard_input() -> bytes:
    """All of standard input, also where a test put a text stream in its place."""
    buffer = getattr(sys.stdin, "buffer", None)
    return buffer.read() if buffer is not None else sys.stdin.read().encode("utf-8", "surrogateescape")


@contextmanager
def opened(source: Source) -> Iterator[BinaryStream]:
    """The unpacked bytes of a source as a stream.

    Raises:
        InputError: it does not exist, is a folder, cannot be read, or is a broken or oversized gzip file.
    """
    try:
        with _raw(source) as raw:
            # No UTF-8 text starts with the two bytes of a gzip file, so the name need not say it.
            packed = raw.peek(2)[:2] == _GZIP
            yield _Unpacked(raw) if packed else raw
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{source.name}: broken gzip file ({error}); pack it again") from None
    except IsADirectoryError:
        raise InputError(f"{source.name} is a folder; name a file") from None
    except FileNotFoundError:
        raise InputError(f"{source.name}: no such file; check the path") from None
    except PermissionError:
        raise InputError(f"{source.name} may not be read; check its permissions") from None
    except OSError as error:
        raise InputError(f"{source.name} cannot be read: {error.strerror or error}") from None


def _raw(source: Source) -> io.BufferedReader:
    """The bytes as they are stored."""
    if source.path is None:
        return io.BufferedReader(io.BytesIO(source.data or b""))
    try:
        return open(source.path, "rb")
    except ValueError:
        raise InputError(f"{source.name!r} cannot be a file name; name a file") from None


class _Unpacked(gzip.GzipFile):
    """A gzip stream that stops before a small file becomes a huge one."""

    def __init__(self, raw: io.BufferedReader) -> None:
        """Unpack from an open stream."""
        super().__init__(fileobj=raw, mode="rb")

    def read(self, size: int | None = -1) -> bytes:
        """Read on, up to the limit."""
        return self._counted(super().read(_bounded(size)))

    def readline(self, size: int | None = -1) -> bytes:
        """Read one line, up to the limit."""
        return self._counted(super().readline(_bounded(size)))

    def _counted(self, chunk: bytes) -> bytes:
        """The chunk, if the limit is not passed."""
        if self.tell() > MAX_UNPACKED:
            raise InputError(f"the gzip file unpacks to more than {MAX_UNPACKED >> 20} MB; unpack and split it")
        return chunk


def _bounded(size: int | None) -> int:
    """A number of bytes that is never "all"."""
    return MAX_UNPACKED + 1 if size is None or size < 0 else size


def read_lines(
    source: Source | str | Path | bytes, *, problems: Problems, bad_share: float = BAD_SHARE
) -> Iterator[str | None]:
    r"""The lines of a source, one by one, without their line ends.

    Args:
        source: a path, `-`, bytes or a Source.
        problems: takes a note of each line that is not UTF-8; such a line comes as None.
        bad_share: more undecodable lines than this share end the reading.

    Raises:
        InputError: unreadable, empty, a NUL byte, or (after the last line) too many undecodable lines.
    """
    source = Source.of(source)
    number = bad = 0
    with opened(source) as stream:
        for number, raw in enumerate(stream, start=1):
            if b"\0" in raw:
                raise InputError(f"{source.name}:{number}: a NUL byte, so not UTF-8 text; save the file as UTF-8")
            if number == 1:
                raw = raw.removeprefix(_BOM)
            line = raw[:-2] if raw.endswith(b"\r\n") else raw.removesuffix(b"\n")
            try:
                yield line.decode("utf-8")
            except UnicodeDecodeError as error:
                bad += 1
                message = f"not UTF-8 (byte 0x{line[error.start]:02x} at {error.start}); the line is left out"
                problems.add(source.name, number, message)
                yield None
    if number == 0 or (number == 1 and raw == b""):
        raise InputError(f"{source.name} is empty; give a file with at least one line")
    if bad > bad_share * number:
        raise InputError(f"{source.name}: {bad} of {number} lines are not UTF-8; save the file as UTF-8")


def split_lines(text: str) -> list[str]:
    r"""The lines of a text in memory, by the same rule; a last \n ends the last line, it begins no new one."""
    *ended, last = text.split("\n")
    return [line.removesuffix("\r") for line in ended] + ([last] if last else [])
