"""The control of every comparison: an encoder's architecture and tokenizer with weights drawn anew."""

from functools import cached_property

from analysis.encoders.encoder import Encoder
from analysis.encoders.model import Model, load_model


class RandomEncoder(Encoder):
    """An encoder that has learned nothing: what it scores, words and their order score by themselves.

    Weights are drawn as `transformers` initialises the architecture before training.

    Args:
        name: `random:BASE[#SEED]`.
        base: gives architecture and tokenizer.
        seed: of the draw; another seed is another control.

    Source: Conneau et al. 2020, Emerging cross-lingual structure in pretrained language models, section 5 (random
    initialisation as a control of similarity).
    """

    def __init__(self, name: str, base: Encoder, seed: int) -> None:
        super().__init__(
            name, revision=f"{base.revision}~{seed}", depth=base.depth, dim=base.dim, folder=base.folder_of_weights,
            prefix=base.prefix,
        )  # fmt: skip
        self.seed = seed

    @cached_property
    def _loaded(self) -> Model:
        """The base's model with other weights."""
        import torch

        model = load_model(self.folder_of_weights(), self.name)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            drawn = type(model.network)(model.network.config)
        model.network.load_state_dict(drawn.state_dict())
        model.network.eval()
        return model
