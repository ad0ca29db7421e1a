"""Whether what a run has left behind is still of the same work."""

import shutil
from collections.abc import Sequence

from analysis.jobs.job import CHECKPOINTS, Job

MARK = "fingerprint.txt"


def begin_again(job: Job, mark: str, *, made: Sequence[str] = ()) -> None:
    """Clear a run whose state is of other data or settings: a file has changed between stop and resume.

    Args:
        job: the run.
        mark: hash of everything that decides the result.
        made: patterns of the files and folders that the work mades beside its checkpoints; they are cleared as well.
    """
    path = job.folder / MARK
    if path.exists() and path.read_text("utf-8") != mark:
        job.say("data or settings have changed since this run was stopped; starting anew")
        for old in [job.folder / CHECKPOINTS, *(one for pattern in made for one in job.folder.glob(pattern))]:
            if old.is_dir():
                shutil.rmtree(old, ignore_errors=True)
            else:
                old.unlink(missing_ok=True)
        job.rewind(-1)
    path.write_text(mark, "utf-8")
