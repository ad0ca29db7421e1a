"""What every registered thing does because it is registered."""

import inspect

import numpy as np
import pytest

from analysis.encoders.load import load_encoder
from analysis.encoders.vectors import Unit
from analysis.errors import InputError, IsoglossError
from analysis.measures.evaluate import choose_settings, evaluate
from analysis.measures.measure import Need, fits, pair_space
from analysis.registry import ROOMS, find, registered
from analysis.settings import fields
from analysis.text.corpus import Bitext, Sentence
from analysis.text.lines import Source
from analysis.text.pharaoh import Links
from analysis.text.problems import Problems

pytestmark = pytest.mark.fast
WORDS = [("the quick fox", "el rápido zorro"), ("a bank", "un banco"), ("the dog jumps", "el perro salta"),
         ("brown bank", "banco marrón"), ("over a dog", "sobre un perro"), ("quick dog", "perro rápido")]  # fmt: skip
EMPTY_LINKS = Links()


def bitext(pairs=WORDS, links=True, languages=("en", "es")):
    source = tuple(Sentence.from_words(a.split(), languages[0]) for a, _ in pairs)
    target = tuple(Sentence.from_words(b.split(), languages[1]) for _, b in pairs)
    made = tuple(Links(frozenset((k, k) for k in range(min(len(a.spans), len(b.spans)))))
                 for a, b in zip(source, target, strict=True))  # fmt: skip
    return Bitext("hand", languages, source, target, made if links else None, "gold" if links else "")


def names(room):
    return sorted(registered(room))


@pytest.mark.parametrize("room", ROOMS)
def test_specs_are_complete(room):
    assert registered(room), f"nothing is registered in {room}"
    for name, spec in registered(room).items():
        assert name == spec.name
        assert name.replace("_", "").isalnum()
        assert name == name.lower()
        for attribute in ("title", "summary", "citation", "hides", "licence", "source"):
            if hasattr(spec, attribute) and attribute != "citation":
                assert getattr(spec, attribute).strip(), f"{name} lacks {attribute}"
        assert "\n" not in spec.summary


@pytest.mark.parametrize("room", ["decoders", "measures", "methods"])
def test_settings_have_help_and_valid_defaults(room):
    for name, spec in registered(room).items():
        for field in fields(spec.settings):
            assert field.setting.help != field.name, f"{name}.{field.name} has no help"
            if field.setting.choices:
                assert field.default in field.setting.choices
            if field.setting.ge is not None:
                assert field.default >= field.setting.ge


@pytest.mark.parametrize(("room", "entry"), [("measures", "compute"), ("methods", "fit"), ("decoders", "choose"),
                                            ("readers", "read"), ("corpora", "load")])  # fmt: skip
def test_docstrings(room, entry):
    for name, spec in registered(room).items():
        function = inspect.unwrap(getattr(spec, entry))
        module = inspect.getmodule(function)
        assert module.__doc__, name
        text = inspect.getdoc(function)
        assert text, f"{name} has no docstring"
        if room in ("measures", "methods"):
            for part in ("Args:", "Returns:", "Source:", "Raises:"):
                assert part in text, f"{name}: docstring lacks {part}"


@pytest.mark.parametrize("name", names("measures"))
class TestMeasures:
    """Every measure on empty, single, missing, broken and repeated input."""

    def test_one_row_and_no_row(self, name, tiny):
        encoder = load_encoder(tiny)
        result = evaluate(name, encoder, bitext(WORDS[:1]))
        assert result.score is None or np.isfinite(result.score)
        assert result.score is not None or result.note
        with pytest.raises(InputError):
            evaluate(name, encoder, bitext([]))

    def test_missing_needs_are_named_before_and_after(self, name, tiny):
        measure = find("measures", name)
        bare = bitext(links=False)
        if measure.needs is Need.LINKS:
            assert fits(measure, bare)
            with pytest.raises(InputError, match="links"):
                evaluate(name, load_encoder(tiny), bare)
        else:
            assert not fits(measure, bare)
            assert evaluate(name, load_encoder(tiny), bare).n > 0

    def test_one_language_is_enough(self, name, tiny):
        result = evaluate(name, load_encoder(tiny), bitext([(a, a) for a, _ in WORDS], languages=("en", "en")))
        assert result.score is not None

    def test_the_same_seed_gives_the_same_result(self, name, tiny):
        first, again = (evaluate(name, load_encoder(tiny), bitext(), seed=5) for _ in range(2))
        assert (first.score, first.low, first.high, first.parts) == (again.score, again.low, again.high, again.parts)
        np.testing.assert_array_equal(first.replicates, again.replicates)
        if first.low is not None:
            assert first.low <= first.high

    def test_inputs_are_not_changed_and_nan_is_never_silent(self, name, tiny):
        measure, encoder, data = find("measures", name), load_encoder(tiny), bitext()
        options = choose_settings(measure, encoder)
        unit = measure.unit_for(data, options)
        sides = [encoder.vectors(side, unit=unit, layers=[3], cache=False) for side in (data.source, data.target)]
        space = pair_space(*sides, layer=3, bitext=data)
        before = space.source.copy(), space.target.copy()
        measure.compute(space, options, seed=0)
        np.testing.assert_array_equal(space.source, before[0])
        np.testing.assert_array_equal(space.target, before[1])
        space.source[0] = np.nan
        result = measure.compute(space, options, seed=0)
        assert result.score is None or np.isfinite(result.score)

    def test_result_is_whole(self, name, tiny):
        measure = find("measures", name)
        result = evaluate(measure, load_encoder(tiny), bitext())
        assert (result.unit, result.higher_is_better) == (measure.unit, measure.higher_is_better)
        assert {"data_sha256", "encoder", "revision", "layer", "seed", "settings"} <= set(result.provenance)
        lengths = {len(column) for column in result.items.values()}
        assert len(lengths) == 1
        assert lengths.pop() > 0


@pytest.mark.parametrize("name", names("decoders"))
class TestDecoders:
    """Every decoder on odd matrices."""

    @pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (1, 1), (1, 5), (4, 2)])
    def test_links_lie_inside(self, name, shape):
        matrix = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
        links = find("decoders", name).decode(matrix)
        assert links.inside(*shape)
        assert set(links.scores) == set(links.sure)

    def test_not_numbers_are_never_linked(self, name):
        decoder = find("decoders", name)
        assert decoder.decode(np.full((2, 3), np.nan)) == EMPTY_LINKS
        matrix = np.eye(3)
        matrix[1] = np.nan
        assert all(i != 1 for i, _ in decoder.decode(matrix).sure)

    def test_a_clear_matrix_gives_the_diagonal_and_is_not_changed(self, name):
        matrix = np.eye(4) * 0.9 + 0.05
        before = matrix.copy()
        links = find("decoders", name).decode(matrix)
        assert {(k, k) for k in range(4)} <= links.sure
        assert links == find("decoders", name).decode(matrix)
        np.testing.assert_array_equal(matrix, before)


@pytest.mark.parametrize("name", names("methods"))
class TestMethods:
    """Every method on too little, and twice on the same."""

    def run(self, name, tiny, data, seed=0):
        from analysis.alignment.method import AlignmentData, orient

        spec = find("methods", name)
        inputs = AlignmentData(orient(data, "en"))
        return spec.fit(load_encoder(tiny), inputs, spec.settings(), seed=seed, say=lambda _: None)

    def test_no_data_is_bad_input(self, name, tiny):
        with pytest.raises(InputError):
            self.run(name, tiny, [])

    def test_one_pair_is_enough_or_bad_input_and_never_not_a_number(self, name, tiny):
        try:
            found = self.run(name, tiny, [bitext(WORDS[:1])])
        except InputError:
            return
        assert all(np.isfinite(value).all() for value in found.tensors.values())

    def test_the_same_seed_gives_the_same_tensors(self, name, tiny):
        first, again = (self.run(name, tiny, [bitext()], seed=1).tensors for _ in range(2))
        assert first.keys() == again.keys()
        for key, value in first.items():
            np.testing.assert_array_equal(value, again[key])

    def test_what_is_written_is_an_encoder_of_its_kind(self, name, tiny, tmp_path):
        from analysis.alignment.run import align

        spec = find("methods", name)
        align(spec, load_encoder(tiny), [bitext()], out=tmp_path / "out", settings=spec.settings(), say=lambda _: None)
        aligned = load_encoder(str(tmp_path / "out"))
        assert aligned.base == tiny
        assert aligned.card["kind"] in ("maps", "adapter", "full")
        before, after = (
            encoder.words(bitext().target, cache=False).values for encoder in (load_encoder(tiny), aligned)
        )
        assert before.shape == after.shape
        assert not np.array_equal(before, after)

    def test_tensor_names_and_shapes_of_maps(self, name, tiny):
        found = self.run(name, tiny, [bitext()])
        for key, value in found.tensors.items() if found.kind == "maps" else ():
            language, layer, *part = key.split("/")
            assert language in {"en", "es", "_basis"}
            assert 0 <= int(layer) <= 3
            assert value.shape[0] == 16 or part == ["core"]


@pytest.mark.parametrize("name", names("readers"))
@pytest.mark.parametrize("content", [b"", b"\n\n", b"\x00\x01", b"\xff\xfe\xfa", b"{", b"<a>", b"x ||| y\tz", b'"'])
def test_every_reader_survives_what_is_not_its_format(name, content):
    problems = Problems()
    try:
        rows = list(find("readers", name).read([Source.of(content, "odd")], languages=None, problems=problems))
    except IsoglossError as error:
        assert "\n" not in str(error)
        return
    for row in rows:
        assert row is not None


@pytest.mark.parametrize("name", [name for name in names("corpora") if not registered("corpora")[name].splits])
def test_every_corpus_that_comes_along(name):
    spec = find("corpora", name)
    corpus = spec.load()
    assert (len(corpus), set(corpus.languages)) == (spec.rows, set(spec.languages))
    assert (corpus.id, corpus.unit, corpus.licence) == (spec.name, spec.unit, spec.licence)
    assert len(set(corpus.row_ids)) == len(corpus)
    assert len(corpus.categories) in (0, len(corpus))
    for row in corpus.rows[:50]:
        for tag, sentence in row.items():
            assert sentence.language == tag
            assert sentence.text.strip()
            assert all(0 <= a < b <= len(sentence.text) for a, b in sentence.spans)
    assert corpus.digest == spec.load().digest


def test_units_of_measures_are_units():
    assert {spec.unit_of for spec in registered("measures").values()} <= set(Unit)
