"""What every fine-tuning method does: hand its objective to the trainer and wrap up what comes back."""

from typing import Any

from analysis.alignment.method import AlignmentData, Fitted, Method, Say, Uses
from analysis.alignment.pairs import wanted_languages
from analysis.encoders.encoder import Encoder
from analysis.encoders.names import Kind, resolve
from analysis.errors import InputError
from analysis.training.data import TrainingData
from analysis.training.fit import train

# What the bundled weights are a 4-bit copy of, for the adapter's own record.
BUNDLED_AS = "intfloat/multilingual-e5-small"


def training_data(data: AlignmentData, settings: Any) -> TrainingData:
    """What the trainer is given of a method's data.

    Args:
        data: of the method.
        settings: name the languages.

    Raises:
        InputError: a language that the data do not have.
    """
    return TrainingData(
        data.bitexts, wanted_languages(data, settings.languages), data.dev, data.monolingual, data.dictionaries,
        data.anchor,
    )  # fmt: skip


def fit_trained(
    method: Method, encoder: Encoder, data: AlignmentData, settings: Any, *, seed: int, say: Say, job: Any = None
) -> Fitted:
    """Fine-tune by a method's objective.

    Args:
        method: with an objective.
        encoder: the base.
        data: training and development pairs.
        settings: of the method.
        seed: of everything random.
        say: told how it goes where there is no job.
        job: the run that keeps progress and checkpoints.

    Raises:
        InputError: no pairs where the method needs them, or settings that cannot be followed.
        IsoglossError: the loss is not finite.
    """
    if not data.bitexts and (Uses.DATA in method.needs_all or method.needs == {Uses.DATA}):
        raise InputError(f"method {method.name} needs sentence pairs; for example --data corpus:ui_chromium:train")
    found = train(encoder, training_data(data, settings), settings, method.objective, seed=seed, job=job)
    if job is None:
        say(f"trained {found.state.step} steps on {sum(found.pairs.values()):,} examples; kept step {found.kept}")
    name = resolve(encoder.name)
    known = {Kind.BUNDLED: BUNDLED_AS, Kind.HUB: name.repo}
    base_name = known.get(name.kind) or encoder.name.rstrip("/").rpartition("/")[2]
    return Fitted(
        kind="adapter" if settings.adapter == "lora" else "full",
        tensors=found.tensors(), languages=found.languages, write=lambda folder: found.write(folder, base_name),
        card={
            "steps": found.state.step, "planned_steps": found.steps, "kept_step": found.kept, "pairs": found.pairs,
            "links_used": found.links, "link_layer": found.link_layer,
            "precision": found.trainee.precision, "curve": found.state.curve,
        },
    )  # fmt: skip
