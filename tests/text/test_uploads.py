import gzip

import pytest

from analysis.errors import InputError
from analysis.text import uploads
from analysis.text.uploads import (
    delete_upload,
    find_upload,
    list_uploads,
    load_upload,
    parse_my_text,
    save_text,
    save_upload,
)

pytestmark = [pytest.mark.fast, pytest.mark.usefixtures("cache")]
TABLE = b"en\tde\nIt's here!\tEs ist da!\nbroken\n"


def test_an_upload_comes_back_with_its_problems():
    upload_id = save_upload("../../etc/t.tsv", TABLE)
    corpus, problems = load_upload(upload_id)
    assert corpus.id == f"upload-{upload_id}"
    assert corpus.rows[0]["en"].words == ("It's", "here", "!")
    assert [str(problem) for problem in problems] == [
        "warning: t.tsv:3: 1 columns where the header has 2; the row is left out"
    ]
    entry = find_upload(upload_id)
    assert (entry.name, entry.reader, entry.size) == ("t.tsv", "tsv", len(TABLE))


def test_the_id_is_the_content():
    assert save_upload("a.tsv", TABLE) == save_upload("b.tsv", TABLE)
    assert save_upload("a.tsv", TABLE) != save_upload("a.tsv", TABLE, reader="lines", languages=["en"])
    assert len(list_uploads()) == 2


def test_deleting_leaves_nothing(cache):
    upload_id = save_upload("a.tsv.gz", gzip.compress(TABLE))
    assert len(load_upload(upload_id)[0]) == 1
    delete_upload(upload_id)
    assert list_uploads() == []
    assert list((cache / "uploads").iterdir()) == []
    with pytest.raises(InputError, match="no upload"):
        delete_upload(upload_id)


@pytest.mark.parametrize("upload_id", ["", "..", "../../x", "0" * 15, "G" * 16, "a/b", "0" * 16 + "\n", "\ud800"])
def test_an_id_is_no_path(upload_id):
    for use in (load_upload, delete_upload, find_upload):
        with pytest.raises(InputError):
            use(upload_id)


def test_limits_and_bad_uploads(monkeypatch):
    with pytest.raises(InputError, match="empty"):
        save_upload("a", b"")
    with pytest.raises(InputError, match="unknown format"):
        save_upload("a", b"x", reader="docx")
    with pytest.raises(InputError, match="language code"):
        save_upload("a", b"x", languages=["English"])
    monkeypatch.setattr(uploads, "MAX_ROWS", 3)
    corpus, problems = load_upload(save_upload("a.en", b"x\n" * 5))
    assert (len(corpus), [problem.line for problem in problems]) == (3, [4])
    monkeypatch.setattr(uploads, "MAX_BYTES", 3)
    with pytest.raises(InputError, match="split it"):
        save_upload("a", b"xxxx")
    with pytest.raises(InputError):
        load_upload(save_upload("a", b"\0\0"))


def test_a_damaged_folder_is_no_upload(cache):
    folder = cache / "uploads" / ("0" * 16)
    folder.mkdir(parents=True)
    (folder / "meta.json").write_text("{")
    assert list_uploads() == []
    with pytest.raises(InputError, match="no upload"):
        load_upload("0" * 16)


def test_pasted_text_is_restored_exactly():
    text = "The bank ||| Die Bank\n\u202ex\u200b ||| \ud800\n<b>hi</b> ||| 👩‍👩‍👧\r\n\n"
    corpus, problems = load_upload(save_text(text, ["en", "de"]))
    assert len(problems) == 0
    assert [row["de"].text for row in corpus.rows] == ["Die Bank", "\ud800", "👩‍👩‍👧"]
    assert corpus.rows[2]["en"].text == "<b>hi</b>"
    assert corpus.row_ids == ("1", "2", "3")
    assert corpus.digest == parse_my_text(text, ["en", "de"])[0].digest


def test_my_text_is_segmented_and_its_columns_identified():
    text = "The dog is sleeping under the table. ||| 狗在桌子下面睡觉。\nGood night! ||| 晚安！\n ||| 你好\nOnly here."
    corpus, problems = parse_my_text(text)
    assert corpus.languages == ("en", "zh")
    assert "桌子" in corpus.rows[0]["zh"].words
    assert [list(row) for row in corpus.rows] == [["en", "zh"], ["en", "zh"], ["zh"], ["en"]]
    assert len(problems) == 0


def test_my_text_line_by_line():
    corpus, _ = parse_my_text("The dog is sleeping under the table.\nDer Hund schläft unter dem Tisch.\n42")
    assert [list(row) for row in corpus.rows] == [["en"], ["de"], ["und"]]


def test_my_text_bad_rows():
    corpus, problems = parse_my_text("a ||| b\na ||| b ||| c\n ||| \nd", ["en", "de"])
    assert corpus.row_ids == ("1", "4")
    assert [problem.line for problem in problems] == [2, 3]
    for nothing in ("", "\n \n", " ||| "):
        with pytest.raises(InputError, match="my text"):
            parse_my_text(nothing)
