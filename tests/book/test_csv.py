"""Goal: which CSV files are read, which headers refuse the book; nothing is written then."""

from __future__ import annotations

import pytest

from book.book_files import HEADER, open_book, rewrite
from duly.core.errors import Refused


class TestCsv:
    def test_may_begin_with_a_byte_order_mark(self, take, book):
        text = (book / "payments.csv").read_bytes()
        assert take(rewrite(book, "payments", b"\xef\xbb\xbf" + text)).found == []

    def test_may_end_its_lines_with_crlf(self, take, book):
        text = (book / "payments.csv").read_bytes().replace(b"\n", b"\r\n")
        taken = take(rewrite(book, "payments", text))
        assert taken.found == []
        assert taken.column("payments", "amount") == [1000, 1000]

    def test_counts_data_rows_through_quoted_newlines_and_blank_lines(self, take, book):
        header = "contact_id,borrower_id,channel,at,direction,outcome,actor\n"
        good = 'C1,B1,sms,2026-02-02T10:00:00Z,out,sent,"one\ntwo\r\nthree, ""four"""\n'
        bad = "C2,B1,sms,2026-02-02,out,sent,x\n"
        taken = take(rewrite(book, "contacts", header + good + "\n" + bad))
        assert taken.found == [("contacts", 2, "at", "bad_instant")]
        assert taken.column("contacts", "actor") == ['one\ntwo\r\nthree, "four"']

    def test_gives_the_row_where_a_newline_hides_in_an_id(self, take, book):
        taken = take(rewrite(book, "payments", HEADER + '"P\n1",L1,2026-02-01,1.00\n'))
        assert taken.found == [("payments", 1, "payment_id", "control_character")]

    def test_in_gbk_is_named_so(self, refused, book):
        text = "borrower_id,name\nB1,张伟\nB2,李娜\n".encode("gbk")
        rewrite(book, "borrowers", text)
        assert refused(book) == [("borrowers.csv", "not_utf8")]
        with pytest.raises(Refused, match=r"not UTF-8 \(GBK\)"):
            open_book(book)

    def test_in_gbk_in_a_column_that_is_not_read_is_refused_too(self, refused, book):
        text = "borrower_id,备注\nB1,张伟\nB2,李娜\n".encode("gbk")
        assert refused(rewrite(book, "borrowers", text)) == [("borrowers.csv", "not_utf8")]

    def test_in_another_encoding_is_not_called_gbk(self, refused, book):
        rewrite(book, "borrowers", b"borrower_id,name\nB1,Ren\xe9\nB2,Zo\xeb\n")
        assert refused(book) == [("borrowers.csv", "not_utf8")]
        with pytest.raises(Refused, match="not UTF-8;"):
            open_book(book)

    def test_cut_off_inside_quotes_is_refused(self, refused, book):
        text = HEADER + 'P1,L1,2026-02-01,1.00\n"P2,L2,2026-02-01,1.00\n'
        assert refused(rewrite(book, "payments", text)) == [("payments.csv", "cut_off_file")]

    def test_cut_off_inside_a_row_is_refused(self, refused, book):
        text = HEADER + "P1,L1,2026-02-01,1.00\nP2,L2,2026-"
        assert refused(rewrite(book, "payments", text)) == [("payments.csv", "cut_off_file")]

    def test_cut_off_inside_its_last_cell_is_warned_of(self, take, book):
        taken = take(rewrite(book, "payments", HEADER + "P1,L1,2026-02-01,1.0"))
        assert [one.code for one in taken.snapshot.warnings if one.file == "payments.csv"] == [
            "no_final_newline"
        ]

    @pytest.mark.parametrize("row", ["P2,L2,2026-02-01", "P2,L2,2026-02-01,1,000.00"])
    def test_with_another_number_of_fields_in_the_middle_is_refused(self, refused, book, row):
        text = HEADER + f"P1,L1,2026-02-01,1.00\n{row}\nP3,L2,2026-02-01,1.00\n"
        assert refused(rewrite(book, "payments", text)) == [("payments.csv", "wrong_field_count")]
        with pytest.raises(Refused, match="row 2 has"):
            open_book(book)

    @pytest.mark.parametrize(
        "row",
        [
            "L1,2,2026-02-15,2,000.00,25.00,",  # Cut at six, it says a principal of 2.00.
            "L1,2,2026-02-15,2000.00,5.00,,",
            "L1,2,2026-02-15,2000.00,5.00,,,,",
            'L1,2,2026-02-15,2000.00,5.00,,""',
            'L1,2,2026-02-15,2000.00,5.00,,"",',
        ],
    )
    def test_with_empty_fields_beyond_its_header_is_refused(self, refused, book, row):
        header = "loan_id,number,due_on,principal,interest,fee\n"
        text = f"{header}L1,1,2026-01-15,1000.00,5.00,\n{row}\nL2,1,2026-01-15,1.00,,\n"
        rewrite(book, "installments", text)
        assert refused(book) == [("installments.csv", "wrong_field_count")]
        with pytest.raises(Refused, match="row 2 has"):
            open_book(book)

    def test_may_have_commas_and_quotes_in_its_cells(self, take, book):
        header = "contact_id,borrower_id,channel,at,direction,outcome,actor,step\n"
        row = "C{},B1,sms,2026-02-02T10:00:00Z,out,sent,{},\n"
        cells = ('"a, b"', 'the "one"; two', '"say ""hi, you"""', 'a 5" pipe')
        rows = "".join(row.format(at, cell) for at, cell in enumerate(cells))
        taken = take(rewrite(book, "contacts", header + rows))
        assert taken.found == []
        assert taken.column("contacts", "actor") == [
            "a, b", 'the "one"; two', 'say "hi, you"', 'a 5" pipe',
        ]  # fmt: skip

    def test_with_mixed_line_ends_is_refused(self, refused, book):
        text = HEADER + "P1,L1,2026-02-01,1.00\r\nP2,L2,2026-02-01,1.00\n"
        assert refused(rewrite(book, "payments", text)) == [("payments.csv", "mixed_line_ends")]

    @pytest.mark.parametrize("text", ["", "\ufeff"])
    def test_without_a_byte_is_refused(self, refused, book, text):
        assert refused(rewrite(book, "payments", text)) == [("payments.csv", "empty_file")]

    @pytest.mark.parametrize("text", [HEADER, HEADER.strip()])
    def test_with_a_header_alone_says_none(self, take, book, text):
        taken = take(rewrite(book, "payments", text))
        assert taken.snapshot.rows["payments"] == 0
        assert taken.rows("payments") == []

    def test_may_have_its_columns_in_any_order(self, take, book):
        text = "amount,paid_on,loan_id,payment_id\n1.00,2026-02-01,L1,P1\n"
        assert take(rewrite(book, "payments", text)).column("payments", "amount") == [100]

    def test_of_a_path_with_letters_of_a_glob_is_read(self, take, book):
        odd = book.rename(book.parent / "book [2026]* ?")
        assert take(odd).found == []


class TestHeader:
    def test_without_a_required_column_is_refused_with_a_hint(self, refused, book):
        text = "payment_id,loan_id,paid_on,amuont\nP1,L1,2026-02-01,1.00\n"
        assert refused(rewrite(book, "payments", text)) == [("payments.csv", "missing_column")]
        with pytest.raises(Refused, match=r"amount is missing \(amuont\?\)"):
            open_book(book)

    def test_with_a_column_twice_is_refused(self, refused, book):
        text = "payment_id,loan_id,paid_on,amount,amount\nP1,L1,2026-02-01,1.00,2.00\n"
        assert refused(rewrite(book, "payments", text)) == [("payments.csv", "column_twice")]

    def test_with_an_unknown_column_is_warned_of(self, take, book):
        text = HEADER.strip() + ",knd\nP1,L1,2026-02-01,1.00,waiver\n"
        taken = take(rewrite(book, "payments", text))
        (warning,) = [one for one in taken.snapshot.warnings if one.file == "payments.csv"]
        assert (warning.code, warning.column) == ("unknown_column", "knd")
        assert taken.column("payments", "kind") == [0]

    def test_of_several_files_is_judged_at_once(self, refused, book):
        rewrite(book, "payments", "")
        rewrite(book, "signals", "signal_id\n")
        assert refused(book) == [
            ("payments.csv", "empty_file"),
            ("signals.csv", "missing_column"),
            ("signals.csv", "missing_column"),
            ("signals.csv", "missing_column"),
        ]
