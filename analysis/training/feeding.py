"""Changing what a block of a network is fed, for one forward pass."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    Change = Callable[[torch.Tensor], torch.Tensor]


@contextmanager
def fed(blocks: Any, layer: int, change: "Change") -> Iterator[None]:
    """While it lasts, the states of a layer are changed before the block above reads them; then nothing is left of it.

    Args:
        blocks: the blocks of a network, such as `trainee.live.blocks`.
        layer: whose states, from 0 (the embeddings) to one below the last.
        change: from (sequences, longest, dim) states, in the pass's own precision, to states of the same shape.
    """

    def hook(_module: Any, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        """What the block is called with instead."""
        if args:
            return (change(args[0]), *args[1:]), kwargs
        return args, kwargs | {"hidden_states": change(kwargs["hidden_states"])}

    handle = blocks[layer].register_forward_pre_hook(hook, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()
