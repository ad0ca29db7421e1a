"""TMX: translation memories in XML."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from analysis.errors import InputError
from analysis.text.languages import known_tag
from analysis.text.lines import Source, opened
from analysis.text.problems import Problems
from analysis.text.rows import Reader, Row, only_source, segment_row

_CHUNK = 1 << 16
_CODE = frozenset({"bpt", "ept", "it", "ph", "ut"})  # inline elements that hold markup, not text (TMX 1.4b, 3.3)
_SCRIPT_OF = {"TW": "Hant", "HK": "Hant", "MO": "Hant"}


def read(sources: Sequence[Source], *, languages: tuple[str, ...] | None, problems: Problems) -> Iterator[Row]:
    """Yield a row for each translation unit; a region is dropped (`en-US` is `en`, `zh-TW` is `zh-Hant`).

    Entity declarations are refused and nothing outside the file is read.

    Raises:
        InputError: not one file, not XML from the start, or a document type that declares entities.
    """
    source = only_source(sources, "tmx")
    memory = _Memory(source.name, languages, problems)
    parser = memory.parser()
    broken = ""
    with opened(source) as stream:
        while not broken:
            chunk = stream.read(_CHUNK)
            try:
                parser.Parse(chunk, not chunk)
            except expat.ExpatError as error:
                broken = f"not well-formed XML: {expat.ErrorString(error.code)}"
            yield from memory.take()
            if not chunk:
                break
    if broken and not memory.units:
        raise InputError(f"{source.name}:{parser.CurrentLineNumber}: {broken}; export the file again")
    if broken:
        problems.add(source.name, parser.CurrentLineNumber, f"{broken}; the rest of the file is left out")


@dataclass
class _Memory:
    """The state of one pass through a translation memory."""

    name: str
    languages: tuple[str, ...] | None
    problems: Problems
    units: int = 0
    rows: list[Row] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    tag: str | None = None
    line: int = 0
    unit_id: str = ""
    pieces: list[str] | None = None
    code_depth: int = 0

    def parser(self) -> Any:
        """An expat parser that reports to this object."""
        self.expat = expat.ParserCreate()
        self.expat.buffer_text = True
        self.expat.StartElementHandler = self.start
        self.expat.EndElementHandler = self.end
        self.expat.CharacterDataHandler = self.characters
        self.expat.EntityDeclHandler = self.refuse
        return self.expat

    def take(self) -> list[Row]:
        """The rows finished since the last call."""
        rows, self.rows = self.rows, []
        return rows

    def refuse(self, *_: object) -> None:
        """Entities can blow up a small file or read others: none are needed."""
        raise InputError(f"{self.name} declares XML entities, which is refused; export it without a document type")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        if tag == "tu":
            self.texts, self.line, self.unit_id = {}, self.expat.CurrentLineNumber, attributes.get("tuid", "")
        elif tag == "tuv":
            self.tag = _tag(attributes.get("xml:lang") or attributes.get("lang") or "")
        elif tag == "seg":
            self.pieces = []
        elif self.pieces is not None and (tag in _CODE or self.code_depth):
            self.code_depth += 1

    def characters(self, text: str) -> None:
        """Text between tags."""
        if self.pieces is not None and not self.code_depth:
            self.pieces.append(text)

    def end(self, tag: str) -> None:
        """An element ends."""
        if tag == "seg":
            self._keep("".join(self.pieces or ()))
        elif tag == "tu":
            self._finish()
        elif self.code_depth:
            self.code_depth -= 1

    def _keep(self, text: str) -> None:
        """One variant of a unit is complete."""
        self.pieces, self.code_depth = None, 0
        if self.tag is None:
            self.problems.add(
                self.name, self.expat.CurrentLineNumber, "a variant without a known xml:lang; it is left out"
            )
        elif self.tag not in self.texts:
            self.texts[self.tag] = " ".join(text.split("\n"))

    def _finish(self) -> None:
        """One unit is complete."""
        self.units += 1
        sentences = segment_row(self.texts, self.languages)
        if sentences:
            self.rows.append(Row(self.line, sentences, None, self.unit_id))
        else:
            self.problems.add(self.name, self.line, "a unit without text in any language; it is left out")


def _tag(code: str) -> str | None:
    """The tag of an xml:lang, without its region."""
    tag = known_tag(code)
    if tag is None:
        return None
    primary, *subtags = tag.split("-")
    script = next((part for part in subtags if len(part) == 4), "") or (
        next((_SCRIPT_OF[part] for part in subtags if part in _SCRIPT_OF), "") if primary == "zh" else ""
    )
    return f"{primary}-{script}" if script else primary


SPEC = Reader("tmx", "TMX", ("tmx",), "Translation units in XML, with a variant for each language.", read)
