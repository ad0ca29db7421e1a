"""A way to run the command line inside the test process."""

import json
from dataclasses import dataclass

import pytest

from analysis.cli import run


@dataclass
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def error(self):
        """The one error line."""
        lines = [line for line in self.err.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1, self.err
        return lines[0]


@pytest.fixture
def isogloss(capfd):
    """Run a command; returns its exit code, standard output and standard error."""

    def call(*arguments):
        capfd.readouterr()
        code = run([str(argument) for argument in arguments])
        caught = capfd.readouterr()
        return Done(code, caught.out, caught.err)

    return call


@pytest.fixture
def write(tmp_path):
    """Write a file of text or bytes and return its path."""

    def write_file(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    return write_file
