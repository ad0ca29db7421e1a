"""A zero-shot topic probe: a linear classifier learns topics in English and is scored in other languages.

Nothing is chosen on scored data: scaling and strength of regularisation come from cross-validation on the English
training sentences, in the same way for every encoder.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.errors import InputError
from analysis.records import Result
from analysis.scoring.forgetting import mean_result

FOLDS = 5
STRENGTHS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
SCALINGS = ("none", "standardised")
ITERATIONS = 2000
SPLIT_SEED = 0


@dataclass(frozen=True)
class Probe:
    """A fitted classifier of sentence vectors.

    Attributes:
        model: the scikit-learn pipeline.
        scaling: `none` or `standardised` (each dimension to mean 0 and deviation 1 of the training vectors).
        c: inverse strength of regularisation.
        cross_validated: accuracy in percent of this choice in cross-validation on the training sentences.
        n: number of training sentences.
    """

    model: Any
    scaling: str
    c: float
    cross_validated: float
    n: int

    @property
    def recipe(self) -> dict[str, Any]:
        """What was chosen, for provenance."""
        return {"scaling": self.scaling, "C": self.c, "cross_validated": self.cross_validated, "trained_on": self.n}


@dataclass(frozen=True)
class ProbeScores:
    """Accuracy of one probe on one test set in several languages.

    Attributes:
        languages: accuracy of each language, percent, English first where it is there.
        others: unweighted mean of all languages but English; its replicates draw rows, so a row is in or out in
            all languages at once. None where there is no other language.
    """

    languages: Mapping[str, Result]
    others: Result | None


def fit_probe(vectors: np.ndarray, labels: Sequence[str]) -> Probe:
    """Fit multinomial logistic regression, choosing scaling and C by stratified cross-validation.

    Args:
        vectors: (n, dim) sentence vectors.
        labels: (n,) topics.

    Returns:
        The probe refitted on all vectors with the choice of the highest accuracy; ties go to no scaling, then
        to the stronger regularisation.

    Raises:
        InputError: vectors and labels differ in number, or fewer than two labels with two sentences each.

    Source: Adelani et al. 2024, SIB-200: a simple, inclusive, and big evaluation dataset for topic classification
    in 200+ languages and dialects (zero-shot transfer from English; there encoders are fine-tuned, here they are not).
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, StratifiedKFold
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    if len(vectors) != len(labels):
        raise InputError(f"{len(vectors)} vectors and {len(labels)} labels; a probe needs one label a vector")
    counts = np.unique(np.asarray(labels), return_counts=True)[1]
    if len(counts) < 2 or counts.min() < 2:
        raise InputError(
            f"a probe needs at least 2 labels with 2 sentences each, got {len(counts)} labels, the rarest "
            f"{counts.min(initial=len(labels))} times; use a larger training split"
        )
    scalings = dict(zip(SCALINGS, ("passthrough", StandardScaler()), strict=True))
    search = GridSearchCV(
        Pipeline([("scale", "passthrough"), ("classify", LogisticRegression(max_iter=ITERATIONS))]),
        {"scale": list(scalings.values()), "classify__C": list(STRENGTHS)},
        cv=StratifiedKFold(min(FOLDS, int(counts.min())), shuffle=True, random_state=SPLIT_SEED),
    )
    # The matrices are small: threads that wait for each other make this a hundred times slower on a busy machine.
    with threadpool_limits(1):
        search.fit(np.asarray(vectors, dtype=np.float64), np.asarray(labels))
    plain = search.best_params_["scale"] == "passthrough"
    return Probe(
        search.best_estimator_, SCALINGS[0 if plain else 1], float(search.best_params_["classify__C"]),
        float(100 * search.best_score_), len(labels),
    )  # fmt: skip


def score_probe(
    probe: Probe, vectors: Mapping[str, np.ndarray], labels: Sequence[str], *, seed: int = 0,
    provenance: Mapping[str, Any] | None = None,
) -> ProbeScores:  # fmt: skip
    """Accuracy in each language, and the mean of the languages other than English.

    Args:
        probe: fitted on English training sentences.
        vectors: for each language the (n, dim) vectors of the same n rows.
        labels: (n,) topics of the rows.
        seed: seed of the bootstrap over rows; with one seed results of two encoders are paired.
        provenance: where the vectors came from.

    Returns:
        Accuracies in percent. The intervals cover the choice of test sentences, not that of training sentences
        or of languages.

    Raises:
        InputError: no row, or a language whose vectors are not one a row.
    """
    if not len(labels):
        raise InputError("a probe cannot be scored on no sentence; use a test split with rows")
    gold = np.asarray(labels)
    hits = {}
    for language, rows in vectors.items():
        if len(rows) != len(gold):
            raise InputError(f"{len(rows)} vectors of {language} and {len(gold)} labels; give one vector a row")
        hits[language] = (probe.model.predict(np.asarray(rows, dtype=np.float64)) == gold).astype(float)[:, None]
    origin = {**(provenance or {}), "recipe": probe.recipe}
    order = sorted(hits, key=lambda tag: tag != "en")
    accuracy = {tag: _accuracy(hits[tag], seed, {**origin, "language": tag}) for tag in order}
    rest = [tag for tag in order if tag != "en"]
    joint = np.hstack([hits[tag] for tag in rest]) if rest else None
    return ProbeScores(accuracy, None if joint is None else _accuracy(joint, seed, {**origin, "languages": rest}))


def _accuracy(hits: np.ndarray, seed: int, provenance: Mapping[str, Any]) -> Result:
    """Mean of (rows, languages) hits in percent, rows resampled."""
    width = hits.shape[1]
    sums = np.stack([np.full(len(hits), width), hits.sum(axis=1)], axis=1)

    def percent(summed: np.ndarray) -> np.ndarray:
        """Hits per item."""
        return 100 * summed[..., 1] / summed[..., 0]

    return mean_result(
        "topic_probe", sums, percent, n=hits.size, unit="percent", higher=True, seed=seed, provenance=provenance
    )
