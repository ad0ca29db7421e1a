"""The hub path, against a fake endpoint on this machine: fetched once, then offline; failures are one line."""

import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest

pytestmark = pytest.mark.fast
COMMIT = "0123456789abcdef0123456789abcdef01234567"
ROOT = Path(__file__).parents[2]


class FakeHub(http.server.BaseHTTPRequestHandler):
    """Serves the files of one folder as repository org/tiny."""

    def __init__(self, folder, *args):
        self.folder = folder
        super().__init__(*args)

    def log_message(self, *_args):
        """Keep the test output clean."""

    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def answer(self, body):
        path = self.path.partition("?")[0]
        if path.startswith("/api/models/org/tiny"):
            names = [{"rfilename": name.name} for name in sorted(self.folder.iterdir())]
            if "/tree/" in path:
                names = [{"type": "file", "path": n["rfilename"], "size": (self.folder / n["rfilename"]).stat().st_size,
                          "oid": "0" * 40} for n in names]  # fmt: skip
                return self.send(json.dumps(names).encode(), body, "application/json")
            text = json.dumps({"id": "org/tiny", "sha": COMMIT, "siblings": names, "private": False})
            return self.send(text.encode(), body, "application/json")
        if path.startswith("/org/tiny/resolve/"):
            return self.send((self.folder / path.rsplit("/", 1)[1]).read_bytes(), body, "application/octet-stream")
        self.send_response(404)
        self.send_header("X-Error-Code", "RepoNotFound")
        self.end_headers()
        return None

    def send(self, content, body, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if body:
            self.wfile.write(content)


@pytest.fixture(scope="module")
def endpoint(tiny_folders):
    """The address of a running fake hub."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(FakeHub, tiny_folders["bert"]))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def embed(tmp_path, endpoint, name, out):
    """Run `embed` in a process of its own, because the hub library reads its endpoint once."""
    text = tmp_path / "text.txt"
    text.write_text("the quick brown fox\n", "utf-8")
    environment = {**os.environ, "HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path / "hf"),
                   "HF_HUB_DISABLE_XET": "1", "HF_HUB_ETAG_TIMEOUT": "2"}  # fmt: skip
    command = [sys.executable, "-m", "analysis", "embed", str(text), "--encoder", name, "--lang", "en", "--no-cache"]
    return subprocess.run(
        [*command, "--out", str(tmp_path / out)], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_a_hub_encoder_is_fetched_once_and_then_needs_no_network(tmp_path, endpoint):
    done = embed(tmp_path, endpoint, "hub:org/tiny", "first")
    assert done.returncode == 0, done.stderr
    run = json.loads((tmp_path / "first" / "run.json").read_text())
    assert run["revision"] == COMMIT[:12]
    again = embed(tmp_path, "http://127.0.0.1:9", "hub:org/tiny", "second")
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "first" / "vectors.npy").read_bytes() == (tmp_path / "second" / "vectors.npy").read_bytes()


def test_an_unreachable_hub_is_a_failure_of_one_line(tmp_path):
    done = embed(tmp_path, "http://127.0.0.1:9", "hub:org/tiny", "out")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: cannot fetch encoder 'hub:org/tiny'")
    assert not (tmp_path / "out").exists()


def test_a_repository_that_is_not_there_is_bad_input(tmp_path, endpoint):
    done = embed(tmp_path, endpoint, "hub:org/absent", "out")
    assert done.returncode == 2
    assert done.stderr.startswith("error: encoder 'hub:org/absent' is not on the hub")
