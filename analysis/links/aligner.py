"""Word alignment with an encoder: its layer, decoder and level, each the best on development data unless given."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from analysis.encoders.encoder import Encoder, Progress
from analysis.encoders.vectors import Unit
from analysis.errors import unknown
from analysis.links.align import decode_pairs
from analysis.links.decoder import Decoder
from analysis.registry import find
from analysis.settings import parse_settings
from analysis.text.corpus import Sentence
from analysis.text.pharaoh import Links

LEVELS = ("word", "subword")


@dataclass(frozen=True)
class Aligner:
    """An encoder with everything that decides its links.

    Attributes:
        encoder: gives the vectors.
        layer: the layer whose vectors are compared.
        decoder: how links are read off the similarities.
        level: `word` or `subword`: what is compared; links always count words.
        settings: the decoder's settings.
    """

    encoder: Encoder
    layer: int
    decoder: Decoder
    level: str
    settings: Any

    @classmethod
    def choose(
        cls, encoder: Encoder, *, layer: int | None = None, decoder: str | None = None, level: str | None = None,
        settings: Sequence[str] = (),
    ) -> "Aligner":  # fmt: skip
        """What is not given is what was best on development data for this encoder, whatever else is given.

        Args:
            encoder: its `link_defaults` fill the gaps.
            layer: instead of the encoder's own choice.
            decoder: instead of the encoder's own choice.
            level: instead of the encoder's own choice.
            settings: `key=value` settings of the decoder.

        Raises:
            InputError: a layer, decoder, level or setting that does not exist.
        """
        stored = encoder.link_defaults
        chosen = find("decoders", decoder or stored.decoder)
        level = level or stored.level
        if level not in LEVELS:
            raise unknown("level", level, LEVELS)
        (layer,) = encoder.check_layers([stored.layer if layer is None else layer])
        kept = stored.settings if chosen.name == stored.decoder else {}
        pairs = [f"{key}={value}" for key, value in kept.items()]
        return cls(encoder, layer, chosen, level, parse_settings(chosen.settings, [*pairs, *settings]))

    def align(
        self, pairs: Sequence[tuple[Sentence, Sentence] | None], *, cache: bool = True, progress: Progress | None = None
    ) -> list[Links]:
        """Links of sentence pairs; a pair that is None or has an empty side has none.

        Args:
            pairs: sentences with their words.
            cache: whether to use the vector cache.
            progress: called with the number of tokens done and to do, once for each side.

        Returns:
            One `Links` a pair, in order.
        """
        usable = [n for n, pair in enumerate(pairs) if pair is not None and pair[0].spans and pair[1].spans]
        found = [Links()] * len(pairs)
        if not usable:
            return found
        source, target = (
            self.encoder.vectors(side, unit=Unit(self.level), layers=[self.layer], cache=cache, progress=progress)
            for side in zip(*(pair for pair in (pairs[n] for n in usable) if pair is not None), strict=True)
        )
        decoded = decode_pairs(
            source,
            target,
            len(usable),
            layer=self.layer,
            decoder=self.decoder,
            settings=self.settings,
            level=self.level,
        )
        for n, links in zip(usable, decoded, strict=True):
            found[n] = links
        return found

    def record(self) -> dict[str, Any]:
        """What decided the links, for provenance."""
        return {"layer": self.layer, "decoder": self.decoder.name, "level": self.level, **asdict(self.settings)}
