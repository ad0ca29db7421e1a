"""The listings answer fast, name what is registered, and print one JSON value."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.fast
ROOT = Path(__file__).parents[2]
NAMES = {
    "encoders": {"bundled"},
    "corpora": {"tour", "emoji", "cldr"},
    "methods": {"centring", "rotation", "clbt"},
    "measures": {"word_retrieval", "sentence_retrieval", "link_f1", "aer", "cka"},
    "decoders": {"argmax", "itermax", "match", "softmax"},
}


@pytest.mark.parametrize("room", NAMES)
def test_names(isogloss, room):
    done = isogloss(room, "--json")
    assert done.code == 0
    assert NAMES[room] <= {entry["name"] for entry in done.json}
    table = isogloss(room).out
    assert all(name in table for name in NAMES[room])


def test_exactly_one_encoder_a_base_is_recommended(isogloss):
    entries = [entry for entry in isogloss("encoders", "--json").json if entry["kind"] == "aligned"]
    for base in {entry["base"] for entry in entries if entry["origin"] == "shipped"}:
        mine = [entry for entry in entries if entry["base"] == base and entry["recommended"]]
        assert len(mine) == 1, base


def test_a_listing_imports_nothing_heavy():
    code = (
        "import sys; from analysis.cli import run; code = run(['encoders', '--json']) or run(['methods']) or run(['corpora'])"
        "; heavy = {'torch', 'transformers', 'streamlit', 'umap', 'sklearn', 'scipy', 'plotly'} & set(sys.modules)"
        "; sys.exit(f'{heavy}' if heavy else code)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_usage_errors_are_one_line(isogloss):
    for arguments in (["nonsense"], ["embed"], [], ["encoders", "--nope"], ["cache", "extra"]):
        done = isogloss(*arguments)
        assert done.code == 2, arguments
        assert done.error
        assert done.err.count("\n") == 1, done.err


def test_help_is_everywhere(isogloss):
    for command in ("", *NAMES, "embed", "links", "align", "evaluate", "tune", "cache"):
        done = isogloss(*filter(None, [command]), "--help")
        assert done.code == 0
        assert "Usage" in done.out + done.err


def test_cache_shows_and_clears(isogloss, cache, tiny, write, tmp_path):
    isogloss("embed", write("t.txt", "a b\n"), "--encoder", tiny, "--out", tmp_path / "o")
    (cache / "encoders" / "mine").mkdir(parents=True)
    (cache / "encoders" / "mine" / "keep").write_text("x")
    shown = isogloss("cache", "--json").json
    assert shown["folder"] == str(cache)
    assert shown["bytes"]["vectors"] > 0
    assert isogloss("cache", "--clear", "--json").json["freed"] > 0
    assert not (cache / "vectors").exists()
    assert (cache / "encoders" / "mine" / "keep").exists()


def test_json_goes_alone_to_standard_output(tiny, tmp_path):
    file = tmp_path / "p.txt"
    file.write_text("the quick fox ||| el rápido zorro\nbad\nthe dog ||| el perro\n", "utf-8")
    command = [sys.executable, "-m", "analysis", "evaluate", "sentence_retrieval", "--encoder", tiny, "--json"]
    done = subprocess.run(
        [*command, "--data", str(file), "--langs", "en-es"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["measure"] == "sentence_retrieval"
    assert f"warning: {file}:2:" in done.stderr
