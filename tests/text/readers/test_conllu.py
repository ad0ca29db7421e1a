"""Parts of speech of treebanks."""

import pytest

from analysis.registry import find
from analysis.text.lines import Source
from analysis.text.problems import Problems

pytestmark = pytest.mark.fast
TREEBANK = """# text = Vámonos al mar.
1-2\tVámonos\t_\t_\t_\t_\t_\t_\t_\t_
1\tVamos\tir\tVERB\t_\t_\t0\troot\t_\t_
2\tnos\tnosotros\tPRON\t_\t_\t1\tobj\t_\t_
3-4\tal\t_\t_\t_\t_\t_\t_\t_\t_
3\ta\ta\tADP\t_\t_\t5\tcase\t_\t_
4\tel\tel\tDET\t_\t_\t5\tdet\t_\t_
5\tmar\tmar\tNOUN\t_\t_\t1\tobl\t_\tSpaceAfter=No
5.1\tgone\t_\tVERB\t_\t_\t_\t_\t_\t_
6\t.\t.\tPUNCT\t_\t_\t1\tpunct\t_\t_

# text = Hola
1\tHola\thola\tNN\t_\t_\t0\troot\t_\t_
"""


def sentences():
    source = Source("es_x-ud-dev.conllu", data=TREEBANK.encode())
    rows = find("readers", "conllu").read([source], languages=None, problems=Problems())
    return [row.sentences["es"] for row in rows]


def test_every_word_has_its_part_of_speech_and_a_contraction_has_none():
    sentence = sentences()[0]
    assert list(zip(sentence.words, sentence.tags, strict=True)) == [
        ("Vámonos", ""), ("al", ""), ("mar", "NOUN"), (".", "PUNCT")
    ]  # fmt: skip


def test_other_tag_sets_are_unknown():
    assert sentences()[1].tags == ()
