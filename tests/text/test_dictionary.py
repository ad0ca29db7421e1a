"""Dictionaries out of word lists, FreeDict files, public sets and word links; broken lines are warnings."""

import gzip

import pytest

from analysis.errors import InputError
from analysis.text.dictionary import Dictionary, load_dictionary, set_dictionaries
from analysis.text.freedict import parse_entry
from analysis.text.problems import Problems

pytestmark = pytest.mark.fast
B64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
ENTRIES = {
    "00-database-short": "00-database-short\n     English-German FreeDict Dictionary ver. 0.3.7\n",
    "00-database-info": "00-database-info\nAvailable under the GNU General Public License ver. 2.0 and any later\n",
    "bed": "bed /bed/\nBeet <n>, Bett <n, neut>; betten, Lager [mil.] <n>\n",
    "gold": "gold //ɡoʊld// //ɡəʊld// <adj>\n  1. golden; aus Gold\n  2. (alt) Gold\n",
    "wood": "wood //wʊd// <n>\n1. Holz 2.\n(uncountable) The substance making up the trunk of a tree.\n2. Wald\nMany trees.\n",
    "colour": "colour, color /kʌlə/ <n>\n Farbe\n   A property of light, as seen.\n   Synonyms: {hue}, {tint}\n",
    "to)": "to) /tou/\nungünstig (für), von), überreden\n",
    "see": 'see\n  See also: {look}\n  "I see" - ach so\n',
    "dont": "don't /doʊnt/\nnicht\n",
}


def number(value):
    """A number as the index of dictd writes it."""
    digits = B64[value % 64]
    while value := value // 64:
        digits = B64[value % 64] + digits
    return digits


def write_dictd(folder, name="eng-deu", packed=True, extra=()):
    """The two files of a dictd dictionary, entry by entry; `extra` are more lines of the index."""
    data, lines = b"", []
    for word, text in ENTRIES.items():
        raw = text.encode()
        lines.append(f"{word}\t{number(len(data))}\t{number(len(raw))}")
        if word == "colour":
            lines.append(f"color\t{number(len(data))}\t{number(len(raw))}")
        data += raw
    (folder / f"{name}.index").write_text("\n".join([*lines, *extra]) + "\n", "utf-8")
    (folder / (f"{name}.dict.dz" if packed else f"{name}.dict")).write_bytes(gzip.compress(data) if packed else data)
    return folder / f"{name}.index"


def load(path, text=None, **options):
    """A dictionary out of a file with this text, and the warnings."""
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    problems = Problems()
    return load_dictionary(str(path), problems=problems, **options), [str(one) for one in problems]


WANTED = (("dog", "Hund"), ("ice cream", "Eis"))


@pytest.mark.parametrize("text", [
    "dog\tHund\nice cream\tEis\n",
    "﻿dog\tHund\r\n\r\nice  cream\tEis\r\n",
    "en\tde\ndog\tHund\nice cream\tEis\n",
    "de\ten\nHund\tdog\nEis\tice cream\n",
    "dog\tHund\t0.9\ndog\tHund\t0.8\nice cream\tEis\n",
])  # fmt: skip
def test_two_columns(tmp_path, text):
    found, warnings = load(tmp_path / "words.tsv", text, langs="en-de")
    assert (found.languages, found.entries, warnings) == (("en", "de"), WANTED, [])
    packed = tmp_path / "words.tsv.gz"
    assert load(packed, gzip.compress(text.encode()), langs="en-de")[0].digest == found.digest


def test_columns_between_spaces(tmp_path):
    found, warnings = load(tmp_path / "en-de.0-5000.txt", "dog Hund\ncat  Katze 0.71\nice cream Eis\n")
    assert (found.languages, found.entries) == (("en", "de"), (("dog", "Hund"), ("cat", "Katze")))
    assert len(warnings) == 1
    assert warnings[0].startswith(f"warning: {tmp_path}/en-de.0-5000.txt:3: 'ice cream Eis' has 3 words and no tab")


def test_broken_lines_are_warnings_and_never_an_end(tmp_path):
    text = b"dog\tHund\nlone\n\tleer\nkein\t \n\xff\xfe\tx\nM\xfcller\ty\n"
    found, warnings = load(tmp_path / "w.tsv", text, langs="en-de")
    assert found.entries == (("dog", "Hund"),)
    assert [line.split(":")[2] for line in warnings] == ["5", "6", "2", "3", "4"]
    assert [line.split(": ")[2].split(";")[0] for line in warnings] == [
        "not UTF-8 (byte 0xff at 0)", "not UTF-8 (byte 0xfc at 1)", "'lone' has no second column",
        r"'\tleer' has an empty word", r"'kein\t ' has an empty word",
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "langs", "says"), [
    ("en-de.txt", "lone\nalso\n", None, "has no entry that can be read; valid: a word and its translation a line"),
    ("w.txt", "dog Hund\n", None, "does not say its languages; name them in the order of its columns: --langs A-B"),
    ("w.txt", "dog Hund\n", "german", "'german' is not a language pair; valid: A-B"),
    ("w.txt", "", "en-de", "is empty"),
])  # fmt: skip
def test_refusals(tmp_path, name, text, langs, says):
    with pytest.raises(InputError, match=says) as caught:
        load(tmp_path / name, text, langs=langs)
    assert "\n" not in str(caught.value)


def test_who_says_the_languages(tmp_path):
    entry = "dog\tHund\n"
    assert load(tmp_path / "en-de.tsv", entry)[0].languages == ("en", "de")
    assert load(tmp_path / "eng-deu.tsv", entry)[0].languages == ("en", "de")
    assert load(tmp_path / "w.tsv", f"en\tde\n{entry}")[0].languages == ("en", "de")
    # A file's name holds: one --langs may stand for other data, and other dictionaries, as well.
    assert load(tmp_path / "en-de.tsv", entry, langs="de-en")[0].entries == (("dog", "Hund"),)
    assert load(tmp_path / "en-de.tsv", entry, langs="de-en")[0].languages == ("en", "de")
    found, warnings = load(tmp_path / "en-de.tsv", entry, langs="da-nl")
    assert found.languages == ("en", "de")
    assert len(warnings) == 1
    assert "is en-de by its name, so da-nl does not apply to it" in warnings[0]
    assert load(tmp_path / "w.tsv", entry, langs="da-nl")[0].languages == ("da", "nl")
    found, warnings = load(tmp_path / "w.tsv", f"en\tru\n{entry}", langs="en-de")
    assert found.entries[0] == ("en", "ru")
    assert "en-ru is read as an entry, not as a header" in warnings[0]
    # "it es" is an entry of an English-German dictionary, not a header.
    assert load(tmp_path / "en-de.tsv", "it\tes\n")[0].entries == (("it", "es"),)
    with pytest.raises(InputError, match="does not say its languages"):
        load(tmp_path / "my-words.tsv", entry)


@pytest.mark.parametrize("packed", [True, False])
def test_freedict(tmp_path, packed):
    index = write_dictd(tmp_path, packed=packed)
    found, warnings = load(index)
    assert (found.languages, found.origin) == (("en", "de"), "English-German FreeDict Dictionary ver. 0.3.7")
    assert found.licence == "GNU General Public License"
    assert found.entries == (
        ("bed", "Beet"), ("bed", "Bett"), ("bed", "betten"), ("bed", "Lager"),
        ("gold", "golden"), ("gold", "aus Gold"), ("gold", "Gold"), ("wood", "Holz"), ("wood", "Wald"),
        ("colour", "Farbe"), ("color", "Farbe"), ("don't", "nicht"),
    )  # fmt: skip
    assert warnings == [f"warning: {index}:0: 2 entries have no translation that can be read; they are left out"]
    other = tmp_path / ("eng-deu.dict.dz" if packed else "eng-deu.dict")
    assert load(other)[0].entries == load(tmp_path / "eng-deu")[0].entries == found.entries


def test_broken_index_lines(tmp_path):
    extra = ["half\tA", "far\tA\t/////", "odd\t?\tB", "\tA\tB"]
    index = write_dictd(tmp_path, "freedict-swh-eng", extra=extra)
    found, warnings = load(index)
    assert found.languages == ("sw", "en")
    assert len(found) == 12
    assert [line.split(": ")[2] for line in warnings[:4]] == [
        r"'half\tA' is not `headword, offset, length`; the line is left out",
        "'far' points past the end of the entries; the line is left out",
        r"'odd\t?\tB' has a number that is not in base 64; the line is left out",
        r"'\tA\tB' is not `headword, offset, length`; the line is left out",
    ]
    (tmp_path / "freedict-swh-eng.dict.dz").unlink()
    with pytest.raises(InputError, match=r"has no freedict-swh-eng.dict or freedict-swh-eng.dict.dz beside it"):
        load(index)


@pytest.mark.parametrize(("text", "words"), [
    ("x\n1. a (b (c) d), e; f, a\n2. g\n", ["a", "e", "f", "g"]),
    ("x\n\n  <noun>\n  a\n  b\n", ["a"]),
    ("x /y/", []),
    ("", []),
    ("x\nNote: no\n[only a note]\n", []),
    ("x\nA thing that is something.\n", []),
    ("x\na، b؛ c、d\n", ["a", "b", "c", "d"]),
])  # fmt: skip
def test_what_is_a_translation(text, words):
    assert parse_entry(text, ["x"]) == [("x", word) for word in words]


def test_helpers():
    made = Dictionary(("en", "de"), (("Dog", "Hund"), ("dog", "Köter"), ("dog", "Hund"), ("cat", "Katze")), "d")
    assert made.translations() == {"dog": ("Hund", "Köter"), "cat": ("Katze",)}
    assert made.flipped().entries[0] == ("Hund", "Dog")
    assert made.flipped().flipped() == made
    assert made.oriented("de") is made
    assert made.oriented("en").languages == ("de", "en")
    with pytest.raises(
        InputError,
        match="d is en-de and lacks the anchor 'fr'; give a dictionary with it, or choose "
        "one: --set anchor=en or --set anchor=de",
    ):
        made.oriented("fr")
    assert made.digest == Dictionary(("en", "de"), made.entries, "another name").digest
    assert len({made.digest, made.flipped().digest, Dictionary(("en", "de"), made.entries[:2]).digest}) == 3


def test_links_that_the_data_bring(tmp_path):
    found = load_dictionary("links:corpus:tour", langs="de-en")
    assert found.languages == ("de", "en")
    assert len(found) > 50
    path = tmp_path / "p.txt"
    path.write_text("the dog ||| der Hund\n", "utf-8")
    with pytest.raises(InputError, match="brings no word links; make the dictionary first: python -m analysis dict"):
        load_dictionary(f"links:{path}", langs="en-de")
    with pytest.raises(InputError, match="choose one: --langs A-B"):
        load_dictionary("links:corpus:tour")


def test_public_sets(shared_data):
    found = load_dictionary("set:bli_xling:en-de:train", data_dir=shared_data)
    assert (found.languages, found.entries[0]) == (("en", "de"), ("of", "von"))
    assert 4900 < len(found) <= 5000
    assert load_dictionary("set:bli_xling:all:test", langs="fi-en", data_dir=shared_data).languages == ("en", "fi")
    assert len(set_dictionaries("set:bli_xling:all:test", data_dir=shared_data)) == 6
    with pytest.raises(InputError, match="is 6 language pairs .*choose one: --langs A-B"):
        load_dictionary("set:bli_xling:all:test", data_dir=shared_data)
    with pytest.raises(InputError, match="unknown language pair of set:bli_xling:en-de:test 'en-fr'"):
        load_dictionary("set:bli_xling:en-de:test", langs="en-fr", data_dir=shared_data)
    with pytest.raises(InputError, match="holds sentences and is no dictionary"):
        load_dictionary("set:tatoeba:en-de:test", data_dir=shared_data)
