"""The list of encoders that are here, made without loading one."""

from dataclasses import asdict, dataclass

from analysis.encoders import bundled
from analysis.encoders.names import aligned_folders, encoder_roots


@dataclass(frozen=True)
class Entry:
    """One line of `python -m analysis encoders`.

    Attributes:
        name: what to give as `--encoder`.
        kind: `base` or `aligned`.
        base: the base's name, "" for a base.
        method: how it was aligned, "" for a base.
        languages: number of languages it was trained on, None where unknown.
        recommended: the best of its base's shipped encoders on development data.
        origin: `package`, `shipped` or `trained here`.
        summary: one line.
    """

    name: str
    kind: str
    base: str = ""
    method: str = ""
    languages: int | None = None
    recommended: bool = False
    origin: str = ""
    summary: str = ""

    def as_dict(self) -> dict[str, object]:
        """The JSON object of the listing."""
        return asdict(self)


def list_encoders() -> list[Entry]:
    """The bundled encoder and every shipped or trained aligned one."""
    entries = [
        Entry("bundled", "base", origin="package",
              summary=f"multilingual-e5-small at 4 bits, {bundled.DEPTH} layers x {bundled.DIM}, about 100 languages")
    ]  # fmt: skip
    shipped = encoder_roots()[0]
    for name, folder, card in aligned_folders():
        entries.append(
            Entry(
                name, "aligned", card["base"], str(card.get("method", "")), len(card.get("languages", [])) or None,
                bool(card.get("recommended")), "shipped" if folder.parent == shipped else "trained here",
                str(card.get("summary", "")),
            )
        )  # fmt: skip
    return entries
