"""Each format by hand: good rows, bad rows, line numbers."""

import gzip
import io
import json
import zipfile
from contextlib import suppress

import pyarrow
import pytest
from pyarrow import parquet

from analysis.errors import InputError
from analysis.registry import find, registered
from analysis.text.lines import Source
from analysis.text.problems import Problems
from analysis.text.rows import build_corpus
from analysis.text.sniff import sniff

pytestmark = pytest.mark.fast


def read(reader, *data, languages=None, names=()):
    """Rows as (line, {tag: words}), and the lines of the problems."""
    problems = Problems()
    blobs = [item if isinstance(item, bytes) else item.encode() for item in data]
    sources = [Source(names[n] if names else f"f{n}", data=blob) for n, blob in enumerate(blobs)]
    rows = list(find("readers", reader).read(sources, languages=languages, problems=problems))
    shown = [(row.line, {tag: " ".join(sentence.words) for tag, sentence in row.sentences.items()}) for row in rows]
    return shown, [problem.line for problem in problems], rows


def test_lines_with_a_language_and_blank_lines():
    rows, bad, _ = read("lines", "It's here.\n\n  Yes.\u2028No\n", languages=("en",))
    assert rows == [(1, {"en": "It's here ."}), (3, {"en": "Yes . No"})]
    assert bad == []


def test_lines_take_the_language_of_the_ending_or_identify_it():
    assert read("lines", "a b\n", names=["x.sw.gz"])[0] == [(1, {"sw": "a b"})]
    mixed = "The dog is sleeping under the table.\nDer Hund schläft unter dem Tisch.\n"
    assert [list(row) for _, row in read("lines", mixed)[0]] == [["en"], ["de"]]


def test_tsv_goes_on_after_bad_rows():
    text = 'en\tde\tcategory\n"a\t"b\tx\nonly\n\nc\t\t\n\t\ty\nd\te\t\textra\nf\tg\t\n'
    rows, bad, full = read("tsv", text)
    assert rows == [(2, {"en": '" a', "de": '" b'}), (5, {"en": "c"}), (8, {"en": "f", "de": "g"})]
    assert bad == [3, 6, 7]
    assert full[0].category == "x"


def test_tsv_header_with_underscored_tags_and_a_row_name():
    rows, _, full = read("tsv", "id\ten\tzh_Hant\nr1\tdog\t狗\n")
    assert rows == [(2, {"en": "dog", "zh-Hant": "狗"})]
    assert full[0].row_id == "r1"
    assert read("tsv", "id\ten\nSelamat pagi semua\tgood morning\n")[0] == [
        (2, {"id": "Selamat pagi semua", "en": "good morning"})
    ]


def test_tsv_keeps_only_wanted_languages():
    assert read("tsv", "en\tde\tfr\na\tb\tc\n", languages=("fr", "en"))[0] == [(2, {"en": "a", "fr": "c"})]


@pytest.mark.parametrize("text", ["hello world\tfoo\n", "\n", "source sentence!\tde\n", "text\tlabel\na\tb\n"])
@pytest.mark.parametrize("reader", ["tsv", "csv"])
def test_a_table_without_language_header_is_bad_input(reader, text):
    with pytest.raises(InputError, match="header"):
        read(reader, text)


def test_csv_cells_with_breaks_commas_and_quotes():
    text = 'en,de\n"a, b","c\nd"\n"say ""hi""",e\n\nf,g\n'
    rows, bad, full = read("csv", text)
    assert rows == [
        (2, {"en": "a , b", "de": "c d"}),
        (4, {"en": 'say " hi "', "de": "e"}),
        (6, {"en": "f", "de": "g"}),
    ]
    assert bad == []
    assert full[0].sentences["de"].text == "c\nd"


def test_csv_an_unclosed_quote_costs_one_line():
    rows, bad, _ = read("csv", 'en,de\n"open,b\n' + "c,d\n" * 300)
    assert len(rows) == 300
    assert rows[0] == (3, {"en": "c", "de": "d"})
    assert bad == [2]


def test_csv_other_separators_long_cells_and_wrong_widths():
    assert read("csv", "en;de\na,x;b\n")[0] == [(2, {"en": "a , x", "de": "b"})]
    assert len(read("csv", f"en,de\n{'x' * 200_000},b\n")[0]) == 1
    assert read("csv", "en,de\na\nb,c,d\ne,f\n")[1] == [2, 3]
    assert read("csv", "en\nhello\n")[0] == [(2, {"en": "hello"})]


def test_csv_many_open_quotes_stay_linear():
    _, bad, _ = read("csv", "en,de\n" + '"x,y\n' * 5001)
    assert bad


def test_fastalign_is_pretokenised_and_keeps_bad_rows_out():
    text = "awesome! x ||| toll ! y\nno separator\na ||| b ||| c\n ||| \n||| nur rechts\na|||b ||| c\n"
    rows, bad, _ = read("fastalign", text, languages=("en", "de"))
    assert rows == [
        (1, {"en": "awesome! x", "de": "toll ! y"}),
        (5, {"de": "nur rechts"}),
        (6, {"en": "a|||b", "de": "c"}),
    ]
    assert bad == [2, 3, 4]


def test_fastalign_identifies_its_sides():
    text = "the dog sleeps under the table ||| der Hund schläft unter dem Tisch\n" * 3
    assert list(read("fastalign", text)[0][0][1]) == ["en", "de"]


def test_aligned_tsv():
    text = "a b\tc d\t0-0 1p1\na\tb\t0-1\na\tb\n\ta\t\na\tb\tx-y\ne\tf\t\n"
    rows, bad, full = read("aligned_tsv", text, languages=("en", "de"))
    assert [line for line, _ in rows] == [1, 6]
    assert bad == [2, 3, 4, 5]
    assert (full[0].links.sure, full[0].links.possible) == ({(0, 0)}, {(0, 0), (1, 1)})
    corpus = build_corpus("x", "x", full)
    assert corpus.pair("de", "en").links[0].possible == {(0, 0), (1, 1)}


def test_jsonl_in_its_shapes():
    lines = [
        {"en": "a b", "de": "c", "id": 7, "score": 0.5},
        {"translation": {"en": "a", "fr": "b"}},
        {"text": "x y", "language": "sw"},
        {"source": {"text": "a", "lang": "en"}, "target": {"text": "b", "lang": "ru"}},
        {"rows": [{"text": "a", "language": "en"}, {"text": "b", "language": "tr"}]},
        {"id": "s-17", "en": "named"},
    ]
    text = "\n".join(json.dumps(line) for line in lines)
    rows, bad, full = read("jsonl", text)
    assert [row for _, row in rows] == [
        {"en": "a b", "de": "c"}, {"en": "a", "fr": "b"}, {"sw": "x y"},
        {"en": "a", "ru": "b"}, {"en": "a", "tr": "b"}, {"en": "named"},
    ]  # fmt: skip
    assert bad == []
    assert [row.row_id for row in full] == ["7", "", "", "", "", "s-17"]


def test_jsonl_bad_rows():
    nested = "[" * 100_000
    rows, bad, _ = read("jsonl", f'{{"en": 3}}\n{nested}\nnull\n"x"\n{{"en": ""}}\nnot json\n{{"en": "\\ud800 a"}}\n')
    assert bad == [1, 2, 3, 4, 5, 6]
    assert rows == [(7, {"en": "\ud800 a"})]


def parquet_bytes(table):
    sink = io.BytesIO()
    parquet.write_table(table, sink)
    return sink.getvalue()


def test_parquet_columns_and_structs(tmp_path):
    data = parquet_bytes(pyarrow.table({"en": ["a b", None, "c"], "de": ["d", "", "e"], "n": [1, 2, 3]}))
    rows, bad, _ = read("parquet", data)
    assert rows == [(1, {"en": "a b", "de": "d"}), (3, {"en": "c", "de": "e"})]
    assert bad == [2]
    struct = pyarrow.table({"translation": [{"en": "a", "fr": "b"}], "id": ["r1"]})
    assert read("parquet", parquet_bytes(struct))[0] == [(1, {"en": "a", "fr": "b"})]
    path = tmp_path / "a.parquet"
    path.write_bytes(data)
    rows = list(find("readers", "parquet").read([Source.of(path)], languages=("en",), problems=Problems()))
    assert [list(row.sentences) for row in rows] == [["en"], ["en"]]


def test_parquet_with_broken_text_or_none():
    broken = pyarrow.Array.from_buffers(
        pyarrow.string(), 2, [None, pyarrow.py_buffer(b"\0\0\0\0\2\0\0\0\3\0\0\0"), pyarrow.py_buffer(b"\xff\xfea")]
    )
    rows, bad, _ = read("parquet", parquet_bytes(pyarrow.table({"en": broken})))
    assert (rows, bad) == ([(2, {"en": "a"})], [1])
    with pytest.raises(InputError, match="columns: x"):
        read("parquet", parquet_bytes(pyarrow.table({"x": ["a"]})))
    for data in (b"PAR1 not really PAR1", b"hello"):
        with pytest.raises(InputError, match="Parquet"):
            read("parquet", data)


TMX = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE tmx SYSTEM "tmx14.dtd">
<tmx version="1.4"><header srclang="en-US"/><body>
<tu tuid="u1"><tuv xml:lang="EN-US"><seg>Press <bpt>&lt;b&gt;</bpt><hi>OK</hi><ept>&lt;/b&gt;</ept> &amp; go</seg></tuv>
<tuv xml:lang="zh-TW"><seg>按下</seg></tuv><tuv lang="de"><seg>Los</seg></tuv></tu>
<tu><tuv xml:lang="en"><seg> </seg></tuv></tu>
<tu><tuv><seg>who</seg></tuv><tuv xml:lang="fr"><seg>qui</seg></tuv></tu>
</body></tmx>"""


def test_tmx_text_without_codes():
    rows, bad, full = read("tmx", TMX)
    assert rows == [(4, {"en": "Press OK & go", "zh-Hant": "按下", "de": "Los"}), (7, {"fr": "qui"})]
    assert bad == [6, 7]
    assert full[0].row_id == "u1"
    assert read("tmx", TMX.replace('encoding="UTF-8"', 'encoding="UTF-16"').encode("utf-16"))[0] == rows
    assert read("tmx", TMX, languages=("en", "de"))[0] == [(4, {"en": "Press OK & go", "de": "Los"})]


def test_tmx_refuses_entities():
    unit = '<tmx><tu><tuv xml:lang="en"><seg>&a;</seg></tuv></tu></tmx>'
    bomb = f'<!DOCTYPE x [<!ENTITY b "bbbb"><!ENTITY a "&b;&b;&b;">]>{unit}'
    with pytest.raises(InputError, match="entities"):
        read("tmx", bomb)
    outside = f'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>{unit}'
    with pytest.raises(InputError, match="entities"):
        read("tmx", outside)


def test_tmx_cut_off_keeps_what_came_before():
    rows, bad, _ = read("tmx", TMX[: TMX.index("<tu>")])
    assert [line for line, _ in rows] == [4]
    assert bad == [6]
    with pytest.raises(InputError, match="well-formed"):
        read("tmx", "<tmx><tu")


def zipped(files):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return sink.getvalue()


def test_moses_files_loose_packed_and_zipped():
    expected = [(1, {"en": "a .", "de": "b"}), (3, {"en": "c", "de": "d"})]
    data = ("a.\nx\nc\n", "b\n\nd\n")
    rows, bad, _ = read("moses", data[0], gzip.compress(data[1].encode()), names=["news.en", "news.de.gz"])
    assert (rows, bad) == (expected, [2])
    archive = zipped({"d/news.en": data[0], "d/news.de": data[1], "README": "x", "../evil.txt": "y"})
    assert read("moses", archive)[0] == expected
    assert read("moses", *data, languages=("en", "de"))[0] == expected


def test_moses_files_that_do_not_fit_together():
    with pytest.raises(InputError, match="equally long"):
        read("moses", "a\n", "b\nc\n", names=["x.en", "x.de"])
    with pytest.raises(InputError, match="both en"):
        read("moses", "a\n", "b\n", names=["x.en", "y.en"])
    with pytest.raises(InputError, match="language code"):
        read("moses", "a\n", "b\n", names=["x.txt", "y.en"])
    with pytest.raises(InputError, match="two or more"):
        read("moses", zipped({"a.txt": "x"}))
    with pytest.raises(InputError, match="zip"):
        read("moses", zipped({"a.en": "x"})[:-10])


def test_moses_an_undecodable_line_leaves_its_row_out():
    left = b"a\n" * 150 + b"\xff\n"
    rows, bad, _ = read("moses", left, b"b\n" * 151, names=["x.en", "x.de"])
    assert (len(rows), bad) == (150, [151])


CONLLU = """# sent_id = s1
# text = Vámonos al mar.
1-2\tVámonos\t_\t_\t_\t_\t_\t_\t_\t_
1\tVamos\tir\tVERB\t_\t_\t0\troot\t_\t_
2\tnos\tnosotros\tPRON\t_\t_\t1\tobj\t_\t_
3-4\tal\t_\t_\t_\t_\t_\t_\t_\t_
3\ta\ta\tADP\t_\t_\t5\tcase\t_\t_
4\tel\tel\tDET\t_\t_\t5\tdet\t_\t_
5\tmar\tmar\tNOUN\t_\t_\t1\tobl\t_\tSpaceAfter=No
5.1\tgone\t_\tVERB\t_\t_\t_\t_\t_\t_
6\t.\t.\tPUNCT\t_\t_\t1\tpunct\t_\t_

1\tbad\tPOS

{nines}\ta\ta\tX\t_\t_\t0\troot\t_\t_

# newdoc

# text = not the words
1\tHola\thola\tINTJ\t_\t_\t0\troot\t_\tSpaceAfter=No
2\t!\t!\tPUNCT\t_\t_\t1\tpunct\t_\t_
"""


def test_conllu_words_and_places():
    rows, bad, full = read("conllu", CONLLU.replace("{nines}", "9" * 5000), names=["es_ancora-ud-dev.conllu"])
    assert rows == [(1, {"es": "Vámonos al mar ."}), (19, {"es": "Hola !"})]
    assert bad == [13, 15]
    assert full[0].sentences["es"].spans == ((0, 7), (8, 10), (11, 14), (14, 15))
    assert full[1].sentences["es"].text == "Hola!"
    assert full[0].row_id == "s1"


@pytest.mark.parametrize(
    ("name", "head", "reader"),
    [
        ("a.txt", b"hello\nworld\n", "lines"),
        ("a.txt", b"a ||| b\n", "fastalign"),
        ("a.tsv", b"en\tde\na\tb\n", "tsv"),
        ("a.tsv.gz", gzip.compress(b"en\tde\na\tb\n", mtime=0), "tsv"),  # No clock in a test name
        ("a.tsv", b"x y\tz\t0-0 1-0\n", "aligned_tsv"),
        ("a.csv", b"en,de\na,b\n", "csv"),
        ("a.txt", b"en,de\na,b\n", "csv"),
        ("a.jsonl", b'{"en": "x"}\n', "jsonl"),
        ("noname", b'{"en": "x"}\n', "jsonl"),
        ("x", b"PAR1....", "parquet"),
        ("x.zip", b"PK\x03\x04", "moses"),
        ("x.xml", b"<?xml version='1.0'?><tmx>", "tmx"),
        ("x.tmx", "<tmx version='1.4'>".encode("utf-16"), "tmx"),
        ("x.conllu", b"# text = a\n", "conllu"),
        ("x.txt", b"1\ta\ta\tX\t_\t_\t0\troot\t_\t_\n", "conllu"),
        ("x", b"", "lines"),
        ("x", b"\xff\xfe\xfd", "lines"),
    ],
)
def test_sniffing(name, head, reader):
    assert sniff(name, head) == reader


@pytest.mark.parametrize("name", sorted(registered("readers")))
@pytest.mark.parametrize(
    "data", [b"", b"\0", b"\xff" * 50, b"\n", b"\x1f\x8bbroken", b"PK\x03\x04broken", b"PAR1", b"<", b"{"]
)
def test_no_reader_raises_anything_but_input_error(name, data):
    with suppress(InputError):
        rows, _, _ = read(name, data)
        assert all(line >= 1 for line, _ in rows)


HOSTILE = [
    "\u202eabc\u202c", "a\u200bb\ufeff", "<script>alert(1)</script>", "👩‍👩‍👧🇩🇪👍🏽", "=cmd|' /C calc'!A0",
    "x" * 200_000, "字" * 200_000, "\u0301" * 1000, "a\rb", "a\u2028b\x85c",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:12]))
def test_hostile_text_passes_through_untouched(text):
    expected = text.strip()
    for reader, data in {
        "tsv": f"en\tde\n{text}\tb\n",
        "jsonl": json.dumps({"en": text, "de": "b"}),
        "fastalign": f"{text} ||| b\n",
        "parquet": parquet_bytes(pyarrow.table({"en": [text], "de": ["b"]})),
    }.items():
        languages = ("en", "de") if reader == "fastalign" else None
        _, bad, rows = read(reader, data, languages=languages)
        assert (bad, [row.sentences["en"].text for row in rows]) == ([], [expected])
