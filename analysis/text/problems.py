"""Bad rows: collected and shown, never raised; the rest of the file goes on."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Problem:
    """One bad row.

    Attributes:
        source: the file (or "pasted text") as the user named it.
        line: 1-based line, 0 where the whole file is meant.
        message: what is wrong and what became of the row, one line.
        kind: `links` where the row's word links are wrong, else "".
    """

    source: str
    line: int
    message: str
    kind: str = ""

    def __str__(self) -> str:
        """`warning: FILE:LINE: message`."""
        return f"warning: {self.source}:{self.line}: {self.message}"


@dataclass
class Problems:
    """Collects problems; the first `limit` are kept, all are counted.

    Attributes:
        echo: called with each problem as it is found, for a command that prints them.
        limit: how many are kept, so that a file of bad rows only cannot fill the memory.
        kept: the problems kept, in the order they were found.
        count: how many there were.
    """

    echo: Callable[[Problem], None] | None = None
    limit: int = 10_000
    kept: list[Problem] = field(default_factory=list)
    count: int = 0

    def add(self, source: str, line: int, message: str, kind: str = "") -> None:
        """Note one bad row."""
        problem = Problem(source, line, message, kind)
        self.count += 1
        if len(self.kept) < self.limit:
            self.kept.append(problem)
        if self.echo is not None:
            self.echo(problem)

    def __iter__(self) -> Iterator[Problem]:
        """The problems that were kept."""
        return iter(self.kept)

    def __len__(self) -> int:
        """How many there were, kept or not."""
        return self.count


def excerpt(text: str, length: int = 40) -> str:
    """The start of a text as a quoted literal on one line, safe to print whatever it holds."""
    cut = text if len(text) <= length else f"{text[:length]}…"
    return ascii(cut) if any("\ud800" <= char <= "\udfff" for char in cut) else repr(cut)
