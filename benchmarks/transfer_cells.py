"""What the grid of transfer consists of: tasks with their samples, regimes with the task their paper used, encoders."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
CELLS = HERE / "results" / "transfer"
BASE, RECOMMENDED, OTHER = "bundled", "bundled+combined", "bundled+cao"
SEEDS = (0, 1, 2)
RETRIEVAL = "set:wordalign_xlwa:en,es,ru:test"  # word retrieval before and after the task


@dataclass(frozen=True)
class Use:
    """How a task is used here.

    Attributes:
        name: registered name.
        train, test: its data.
        settings: of every regime beside `COMMON`; chosen by English held-out text on `bundled` alone.
        sample: test items of each language, the same ones where a set is multi-way; 0 means all.
    """

    name: str
    train: str
    test: str
    settings: tuple[str, ...] = ()
    sample: int = 0


# The upper half trains, without dropout: half of the time of a step.
COMMON = ("blocks=7-12", "dropout=false")
TASKS = {
    one.name: one
    for one in (
        Use(
            "topics",
            "set:sib200:en:train",
            "set:sib200:en,ar,de,es,fi,fr,hi,ja,ko,ru,sw,th,tr,vi,zh:test",
            ("epochs=3",),
        ),
        Use("nli", "set:xnli:en:dev-a", "set:xnli:all:dev-b", ("pair=apart", "epochs=2", "batch=32"), 240),
        Use("pos", "set:udpos:en:train", "set:udpos:all:dev", ("max_items=1000", "epochs=2"), 60),
        Use("ner", "set:ner_wikineural:en:train", "set:ner_wikineural:all:test", ("max_items=1000", "epochs=2"), 200),
        Use("sts", "set:stsb_multi:en:train", "set:stsb_multi:all:test", ("max_items=1500", "batch=32"), 250),
    )
}
FULL_TESTS = {
    "topics": "set:sib200:all:test", "nli": "set:xnli:all:dev-b", "pos": "set:udpos:all:dev",
    "ner": "set:ner_wikineural:all:test", "sts": "set:stsb_multi:all:test",
}  # fmt: skip
DICTIONARIES = tuple(f"set:bli_xling:en-{tag}:train" for tag in ("de", "fr", "it", "ru", "tr", "fi"))


@dataclass(frozen=True)
class Line:
    """A regime on a task that its paper used, with what it needs.

    Attributes:
        regime: registered name.
        task: registered name.
        data: `--data`.
        dictionary: `--dictionary`.
        monolingual: `--monolingual`.
        settings: of this regime.
        label: what the cell is called where that is not the regime's name.
    """

    regime: str
    task: str
    data: tuple[str, ...] = ()
    dictionary: tuple[str, ...] = ()
    monolingual: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    label: str = ""


PARALLEL = ("set:tatoeba:all:test",)
REGIMES = (
    Line("cosda", "topics", dictionary=DICTIONARIES, settings=("cross=0.4",)),
    Line("ear", "topics"),
    Line("monox", "topics", settings=("teacher_mlm_steps=10",)),  # a teacher within the two minutes
    Line("robust", "nli"),
    Line("multiverse", "nli"),
    Line("hierarchical", "nli"),
    Line("ppa_codeswitch", "nli", data=("set:xnli:all:dev-a",)),
    Line("joint", "nli", data=PARALLEL),
    Line("gem", "pos", data=PARALLEL),
)
# The head alone trains: what is read is in the encoder already. Similarity is a cosine and has no head to train.
PROBES = tuple(
    Line("plain", name, settings=("mode=probe", "blocks=all", "epochs=5"), label="probe")
    for name in TASKS
    if name != "sts"
)


@dataclass(frozen=True)
class Cell:
    """One training and its scores.

    Attributes:
        line: regime and task.
        encoder: name.
        seed: of the training.
        full: whether all test items are scored.
    """

    line: Line
    encoder: str
    seed: int
    full: bool = False

    @property
    def name(self) -> str:
        """`plain-nli-bundled_combined-0`."""
        whole = "-full" if self.full else ""
        return f"{self.line.label or self.line.regime}-{self.line.task}-{self.encoder.replace('+', '_')}-{self.seed}{whole}"

    @property
    def path(self) -> Path:
        """Its committed scores; the counts by item lie beside it."""
        return CELLS / f"{self.name}.json"

    @property
    def items(self) -> Path:
        """The committed counts by item, which the paired tests resample."""
        return CELLS / "items" / f"{self.name}.npz"

    def command(self, out: Path) -> list[str]:
        """The command that makes it."""
        task = TASKS[self.line.task]
        words = [sys.executable, "-m", "analysis", "transfer", self.line.regime, "--task", task.name,
                 "--encoder", self.encoder, "--train", task.train,
                 "--test", FULL_TESTS[task.name] if self.full else task.test]  # fmt: skip
        for kind in ("data", "dictionary", "monolingual"):
            words += [part for one in getattr(self.line, kind) for part in (f"--{kind}", one)]
        sample = (f"test_items={task.sample}",) if task.sample and not self.full else ()
        words += [part for one in (*COMMON, *task.settings, *sample, *self.line.settings) for part in ("--set", one)]
        if not self.full:
            words += ["--alignment", RETRIEVAL]
        return [*words, "--seed", str(self.seed), "--out", str(out), "--fresh", "--json"]


def plain_cells(seed: int) -> list[Cell]:
    """Plain fine-tuning of one seed: every task and encoder."""
    return [Cell(Line("plain", name), encoder, seed) for name in TASKS for encoder in (BASE, RECOMMENDED, OTHER)]


def probe_cells(seed: int) -> list[Cell]:
    """Linear probes of one seed: every task with a head to train, and every encoder."""
    return [Cell(line, encoder, seed) for line in PROBES for encoder in (BASE, RECOMMENDED, OTHER)]


def regime_cells(seed: int) -> list[Cell]:
    """Every other regime of one seed on base and recommended encoder."""
    return [Cell(line, encoder, seed) for line in REGIMES for encoder in (BASE, RECOMMENDED)]


def full_cells() -> list[Cell]:
    """Plain fine-tuning scored on whole test sets."""
    return [Cell(Line("plain", name), encoder, 0, full=True) for name in TASKS for encoder in (BASE, RECOMMENDED)]


def all_cells() -> Iterator[Cell]:
    """Everything, seed by seed, so that a table stands wherever it is cut off."""
    for seed in SEEDS:
        yield from plain_cells(seed)
        yield from regime_cells(seed)
    for seed in SEEDS:
        yield from probe_cells(seed)
    yield from full_cells()
