"""Fine-tuning that cannot work says so in one clear line, before the first step."""

import pytest

from analysis.alignment.job import KIND, make_spec, run
from analysis.alignment.method import AlignmentData, Uses
from analysis.alignment.run import align
from analysis.encoders.load import load_encoder
from analysis.errors import InputError, IsoglossError
from analysis.jobs.job import Job
from analysis.registry import find, registered
from analysis.training.loop import Loop
from tests.training.material import bitext, chosen, lines, link_lines

pytestmark = pytest.mark.fast
# The two whose messages the first rooms were built around; the others refuse alike, by tests of their own.
TRAINED = ["cao", "contrastive"]


@pytest.fixture
def steps(monkeypatch):
    """The steps that were taken."""
    taken, real = [], Loop._step
    monkeypatch.setattr(Loop, "_step", lambda self, step, rows: (taken.append(step), real(self, step, rows)))
    return taken


def attempt(data, links, langs, encoder, settings, method, out):
    """What the command line does, in this process."""
    spec = make_spec(method, encoder, data=list(map(str, data)), out=out, langs=langs, links=links,
                     settings=["precision=float32", "max_steps=1", *settings])  # fmt: skip
    with Job.temporary(spec) as job:
        run(spec, job)


@pytest.fixture
def refused(tiny, tmp_path, steps):
    """The line that a job ends with; nothing may have been trained or written."""

    def call(text=None, *, method="contrastive", links=None, langs="en-es", encoder=tiny, settings=()):
        data, out = tmp_path / "pairs.txt", tmp_path / "out"
        data.write_text(lines(4) if text is None else text)
        given = []
        if links is not None:
            given = [tmp_path / "links.txt"]
            given[0].write_text(links)
        with pytest.raises(InputError) as caught:
            attempt([data], given, langs, str(encoder), settings, method, out)
        assert not steps
        assert not out.exists()
        line = str(caught.value)
        assert "\n" not in line
        assert caught.value.exit_code == 2
        return line

    return call


def test_methods_on_pairs_alone_ask_for_them():
    assert KIND == "align"
    asking = [spec for spec in registered("methods").values() if spec.trained and spec.needs == {Uses.DATA}]
    assert {"cao", "contrastive", "efimov", "labse", "ml_ctl", "multiway", "ppa"} <= {spec.name for spec in asking}
    for spec in asking:
        name = spec.name
        with pytest.raises(InputError, match=f"method {name} needs sentence pairs"):
            spec.fit(None, AlignmentData(), spec.settings(), say=print)


@pytest.mark.parametrize("method", TRAINED)
def test_text(refused, method):
    line = refused("en\tes\nthe dog\t\n\tel perro\n", langs=None, method=method)
    assert "no usable row" in line
    assert "lacks the anchor 'de'; choose one: --set anchor=" in refused(settings=["anchor=de"], method=method)
    assert "unknown language of the data 'fr'" in refused(settings=["languages=fr"], method=method)
    assert "max_words=1; give parallel rows" in refused(settings=["max_words=1"], method=method)
    assert "no sentence pair fits the encoder's 64 tokens" in refused("perezoso " * 60 + "||| zorro\n", method=method)


def test_links(refused):
    line = refused(links=link_lines(3))
    assert "links.txt" in line
    assert "3" in line
    assert "4" in line
    late = link_lines(4).splitlines()
    late[2] += " 0-40"
    line = refused(links="\n".join(late) + "\n")
    assert "links.txt:3: a link points past the " in line
    line = refused(links=link_lines(3) + "0:0\n")
    assert "links.txt:4: '0:0' is not a link" in line


def test_encoder_layers_and_settings(refused, tiny, tmp_path):
    assert "layer 4 does not exist" in refused(settings=["layers=4"])
    assert "layers='top' is not a list of layers; valid: all, last, middle" in refused(settings=["layers=top"])
    assert "no layer given" in refused(settings=["layers=,"])
    assert "layer 9 does not exist" in refused(settings=["links=own", "link_layer=9"])
    for blocks in ("0-2", "2-4", "3-2", "9"):
        assert f"blocks='{blocks}' lies outside the encoder; valid: all, or A-B within 1-3" in refused(
            settings=[f"blocks={blocks}"]
        )
    assert "blocks='low' is not a range of blocks" in refused(settings=["blocks=low"])
    assert "layer of at least 3" in refused(settings=["blocks=3", "layers=middle"])
    assert "unknown setting 'steps'" in refused(settings=["steps=3"])
    assert "unknown decoder 'nope'" in refused(settings=["links=own", "link_decoder=nope"])
    for broken in ("lr=nan", "lr=-1", "rank=0", "strength=1.5", "mixing=2", "epochs=0", "adapter=none", "dropout=maybe",
                   "batch_tokens=1", "lr=inf"):  # fmt: skip
        assert broken.split("=")[0] in refused(settings=[broken])
    align(find("methods", "rotation"), load_encoder(tiny), [bitext(6)], out=tmp_path / "closed", say=lambda _: None,
          settings=find("methods", "rotation").settings())  # fmt: skip
    line = refused(encoder=tmp_path / "closed")
    assert f"is closed-form maps on {tiny}, which cannot be fine-tuned; give {tiny}" in line


def test_an_encoder_without_blocks(refused, tiny, monkeypatch):
    model = load_encoder(tiny).model
    from analysis.encoders import encoder

    def blockless(folder, name):
        from dataclasses import replace

        return replace(model, blocks=None)

    monkeypatch.setattr(encoder, "load_model", blockless)
    assert "has no list of transformer blocks that could be trained; use another base" in refused()


@pytest.fixture(scope="module")
def here(tiny, tmp_path_factory):
    out = tmp_path_factory.mktemp("here") / "out"
    align(find("methods", "contrastive"), load_encoder(tiny), [bitext(6)], out=out, say=lambda _: None,
          settings=chosen(max_steps=1))  # fmt: skip
    return out


class TestOutput:
    """A folder that is taken."""

    def again(self, out, encoder, method="contrastive", **values):
        return align(find("methods", method), load_encoder(str(encoder)), [bitext(6)], out=out, say=lambda _: None,
                     settings=chosen(method, max_steps=1, **values))  # fmt: skip

    def test_another_run_is_kept(self, here, tiny, tiny_folders, steps):
        before = {path.name: path.read_bytes() for path in here.iterdir()}
        with pytest.raises(InputError, match="holds another run: contrastive on"):
            self.again(here, tiny, "cao")
        with pytest.raises(InputError, match="holds another run: contrastive on"):
            self.again(here, tiny_folders["bert"])
        with pytest.raises(InputError, match="is the base encoder itself"):
            self.again(here, here)
        assert not steps
        assert {path.name: path.read_bytes() for path in here.iterdir()} == before

    def test_the_same_run_is_replaced_and_its_other_kind_goes(self, here, tiny, tmp_path):
        import shutil

        out = tmp_path / "out"
        shutil.copytree(here, out)
        self.again(out, tiny, adapter="full")
        assert load_encoder(str(out)).kind == "full"
        assert not {"adapter_model.safetensors", "adapter_config.json"} & {path.name for path in out.iterdir()}
        self.again(out, tiny)
        assert {path.name for path in out.iterdir()} == {path.name for path in here.iterdir()}
        assert load_encoder(str(out)).words(bitext(2).source, cache=False).values.shape[2] == 16

    def test_what_breaks_leaves_the_earlier_encoder(self, here, tiny):
        before = {path.name: path.read_bytes() for path in here.iterdir()}
        with pytest.raises(IsoglossError, match="not finite"):
            align(find("methods", "contrastive"), load_encoder(tiny), [bitext(30)], out=here, say=lambda _: None,
                  settings=chosen(lr=1e30))  # fmt: skip
        assert {path.name: path.read_bytes() for path in here.iterdir()} == before
        assert [path.name for path in here.parent.iterdir()] == ["out"]

    def test_a_tuned_encoder_can_be_tuned_again(self, here, tmp_path):
        self.again(tmp_path / "second", here, "cao")
        second = load_encoder(str(tmp_path / "second"))
        assert second.base == str(here.resolve())
        values = [load_encoder(str(one)).words(bitext(3).source, cache=False).values for one in (here, second.folder)]
        assert abs(values[0] - values[1]).max() > 0


def test_a_run_killed_while_it_tidied_up_ends_as_it_was(tmp_path):
    from analysis.alignment.job import FINISHED, run
    from analysis.jobs.job import Job

    half = tmp_path / "checkpoints" / "00000007"
    half.mkdir(parents=True)
    (half / "state.json").write_text("{}")
    (tmp_path / "frozen-words-2.npy").write_bytes(b"")
    (tmp_path / FINISHED).write_text('{"encoder": "base+new", "folder": "new"}')
    assert run({}, Job(tmp_path, {})) == {"encoder": "base+new", "folder": "new"}
    assert {path.name for path in tmp_path.iterdir()} == {FINISHED}
