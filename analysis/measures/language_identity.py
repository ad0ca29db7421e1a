"""Language identity: can a linear classifier tell the language of a sentence from its vector?"""

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from analysis.encoders.vectors import Unit
from analysis.neighbours.rows import has_direction
from analysis.records import Result, percent
from analysis.scoring.measure import Measure, Need, scored, unscored
from analysis.scoring.space import ManySpace
from analysis.settings import Setting, check

LEAST = 2  # languages, and rows of each
EPOCHS = 60  # of the classifier with a hidden layer


@dataclass(frozen=True)
class LanguageIdentitySettings:
    """Settings of language identity."""

    folds: Annotated[
        int, Setting("parts of the rows; each is scored by a classifier trained on the others", ge=2, le=20)
    ] = 2
    iterations: Annotated[int, Setting("most steps of the linear classifier's optimiser", ge=1, le=1000)] = 30
    strength: Annotated[float, Setting("inverse strength of its L2 regularisation", ge=1e-6, le=1e6)] = 1.0
    hidden: Annotated[
        int,
        Setting(
            "width of the hidden layer of the classifier of centred vectors", ge=1, le=4096,
            source="Libovický, Rosa and Fraser 2020, section 4, have such a layer as an option",
        ),
    ] = 256  # fmt: skip


@dataclass(frozen=True)
class _Sentences:
    """All sentences with a vector, as rows of one matrix: whose row of the data and which language each is."""

    vectors: np.ndarray
    row: np.ndarray
    language: np.ndarray
    languages: tuple[str, ...]
    note: str


def compute(space: ManySpace, settings: LanguageIdentitySettings | None = None, *, seed: int = 0) -> Result:
    """Classify the language of each sentence from its vector, by multinomial logistic regression.

    A row of the data is in one fold with all its translations, so no classifier is scored on the content it was
    trained on. Dimensions are standardised on the training rows. The optimiser stops early, which makes a thousand
    sentences a matter of seconds; the number is therefore one of what is easily read off.

    The part `centred` first subtracts from every sentence the mean of its own language over the training rows. That
    uses the language it is asked for, so it is no usable classifier: it measures what is left beyond the mean. Its
    classifier has a hidden layer, because a linear one is at chance there by construction: where all classes have
    one mean, the gradient of multinomial logistic regression vanishes at zero weights.

    Args:
        space: sentence vectors of the same rows in at least two languages.
        settings: see `LanguageIdentitySettings`.
        seed: seed of the folds and of the bootstrap over rows, in which classifiers are held fixed.

    Returns:
        Accuracy in percent; lower is more language-neutral, `chance` (100 / languages) is as low as it should get.
        Parts: `centred` accuracy, `chance`, number of languages. Items: each language with both accuracies and the
        language it is most often taken for. No score for one row, or where fewer than two languages have vectors.

    Raises:
        InputError: a setting out of bounds.

    Source: Libovický, Rosa and Fraser 2020, On the language neutrality of pre-trained multilingual representations,
    sections 3 and 4 (there with Adam and held-out centroids; here with L-BFGS and the training rows' centroids).
    """
    settings = settings or LanguageIdentitySettings()
    check(settings)
    data = _gather(space)
    rows = len(np.unique(data.row))
    if len(data.languages) < LEAST or rows < LEAST:
        found = f"{len(data.languages)} languages with vectors in {rows} rows"
        return unscored(SPEC, space, settings, seed=seed, note=f"it needs 2 languages and 2 rows, got {found}")
    fold = _folds(data.row, space.rows, settings.folds, seed)
    plain, centred = (_guesses(data, fold, settings, centre) for centre in (False, True))
    right, left = plain == data.language, centred == data.language
    count = np.bincount(data.row, minlength=space.rows)
    hits = np.bincount(data.row, weights=right, minlength=space.rows)
    return scored(
        SPEC, space, settings, seed=seed, sums=np.stack([count, hits], axis=1), score=percent, n=len(right),
        parts={
            "centred": float(100 * left.mean()), "chance": 100 / len(data.languages), "languages": len(data.languages),
        },
        items=_items(data, plain, right, left), note=data.note,
    )  # fmt: skip


def _gather(space: ManySpace) -> _Sentences:
    """All sentences that have a vector; a language without any is left out."""
    usable = {tag: np.flatnonzero(has_direction(vectors)) for tag, vectors in space.vectors.items()}
    here = tuple(tag for tag, index in usable.items() if len(index))
    notes, lost = [], sum(space.rows - len(usable[tag]) for tag in here)
    if lost:
        notes.append(f"{lost:,} sentences have no vector and are left out")
    if len(here) < len(usable):
        notes.append(f"no sentence of {', '.join(tag for tag in usable if tag not in here)} has a vector")
    if not here:
        empty = np.empty(0, dtype=np.int64)
        return _Sentences(np.empty((0, 1), np.float32), empty, empty, (), "; ".join(notes))
    return _Sentences(
        np.concatenate([space.vectors[tag][usable[tag]] for tag in here]).astype(np.float32),
        np.concatenate([usable[tag] for tag in here]),
        np.repeat(np.arange(len(here)), [len(usable[tag]) for tag in here]), here, "; ".join(notes),
    )  # fmt: skip


def _folds(row: np.ndarray, rows: int, folds: int, seed: int) -> np.ndarray:
    """(n,) fold of each sentence; rows are dealt in random order, those without any sentence last."""
    order = np.random.default_rng(seed).permutation(rows)
    order = np.concatenate([order[np.isin(order, row)], order[~np.isin(order, row)]])
    fold = np.empty(rows, dtype=np.int64)
    fold[order] = np.arange(rows) % folds
    return fold[row]


def _guesses(data: _Sentences, fold: np.ndarray, settings: LanguageIdentitySettings, centre: bool) -> np.ndarray:
    """(n,) the language each sentence is taken for by the classifier that was not trained on its row."""
    from threadpoolctl import threadpool_limits

    found = np.empty(len(fold), dtype=np.int64)
    # The matrices are small: threads that wait for each other cost more than they bring on a busy machine.
    with threadpool_limits(1):
        for one in np.unique(fold):
            train = fold != one
            vectors = _centred(data, train) if centre else data.vectors
            found[~train] = _classify(vectors[train], data.language[train], vectors[~train], settings, centre)
    return found


def _centred(data: _Sentences, train: np.ndarray) -> np.ndarray:
    """The vectors without the mean of their language's training sentences, if it has any."""
    vectors = data.vectors.copy()
    for language in range(len(data.languages)):
        mine = data.language == language
        if (mine & train).any():
            vectors[mine] -= data.vectors[mine & train].mean(axis=0)
    return vectors


def _classify(
    train: np.ndarray, labels: np.ndarray, test: np.ndarray, settings: LanguageIdentitySettings, hidden: bool
) -> np.ndarray:
    """Fit on one side and guess the other."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import StandardScaler

    if len(np.unique(labels)) < LEAST:
        return np.full(len(test), labels[0])
    scale = StandardScaler().fit(train)
    if hidden:
        model = MLPClassifier((settings.hidden,), max_iter=EPOCHS, random_state=0)
    else:
        model = LogisticRegression(C=settings.strength, max_iter=settings.iterations)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(scale.transform(train), labels)
    return model.predict(scale.transform(test))


def _items(data: _Sentences, said: np.ndarray, right: np.ndarray, left: np.ndarray) -> dict[str, Sequence[Any]]:
    """One line a language."""
    mine = [data.language == language for language in range(len(data.languages))]
    errors = [Counter(said[of & ~right].tolist()).most_common(1) for of in mine]
    return {
        "language": list(data.languages),
        "accuracy": [float(100 * right[of].mean()) for of in mine],
        "centred": [float(100 * left[of].mean()) for of in mine],
        "taken_for": [data.languages[found[0][0]] if found else "" for found in errors],
    }


SPEC = Measure(
    name="language_identity",
    title="Language identity",
    summary="How often a linear classifier tells a sentence's language from its vector; lower is more neutral.",
    unit="percent",
    higher_is_better=False,
    needs=Need.MANY,
    unit_of=Unit.SENTENCE,
    citation="Libovický, Rosa and Fraser 2020, On the language neutrality of pre-trained multilingual representations, "
    "sections 3 and 4",
    hides="A single telling dimension is enough for a high score, and removing it changes no neighbour: an encoder "
    "may keep the language and still align well, or lose it and align nothing.",
    has_floor=False,
    compute=compute,
    settings=LanguageIdentitySettings,
)
