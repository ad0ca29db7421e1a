"""Plain fine-tuning on the source language, and its two baselines: lower blocks frozen, and a probe."""

from dataclasses import dataclass, replace
from typing import Annotated, Any

from analysis.alignment.method import Fidelity
from analysis.errors import InputError
from analysis.settings import Setting
from analysis.transfer.regime import Regime, Strategy
from analysis.transfer.settings import TransferSettings
from analysis.transfer.task import Task


@dataclass(frozen=True)
class PlainSettings(TransferSettings):
    """Settings of plain fine-tuning."""

    mode: Annotated[
        str,
        Setting("what trains beside the head: all blocks of the encoder, the upper half of them, or nothing (a linear "
                "probe)", choices=("all", "upper", "probe")),
    ] = "all"  # fmt: skip


class Plain(Strategy):
    """Fine-tune on labels of one language and hope for the others.

    In plain words: the encoder learns the task in the source language; where its vectors of other languages lie near
    those of their translations, it has learned it there too. `mode=upper` leaves the lower half of the blocks, which
    is the more language-neutral one, as it was; `mode=probe` trains the head alone, so that what it shows is in the
    encoder already; an encoder of closed-form maps takes this mode only, each language then goes through its own map.

        L = the task's loss

    Needs labelled items of one language. An item is read once; a head sees (items, dim) or (words, dim) vectors.

    Source: Pires, Schlinger and Garrette 2019, How multilingual is multilingual BERT?; frozen lower layers: Wu and
    Dredze 2019, Beto, Bentz, Becas, section 4.3 (there the embeddings and the bottom n of 12 blocks).
    Relatives: every other regime adds to this one; it is what they are to be compared with.
    """

    def __init__(self, settings: PlainSettings) -> None:
        super().__init__(settings)
        self.trains_encoder = settings.mode != "probe"

    def adjusted(self, encoder: Any) -> PlainSettings:
        """`mode=upper` as a range of blocks."""
        if self.settings.mode != "upper":
            return self.settings
        return replace(self.settings, blocks=f"{encoder.depth // 2 + 1}-{encoder.depth}")

    def check(self, task: Task, encoder: Any) -> None:
        """Refuse a mode and a range of blocks together.

        Raises:
            InputError: both are given.
        """
        if self.settings.mode != "all" and self.settings.blocks != "all":
            raise InputError(
                f"mode={self.settings.mode!r} says which blocks train, and so does blocks={self.settings.blocks!r}; "
                "give one of them"
            )


SPEC = Regime(
    name="plain",
    title="Plain fine-tuning",
    summary="Fine-tunes on the source language; also with the lower half frozen, or as a probe of the head alone.",
    citation="Pires et al. 2019, ACL; Wu and Dredze 2019, EMNLP",
    fidelity=Fidelity.FROM_ABSTRACT,
    strategy=Plain,
    settings=PlainSettings,
)
