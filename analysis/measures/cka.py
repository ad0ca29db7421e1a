"""CKA between two languages: do translations have the same geometry, up to rotation and scale?"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from analysis.encoders.vectors import Unit
from analysis.measures._parts.cka_batches import cka_of_subsets, minibatch_cka, random_batches
from analysis.measures._parts.hsic import MINIMUM, Estimator, centre, cka_with_floor
from analysis.records import Result
from analysis.scoring.measure import Measure, Need, unscored
from analysis.scoring.resampled import half_samples, moved_onto, resampled
from analysis.scoring.samples import CONSTANT, PairSample, sample_pairs, why_unscored
from analysis.scoring.space import PairSpace
from analysis.settings import Setting, check

MINIBATCH = "minibatch"
SHUFFLES = 5  # random pairings behind the floor


@dataclass(frozen=True)
class CkaSettings:
    """Settings of CKA."""

    estimator: Annotated[
        str,
        Setting(
            "debiased does not grow as pairs get fewer, minibatch neither and needs less memory, plain does grow",
            choices=("debiased", "plain", MINIBATCH),
            source="Song et al. 2012, equation 5; Nguyen et al. 2021, section 3",
        ),
    ] = "debiased"
    batch_size: Annotated[
        int, Setting("most pairs in a batch, of minibatch", ge=MINIMUM, le=5000, source="Nguyen et al. 2021, section 3")
    ] = 256
    max_pairs: Annotated[
        int, Setting("more pairs than this are sampled, whole sentences at a time", ge=MINIMUM, le=10_000)
    ] = 2000


def compute(space: PairSpace, settings: CkaSettings | None = None, *, seed: int = 0) -> Result:
    """Linear CKA over translated pairs: words in one-to-one links, or sentences.

    The interval comes from halves of the sentences drawn without replacement, recentred on the estimate.
    Drawing with replacement would repeat pairs, which counts as extra likeness and pushes HSIC1 up.

    Args:
        space: word vectors and links, or sentence vectors.
        settings: see `CkaSettings`.
        seed: seed of the sample, the batches, the halves and the shuffles.

    Returns:
        CKA, not clipped. Parts: all estimators, the number of pairs, and `shuffled`: the mean over five
        random pairings of the same vectors, the floor for this n. Items: the pairs that were used.

    Raises:
        InputError: word vectors without links, or subword vectors.

    Source: Kornblith et al. 2019, Similarity of neural network representations revisited, section 3; Nguyen, Raghu
    and Kornblith 2021, Do wide and deep networks learn the same things?, section 3 (minibatch).
    """
    settings = settings or CkaSettings()
    check(settings)
    sample = sample_pairs(SPEC, space, settings.max_pairs, seed)
    reason = why_unscored(sample)
    if reason:
        return unscored(SPEC, space, settings, seed=seed, note=f"CKA: {reason}")
    x, y = centre(sample.x), centre(sample.y)
    batches = random_batches(len(sample), settings.batch_size, seed)
    scores = _scores(x, y, batches, seed)
    value, floor = scores[settings.estimator]
    if not np.isfinite(value):
        return unscored(SPEC, space, settings, seed=seed, note=f"CKA: {CONSTANT}")
    parts: dict[str, float | int | None] = {name: score for name, (score, _) in scores.items()}
    return resampled(
        SPEC, space, settings, seed=seed, value=value,
        replicates=moved_onto(value, _halves_scores(x, y, sample, settings, seed)),
        clusters=sample.clusters, n=len(sample), parts=parts | {"n": len(sample), "shuffled": floor},
        items=sample.items(space), note=sample.note,
    )  # fmt: skip


def _scores(x: np.ndarray, y: np.ndarray, batches: list[np.ndarray], seed: int) -> dict[str, tuple[float, float]]:
    """CKA by each estimator with its mean over random pairings."""
    found = {str(name): pair for name, pair in cka_with_floor(x, y, shuffles=SHUFFLES, seed=seed).items()}
    generator = np.random.default_rng(seed)
    floors = [minibatch_cka(x, y[generator.permutation(len(y))], batches) for _ in range(SHUFFLES)]
    return found | {MINIBATCH: (minibatch_cka(x, y, batches), float(np.mean(floors)))}


def _halves_scores(x: np.ndarray, y: np.ndarray, sample: PairSample, settings: CkaSettings, seed: int) -> np.ndarray:
    """CKA of each half of the sentences: (replicates,), NaN where a half has too few pairs."""
    chosen = half_samples(sample.clusters, seed)[:, sample.cluster]
    if settings.estimator == MINIBATCH:
        # Half the pairs of twice the size: the batches of a half are as large as those of the estimate.
        double = random_batches(len(x), 2 * settings.batch_size, seed)
        return cka_of_subsets(x, y, chosen, Estimator.DEBIASED, double)
    return cka_of_subsets(x, y, chosen, Estimator(settings.estimator), [np.arange(len(x))])


SPEC = Measure(
    name="cka",
    title="Linear CKA",
    summary="How alike the geometry of translations is in the two languages, up to rotation and one scale.",
    unit="[-1, 1]",
    higher_is_better=True,
    needs=Need.PAIRS,
    unit_of=Unit.WORD,
    citation="Kornblith et al. 2019, Similarity of neural network representations revisited",
    hides="It cannot show that translations lie close together: a rotated copy scores 1, so read it beside retrieval, "
    "and never against a value at another n.",
    compute=compute,
    settings=CkaSettings,
)
