"""Runs that are killed again and again: a process that has loaded the libraries forks the workers and kills them.

`python -m tests.training.killer PLAN`, where PLAN is a JSON file of `[{"folder", "kills", "seed"}]`: each folder holds
a run, whose worker is ended by SIGKILL that many times and then works to the end: by turns at a random moment within a
third of the time that the run before it took, and soon after it has written a checkpoint, so that every run is resumed
however fast the machine is.
Forking saves the seconds that loading the libraries takes; everything else a worker does is the real thing.
"""

import json
import os
import random
import sys
import time
from importlib import import_module
from pathlib import Path

LIBRARIES = ("torch", "transformers", "peft", "accelerate", "safetensors.torch", "analysis.alignment.job",
             "analysis.transfer.job",
             "transformers.models.xlm_roberta.modeling_xlm_roberta", "analysis.scoring.evaluate")  # fmt: skip


def work(folder):
    """One worker in a fork; returns its process id."""
    from analysis.jobs import process, work

    pid = os.fork()
    if pid:
        return pid
    with (Path(folder) / process.LOG).open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    code = 70
    try:
        code = work.main([folder])
    finally:
        os._exit(code)


def checkpoints(folder):
    """Names of the whole checkpoints of a run."""
    try:
        return {name for name in os.listdir(Path(folder) / "checkpoints") if name.isdigit()}
    except FileNotFoundError:
        return set()


def disturbed(folder, kills, seed, until):
    """Kill the workers of a run; returns how often one was killed before it was done, and the last exit code."""
    chance, killed = random.Random(seed), 0
    for number in range(kills):
        before = checkpoints(folder)
        pid = work(folder)
        end = time.monotonic() + chance.uniform(0.02, until)
        while time.monotonic() < end or (number % 2 and checkpoints(folder) == before):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                return killed, os.waitstatus_to_exitcode(status)
            time.sleep(0.005)
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        killed += 1
    return killed, os.waitstatus_to_exitcode(os.waitpid(work(folder), 0)[1])


def main(path):
    """Follow a plan and print what happened, a JSON line for each run."""
    for name in LIBRARIES:
        import_module(name)
    import torch

    from analysis.training import loop
    from analysis.transfer import fit

    torch.set_num_threads(1)
    loop.CHECKPOINT_SECONDS = fit.CHECKPOINT_SECONDS = 0.1
    seconds = 1.0
    for one in json.loads(Path(path).read_text()):
        began = time.monotonic()
        killed, code = disturbed(**one, until=seconds / 3)
        seconds = time.monotonic() - began
        print(json.dumps({"killed": killed, "code": code}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
