"""What an aligning method is, and the data it learns from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.encoders.mapped import MAPS
from analysis.errors import InputError
from analysis.settings import NoSettings
from analysis.text.corpus import Bitext, Sentence

if TYPE_CHECKING:
    from analysis.text.dictionary import Dictionary

Say = Callable[[str], None]


class Uses(StrEnum):
    """Kinds of data, named like their command-line options."""

    DATA = "data"
    LINKS = "links"
    DICTIONARY = "dictionary"
    MONOLINGUAL = "monolingual"
    DEV = "dev"


class Fidelity(StrEnum):
    """How well an implementation is grounded in its source."""

    CODE_CHECKED = "code checked"
    FROM_ABSTRACT = "from abstract"
    RECONSTRUCTED = "reconstructed"


@dataclass(frozen=True)
class AlignmentData:
    """What a method learns from.

    Attributes:
        bitexts: sentence pairs, the anchor language always on the target side.
        monolingual: for each language sentences without a translation.
        anchor: the language that the others are mapped to.
        dev: development pairs, for methods that look at them while they train.
        dictionaries: word translations.
    """

    bitexts: tuple[Bitext, ...] = ()
    monolingual: Mapping[str, tuple[Sentence, ...]] = field(default_factory=dict)
    anchor: str = "en"
    dev: tuple[Bitext, ...] = ()
    dictionaries: "tuple[Dictionary, ...]" = ()

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages other than the anchor, in order of first appearance."""
        found = [bitext.languages[0] for bitext in self.bitexts] + list(self.monolingual)
        return tuple(dict.fromkeys(tag for tag in found if tag != self.anchor))


@dataclass(frozen=True)
class Fitted:
    """What a method has made of an encoder.

    Attributes:
        kind: `maps` (closed form), `adapter` (peft) or `full` (a whole network).
        tensors: the numbers that were fitted, by name.
        languages: the languages it was fitted on.
        write: writes the weights into a folder, as the kind has them.
        card: what isogloss.json says of the fit beside that.
    """

    kind: str
    tensors: Mapping[str, np.ndarray]
    languages: tuple[str, ...]
    write: Callable[[Path], None]
    card: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def maps(cls, tensors: dict[str, np.ndarray]) -> "Fitted":
        """Closed-form maps, as `analysis.encoders.mapped` reads them: `LANGUAGE/LAYER/part`."""
        languages = sorted({key.split("/")[0] for key in tensors if not key.startswith("_")})
        return cls("maps", tensors, tuple(languages), lambda folder: _write_maps(tensors, folder))


def _write_maps(tensors: Mapping[str, np.ndarray], folder: Path) -> None:
    """Write maps.safetensors."""
    from safetensors.numpy import save_file

    save_file({key: np.ascontiguousarray(value) for key, value in tensors.items()}, folder / MAPS)


@dataclass(frozen=True)
class Method:
    """A registered aligning method.

    Attributes:
        name: name on the command line.
        title: name on a page.
        summary: one sentence.
        citation: the paper.
        fidelity: how well the implementation is grounded in it.
        needs: data of which the method needs at least one kind.
        needs_all: data of which it needs every kind.
        uses: data it can use; anything else is refused by name.
        fit: `fit(encoder, data, settings, *, seed, say, job)` gives what was fitted.
        settings: the settings class.
        objective: `objective(encoder, settings)` of a method that is trained step by step; None for closed forms.
    """

    name: str
    title: str
    summary: str
    citation: str
    fidelity: Fidelity
    needs: frozenset[Uses]
    uses: frozenset[Uses]
    fit: Callable[..., Fitted]
    settings: type = NoSettings
    objective: Callable[..., Any] | None = None
    needs_all: frozenset[Uses] = frozenset()

    @property
    def trained(self) -> bool:
        """Whether it is trained step by step."""
        return self.objective is not None


def orient(bitexts: Sequence[Bitext], anchor: str) -> tuple[Bitext, ...]:
    """The bitexts with the anchor on the target side, whichever side it stood on.

    Raises:
        InputError: a bitext without the anchor.
    """
    found = []
    for bitext in bitexts:
        if anchor not in bitext.languages:
            pair = "-".join(bitext.languages)
            choice = " or ".join(f"--set anchor={tag}" for tag in bitext.languages)
            raise InputError(f"{bitext.name} is {pair} and lacks the anchor {anchor!r}; choose one: {choice}")
        found.append(bitext if bitext.languages[1] == anchor else bitext.flipped())
    return tuple(found)


def check_needs(method: Method, given: Mapping[Uses, Any]) -> None:
    """Refuse data the method does not use and name data it lacks.

    Raises:
        InputError: either of the two.
    """
    for kind, value in given.items():
        if value and kind not in method.uses:
            usable = ", ".join(f"--{use}" for use in sorted(method.uses))
            raise InputError(f"method {method.name} does not use --{kind}; it uses {usable}")
    if method.needs and not any(given.get(kind) for kind in method.needs):
        wanted = " or ".join(f"--{kind} ({WHERE[kind]})" for kind in sorted(method.needs))
        raise InputError(f"method {method.name} needs {wanted}")
    missing = sorted(kind for kind in method.needs_all if not given.get(kind))
    if missing:
        wanted = " and ".join(f"--{kind} ({WHERE[kind]})" for kind in missing)
        raise InputError(f"method {method.name} needs {wanted} as well")


# Where each kind of data is to be had, for the message that asks for it.
WHERE = {
    Uses.DATA: "sentence pairs, for example corpus:ui_chromium:train",
    Uses.LINKS: "word links in Pharaoh format, made by `python -m analysis links`",
    Uses.DICTIONARY: "word translations: a MUSE or FreeDict file, set:bli_xling:en-de:train, or one made by "
    "`python -m analysis dictionary`",
    Uses.MONOLINGUAL: "sentences, one a line, or any --data name",
    Uses.DEV: "development pairs, for example set:wordalign_xlwa:all:dev",
}
