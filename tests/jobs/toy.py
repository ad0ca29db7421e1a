"""Work that takes as long as a test wants, and the process that may call it.

Only code of the package may be a run's entry. `python -m tests.jobs.toy FOLDER` is the real process with that one
constant changed.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from analysis.errors import InputError

COMMAND = [sys.executable, "-m", "tests.jobs.toy"]


def count(spec, job):
    """Count to `total`, with a metric a step, a checkpoint every `every` steps."""
    started, state = job.latest() or (0, None)
    value = json.loads((state / "value.json").read_text())["value"] if state else 0
    assert value == started
    job.say(f"begin at {started}")
    for step in range(started + 1, spec["total"] + 1):
        time.sleep(spec.get("sleep", 0))
        value += 1
        job.metric(step, value=value)
        job.progress(step, spec["total"], "counting")
        if step % spec.get("every", 5) == 0:
            with job.checkpoint(step) as draft:
                (draft / "value.json").write_text(json.dumps({"value": value}))
                time.sleep(spec.get("sleep", 0))
                (draft / "whole").touch()
    return {"value": value, "pid": os.getpid()}


def deaf(spec, job):
    """Hear no SIGTERM, and have a deaf child in a session of its own."""
    import signal

    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True)
    child.stdout.readline()
    (job.folder / "child").write_text(str(child.pid))
    job.progress(1, 2)
    time.sleep(60)


def bad(spec, job):
    """Fail as the spec says."""
    if spec["how"] == "input":
        raise InputError("sentences=0 is too few;\nvalid: at least 1")
    if spec["how"] == "memory":
        raise MemoryError
    if spec["how"] == "silent":
        os._exit(3)
    return 1 / 0


def orphan(spec, job):
    """Leave a forked child behind that lives on."""
    pid = os.fork()
    if pid == 0:
        time.sleep(60)
        os._exit(0)
    (job.folder / "child").write_text(str(pid))
    job.progress(1, 2)
    time.sleep(60)


if __name__ == "__main__":
    from analysis.jobs import runs, work

    runs.PREFIXES = ("analysis.", "tests.")
    Path(sys.argv[1]).resolve(strict=True)
    sys.exit(work.main(sys.argv[1:]))
