"""What every registered thing does because it is registered."""

import inspect
import json

import numpy as np
import pytest

from analysis.encoders.load import load_encoder
from analysis.encoders.vectors import Unit
from analysis.errors import InputError, IsoglossError
from analysis.registry import ROOMS, find, registered
from analysis.scoring.evaluate import choose_settings, evaluate
from analysis.scoring.measure import Need, fits
from analysis.settings import fields
from analysis.text.lines import Source
from analysis.text.pharaoh import Links
from analysis.text.problems import Problems
from tests.measures.materials import (
    MAKE,
    WORDS,
    arrays,
    bitext,
    material,
    one_language,
    space_of,
    with_empty_row,
    write_aligned,
    write_headed,
)

pytestmark = pytest.mark.fast
EMPTY_LINKS = Links()


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


@pytest.fixture(scope="session")
def encoders(tmp_path_factory):
    """Three tiny encoders: with a masked-LM head, aligned from it, and that one's base."""
    root = tmp_path_factory.mktemp("encoders")
    base = str(write_headed(root / "base"))
    return {"base": base, "aligned": str(write_aligned(root / "aligned", base))}


@pytest.fixture
def encoder(encoders, name):
    """An encoder that the measure `name` can be asked of."""
    return load_encoder(encoders["aligned" if find("measures", name).needs_base else "base"])


def assert_honest(result):
    """A score that is a number, or none with a reason; parts and intervals likewise; items of one length."""
    assert result.score is None or np.isfinite(result.score)
    assert result.score is not None or result.note
    assert (result.low is None) == (result.high is None)
    for part in (result.low, result.high, *result.parts.values()):
        assert part is None or (type(part) in (int, float) and np.isfinite(part))
    assert len({len(column) for column in result.items.values()}) <= 1
    json.dumps(result.as_dict() | {"items": {key: list(column) for key, column in result.items.items()}},
               allow_nan=False)  # fmt: skip


@pytest.mark.parametrize("name", names("measures"))
class TestMeasures:
    """Every measure on empty, single, missing, broken and repeated input."""

    def test_one_row_and_no_row(self, name, encoder):
        need = find("measures", name).needs
        assert_honest(evaluate(name, encoder, material(need, WORDS[:1])))
        with pytest.raises(InputError):
            evaluate(name, encoder, material(need, []))

    def test_missing_needs_are_named_before_and_after(self, name, encoder):
        measure = find("measures", name)
        for need, make in MAKE.items():
            data = make() if need is not Need.PAIRS else bitext(links=False)
            reason = fits(measure, data)
            assert bool(reason) == (measure.needs not in ((need, Need.PAIRS) if need is Need.LINKS else (need,)))
            if not reason:
                assert_honest(evaluate(name, encoder, data))
                continue
            with pytest.raises(InputError) as caught:
                evaluate(name, encoder, data)
            assert "\n" not in str(caught.value)

    def test_a_base_or_head_that_is_missing_is_bad_input(self, name, tiny):
        measure = find("measures", name)
        if measure.needs_base or measure.needs_head:
            with pytest.raises(InputError, match=r"base|head") as caught:
                evaluate(name, load_encoder(tiny), material(measure.needs))
            assert "\n" not in str(caught.value)

    def test_one_language_is_enough(self, name, encoder):
        assert evaluate(name, encoder, one_language(find("measures", name).needs)).score is not None

    def test_a_row_without_words_is_no_crash(self, name, encoder):
        result = evaluate(name, encoder, with_empty_row(find("measures", name).needs))
        assert_honest(result)
        assert result.score is not None

    def test_the_same_seed_gives_the_same_result(self, name, encoder):
        data = material(find("measures", name).needs)
        first, again = (evaluate(name, encoder, data, seed=5) for _ in range(2))
        assert (first.score, first.low, first.high, first.parts) == (again.score, again.low, again.high, again.parts)
        np.testing.assert_array_equal(first.replicates, again.replicates)
        if first.low is not None:
            assert first.low <= first.high

    def test_replicates_of_two_layers_pair(self, name, encoder):
        measure = find("measures", name)
        one, other = (evaluate(name, encoder, material(measure.needs), seed=5, layer=layer) for layer in (2, 3))
        assert len(one.replicates) == len(other.replicates) >= 200
        assert one.clusters == other.clusters > 1

    def test_inputs_are_not_changed_and_nan_is_never_silent(self, name, encoder):
        measure, data = find("measures", name), material(find("measures", name).needs)
        options = choose_settings(measure, encoder)
        space = space_of(measure, encoder, data, options)
        before = [one.copy() for one in arrays(space)]
        measure.compute(space, options, seed=0)
        for one, kept in zip(arrays(space), before, strict=True):
            np.testing.assert_array_equal(one, kept)
        arrays(space)[0][0] = np.nan
        assert_honest(measure.compute(space, options, seed=0))
        arrays(space)[0][:] = np.nan
        assert_honest(measure.compute(space, options, seed=0))

    def test_result_is_whole(self, name, encoder):
        measure = find("measures", name)
        result = evaluate(measure, encoder, material(measure.needs))
        assert_honest(result)
        assert result.score is not None
        assert (result.unit, result.higher_is_better) == (measure.unit, measure.higher_is_better)
        assert {"data_sha256", "encoder", "revision", "layer", "seed", "settings"} <= set(result.provenance)
        assert result.items
        assert len(next(iter(result.items.values()))) > 0


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
        inputs = AlignmentData(orient(data, "en"), dictionaries=self.dictionaries(spec))
        return spec.fit(load_encoder(tiny), inputs, spec.settings(), seed=seed, say=lambda _: None)

    def dictionaries(self, spec):
        """Word translations for a method that cannot do without."""
        from analysis.alignment.method import Uses
        from analysis.text.dictionary import Dictionary

        entries = tuple(
            dict.fromkeys((b, a) for left, right in WORDS for a, b in zip(left.split(), right.split(), strict=True))
        )
        return (Dictionary(("es", "en"), entries, "made"),) if Uses.DICTIONARY in spec.needs_all else ()

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
        align(
            spec, load_encoder(tiny), [bitext()], out=tmp_path / "out", settings=spec.settings(), say=lambda _: None,
            dictionaries=self.dictionaries(spec),
        )  # fmt: skip
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
