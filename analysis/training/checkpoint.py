"""The whole state of a run in safetensors and JSON: weights, optimiser, random numbers, best so far."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

WEIGHTS, OPTIMISER, STATE = "weights.safetensors", "optimiser.safetensors", "state.json"


@dataclass
class Progress:
    """Where a run stands.

    Attributes:
        step: optimiser steps that are done.
        best_step: the step whose weights are the best on development data, -1 before the first.
        best: its mean score, None before the first.
        waited: looks at the development data since then.
        fingerprint: hash of the data, settings and base; a checkpoint of others is not resumed.
        curve: every look at the development data, `{"step", "mean", "scores"}`.
    """

    step: int = 0
    best_step: int = -1
    best: float | None = None
    waited: int = 0
    fingerprint: str = ""
    curve: list[dict[str, Any]] = field(default_factory=list)


def save_weights(path: Path, parameters: "Mapping[str, torch.Tensor]") -> None:
    """Write named weights."""
    from safetensors.torch import save_file

    save_file({name: one.detach().cpu().contiguous() for name, one in parameters.items()}, path)


def load_weights(path: Path, parameters: "Mapping[str, torch.Tensor]") -> None:
    """Read named weights into the parameters that carry them."""
    from safetensors.torch import load_file

    stored = load_file(path)
    for name, one in parameters.items():
        one.data.copy_(stored[name])


def save(
    folder: Path, parameters: "Mapping[str, torch.Tensor]", optimiser: "torch.optim.Optimizer", state: Progress
) -> None:
    """Write a checkpoint into an empty folder.

    Args:
        folder: a draft that gets its name when all is written.
        parameters: what trains, and buffers beside it.
        optimiser: over these parameters, in this order.
        state: where the run stands.
    """
    import torch
    from safetensors.torch import save_file

    save_weights(folder / WEIGHTS, parameters)
    moments = {"random": torch.get_rng_state()}
    for number, values in optimiser.state_dict()["state"].items():
        for key, value in values.items():
            moments[f"{number}/{key}"] = torch.as_tensor(value).detach().cpu().contiguous()
    save_file(moments, folder / OPTIMISER)
    (folder / STATE).write_text(json.dumps(asdict(state)), "utf-8")


def load(
    folder: Path, parameters: "Mapping[str, torch.Tensor]", optimiser: "torch.optim.Optimizer"
) -> Progress:  # fmt: skip
    """Take up a checkpoint: weights, optimiser and random numbers as they were.

    Returns:
        Where the run stood.
    """
    import torch
    from safetensors.torch import load_file

    load_weights(folder / WEIGHTS, parameters)
    moments = load_file(folder / OPTIMISER)
    torch.set_rng_state(moments.pop("random"))
    states: dict[int, dict[str, Any]] = {}
    for name, value in moments.items():
        number, key = name.split("/", 1)
        states.setdefault(int(number), {})[key] = value
    optimiser.load_state_dict({"state": states, "param_groups": optimiser.state_dict()["param_groups"]})
    return peek(folder)


def peek(folder: Path) -> Progress:
    """Where a checkpoint stands, without its weights."""
    return Progress(**json.loads((folder / STATE).read_text("utf-8")))
