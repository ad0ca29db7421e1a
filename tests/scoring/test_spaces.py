"""From data to spaces: what each need gives, on a tiny encoder."""

import numpy as np
import pytest

from analysis.encoders.load import load_encoder
from analysis.encoders.vectors import Unit
from analysis.errors import InputError
from analysis.scoring.measure import Measure, Need
from analysis.scoring.space import ManySpace, PairSpace, TextSpace
from analysis.scoring.spaces import Coder, make_spaces
from analysis.settings import NoSettings
from analysis.text.corpus import Bitext, Relation, Sentence
from analysis.text.multitext import Multitext, Text

pytestmark = pytest.mark.fast
ENGLISH = tuple(Sentence.from_words(line.split(), "en") for line in ("the quick fox", "a bank", "the lazy dog"))
SPANISH = tuple(Sentence.from_words(line.split(), "es") for line in ("el zorro", "un banco", "el perro"))


def measure(need, unit=Unit.SENTENCE, **more):
    return Measure("toy", "Toy", "A toy.", "percent", True, need, unit, "", "All.", lambda space: space, **more)


def test_questions_encode_each_paragraph_once_and_keep_their_rows(tiny):
    answers = tuple(SPANISH[n] for n in (0, 0, 1))
    pairs = Bitext("quiz", ("en", "es"), ENGLISH, answers, relation=Relation.ANSWER)
    seen = []
    code = Coder((3,), cache=False, progress=lambda done, total: seen.append(total))
    (space,) = make_spaces(measure(Need.QUESTIONS), NoSettings(), load_encoder(tiny), pairs, code)
    assert isinstance(space, PairSpace)
    assert space.target.shape == (3, 16)
    np.testing.assert_array_equal(space.target[0], space.target[1])
    assert space.target_units.sentence.tolist() == [0, 1, 2]
    alone = load_encoder(tiny).sentences(answers, layers=[3], cache=False).values[0]
    np.testing.assert_allclose(space.target, alone, atol=1e-5)
    repeated = load_encoder(tiny).model.tokenizer([one.text for one in answers])["input_ids"]
    assert sorted(seen)[0] < sum(map(len, repeated))


def test_scores_and_parts_of_speech_come_along(tiny):
    tagged = tuple(Sentence(one.text, one.language, one.spans, tags=("X",) * len(one.spans)) for one in ENGLISH)
    pairs = Bitext("s", ("en", "es"), tagged, SPANISH, relation=Relation.SCORED, scores=(1.0, 2.0, 3.0))
    (space,) = make_spaces(
        measure(Need.SCORES, Unit.WORD), NoSettings(), load_encoder(tiny), pairs, Coder((3,), cache=False)
    )
    assert space.scores.tolist() == [1, 2, 3]
    assert space.tags == (("X",) * len(space.source), ("",) * len(space.target))


def test_many_languages_and_one_text_at_several_layers(tiny):
    many = Multitext("m", {"en": ENGLISH, "es": SPANISH})
    encoder, code = load_encoder(tiny), Coder((1, 3), cache=False)
    spaces = list(make_spaces(measure(Need.MANY), NoSettings(), encoder, many, code))
    assert [space.provenance["layer"] for space in spaces] == [1, 3]
    assert all(isinstance(space, ManySpace) and space.languages == ("en", "es") for space in spaces)
    text = Text("t", "en", ENGLISH)
    spaces = list(make_spaces(measure(Need.TEXT), NoSettings(), encoder, text, code))
    assert all(isinstance(space, TextSpace) and space.base_vectors is None for space in spaces)
    assert spaces[0].vectors.shape == (3, 16)


def test_a_measure_of_forgetting_needs_a_base(tiny):
    needs = measure(Need.TEXT, needs_base=True)
    text, code = Text("t", "en", ENGLISH), Coder((3,), cache=False)
    with pytest.raises(InputError, match="no aligned encoder"):
        list(make_spaces(needs, NoSettings(), load_encoder(tiny), text, code))
    (space,) = make_spaces(needs, NoSettings(), load_encoder(tiny), text, code, base=load_encoder(f"random:{tiny}"))
    assert space.base_vectors.shape == space.vectors.shape
    assert space.provenance["base"] == f"random:{tiny}"
