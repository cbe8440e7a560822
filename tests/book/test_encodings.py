"""Goal: what a file is that is no UTF-8 text, in its own words, with advice that helps."""

from __future__ import annotations

import gzip
import io
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from book.book_files import HEADER, open_book, payments, rewrite, to_parquet
from duly.core.errors import Refused

TEXT = "borrower_id,name\nB1,张伟\nB2,李娜\n"


def told(book) -> tuple[str, str]:
    """Return what the refusal of a book says in both languages."""
    with pytest.raises(Refused) as caught:
        open_book(book)
    (one,) = caught.value.diagnostics
    return one.render("en"), one.render("zh-CN")


def packed(name: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr(name, TEXT)
    return held.getvalue()


class TestEncodings:
    @pytest.mark.parametrize(
        ("data", "named", "advice"),
        [
            (TEXT.encode("gbk"), "(GBK)", "iconv -f GB18030 -t UTF-8"),
            (TEXT.replace("张", "𠮷").encode("gb18030"), "(GBK)", "iconv -f GB18030 -t UTF-8"),
            (TEXT.encode("utf-16"), "(UTF-16)", "iconv -f UTF-16 -t UTF-8"),
            (b"\xfe\xff" + TEXT.encode("utf-16-be"), "(UTF-16)", "iconv -f UTF-16 -t UTF-8"),
            (TEXT.encode("utf-16-le"), "(UTF-16)", "iconv -f UTF-16LE -t UTF-8"),
            (TEXT.encode("utf-16-be"), "(UTF-16)", "iconv -f UTF-16BE -t UTF-8"),
        ],
    )
    def test_are_named_with_the_command_that_helps(self, refused, book, data, named, advice):
        assert refused(rewrite(book, "borrowers", data)) == [("borrowers.csv", "not_utf8")]
        for said in told(book):
            assert named in said
            assert advice in said

    @pytest.mark.parametrize("rows", [b"B1,Ren\xe9\nB2,Zo\xeb\n", b"B1,\xff\n"])
    def test_that_are_not_known_get_no_command(self, book, rows):
        for said in told(rewrite(book, "borrowers", b"borrower_id,name\n" + rows)):
            assert "not_utf8" in said
            assert "iconv" not in said
            assert "GB" not in said


class TestOtherFiles:
    @pytest.mark.parametrize(
        ("data", "code", "named"),
        [
            (gzip.compress(TEXT.encode(), mtime=0), "packed_file", "gzip"),
            (packed("borrowers.csv"), "packed_file", "ZIP"),
            (packed("xl/workbook.xml"), "spreadsheet", "Excel"),
            (packed("content.xml"), "packed_file", "ZIP"),
            (b"PK\x03\x04 cut off", "packed_file", "ZIP"),
            (b"BZh91AY&SY" + b"\0" * 9, "packed_file", "bzip2"),
            (b"\xfd7zXZ\0" + b"\0" * 9, "packed_file", "xz"),
            (b"\x28\xb5\x2f\xfd" + b"\0" * 9, "packed_file", "zstd"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 9, "spreadsheet", "Excel"),
        ],
    )
    def test_packed_files_are_named_so(self, refused, book, data, code, named):
        assert refused(rewrite(book, "borrowers", data)) == [("borrowers.csv", code)]
        for said in told(book):
            assert named in said
            assert "iconv" not in said

    def test_parquet_named_csv_is_named_so(self, refused, book):
        pq.write_table(pa.table(payments()), book / "payments.csv")
        assert refused(book) == [("payments.csv", "parquet_named_csv")]
        assert all("Parquet" in said for said in told(book))

    @pytest.mark.parametrize(
        ("data", "code"),
        [(HEADER.encode(), "not_parquet"), (gzip.compress(b"x", mtime=0), "packed_file")],
    )
    def test_what_is_named_parquet_and_is_not_is_told(self, refused, book, data, code):
        (book / "payments.csv").unlink()
        (book / "payments.parquet").write_bytes(data)
        assert refused(book) == [("payments.parquet", code)]


class TestParquetAndJson:
    @pytest.mark.parametrize("column", ["name", "borrower_id"])
    def test_gbk_in_text_of_parquet_is_named(self, refused, book, column):
        cells = {"borrower_id": [b"B1", b"B2"], "name": [b"Li", b"Wu"]}
        cells[column] = [one.encode("gbk") for one in ("张伟", "李娜")]
        (book / "borrowers.csv").unlink()
        table = pa.table({name: pa.array(rows, pa.binary()) for name, rows in cells.items()})
        text = pa.table([one.view(pa.string()) for one in _arrays(table)], names=list(cells))
        pq.write_table(text, book / "borrowers.parquet")
        assert refused(book) == [("borrowers.parquet", "not_utf8_parquet")]
        for said in told(book):
            assert f"borrowers.parquet:{column}" in said
            assert "GBK" in said

    def test_other_bytes_in_text_of_parquet_are_not_called_gbk(self, book):
        (book / "borrowers.csv").unlink()
        cells = [pa.array([b"B1", b"B2"], pa.binary()), pa.array([b"\xff", b"Wu"], pa.binary())]
        text = pa.table([one.view(pa.string()) for one in cells], names=["borrower_id", "name"])
        pq.write_table(text, book / "borrowers.parquet")
        for said in told(book):
            assert "not_utf8_parquet" in said
            assert "GBK" not in said

    def test_names_of_columns_in_gbk_are_named(self, refused, book):
        to_parquet(book, "borrowers", borrower_id=pa.array(["B1"]), name=pa.array(["Li"]))
        file = book / "borrowers.parquet"
        file.write_bytes(file.read_bytes().replace(b"name", "姓名".encode("gbk")))
        assert refused(book) == [("borrowers.parquet", "names_not_utf8")]
        assert all("(GBK)" in said for said in told(book))

    @pytest.mark.parametrize(("encoding", "named"), [("gbk", "GBK"), ("utf-16", "UTF-16")])
    def test_book_json_in_another_encoding_is_named(self, refused, book, encoding, named):
        (book / "book.json").write_bytes('{"contract": 1, "lender": "清溪消金"}'.encode(encoding))
        assert refused(book) == [("book.json", "not_utf8")]
        assert all(named in said for said in told(book))


def _arrays(table: pa.Table) -> list[pa.Array]:
    return [one.combine_chunks() for one in table.columns]


class TestCsvText:
    @pytest.mark.parametrize("blank", ["\n", "\r\n", "\n\n\n", "\ufeff\n", "  \n", ",,,\n"])
    def test_blank_lines_before_the_header_are_named_so(self, refused, book, blank):
        text = blank + HEADER + "P1,L1,2026-02-01,1.00\n"
        assert refused(rewrite(book, "payments", text)) == [("payments.csv", "blank_before_header")]

    @pytest.mark.parametrize("text", ["\n", "\r\n\r\n", "\ufeff\n", " \n\n"])
    def test_blank_lines_alone_are_an_empty_file(self, refused, book, text):
        assert refused(rewrite(book, "payments", text)) == [("payments.csv", "empty_file")]

    @pytest.mark.parametrize(
        "row", ['"P2"x,L2,2026-02-01,1.00', 'P2,"L"2,2026-02-01,1.00', '"P""2"x,L2,2026-02-01,1']
    )
    def test_quotes_that_cannot_be_read_are_named_with_their_row(self, refused, book, row):
        text = HEADER + f"P1,L1,2026-02-01,1.00\n{row}\nP3,L2,2026-02-01,1.00\n"
        assert refused(rewrite(book, "payments", text)) == [("payments.csv", "bad_quotes")]
        assert all("payments.csv:2 " in said for said in told(book))

    def test_quotes_of_the_header_that_cannot_be_read_are_named(self, refused, book):
        text = '"payment_id"x,loan_id,paid_on,amount\nP1,L1,2026-02-01,1.00\n'
        assert refused(rewrite(book, "payments", text)) == [("payments.csv", "bad_quotes")]

    def test_a_header_whose_quote_never_ends_is_cut_off(self, refused, book):
        assert refused(rewrite(book, "payments", '"payment_id,loan_id\nP1,L1\n')) == [
            ("payments.csv", "cut_off_file")
        ]
