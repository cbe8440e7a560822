from __future__ import annotations

from telling_events import AT

from duly import book as books
from duly.service.operations.books import export_book, load_book
from duly.simulate import write_sample


def test_load(store, tmp_path):
    write_sample(tmp_path / "book", loans=500)
    lender = books.load_lender(None)
    found = load_book(tmp_path / "book", lender=lender, at=AT, locale="en")
    print(found)
    assert found.rows["loans"] > 490
    out = export_book(tmp_path / "out", lender=lender, at=AT)
    print(out)
    again = books.check(tmp_path / "out", lender, "en")
    print(again)
    assert again.rows == ()
