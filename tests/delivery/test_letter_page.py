"""Goal: a letter says all of its text and nothing else, in its own fonts, the same each time.

Method: letters read back by pypdf: characters, places on the page, fonts, what a file may hide.
"""

from __future__ import annotations

import io
import re
from datetime import date

import pytest
from pypdf import PdfReader

from duly.core.errors import Refused
from duly.core.words import say
from duly.delivery import Outgoing
from duly.delivery.letters import Letterhead, UnprintableError
from duly.delivery.letters import page as printing
from duly.delivery.letters.page import Press, address_lines
from duly.service.outbox.own_routes import tells_debt

ON = date(2026, 6, 25)
HEAD = Letterhead(
    lines={
        "zh-CN": ("示例消费金融有限公司", "客服 95xxx", "https://example.com"),
        "zh-TW": ("示例消費金融有限公司", "客服 95xxx"),
        "en": ("Example Finance", "800-555-0100"),
    }
)
TEXTS = {
    "zh-CN": "周女士您好：\n\n您的尾号1234的借款逾期7天，一共要还736.67元（截至6月25日10:00）。\n"
    "想缓几天、分期、改期，或对金额有疑问，都可以打开示例消金App，或拨95xxx。\n\n核验码H4T9-W7KX",
    "zh-TW": "周女士您好：\n\n您末四碼1234的貸款逾期7天，一共應繳736.67元。\n請開啟App或撥95xxx。\n"
    "\n核驗碼H4T9-W7KX",
    "en": "Hello Z***,\n\nYour loan ending 1234 is 7 days late: $73.67 “in all” as of Jun 25.\n"
    "Open the app – or call 800-555-0100.\n\nCode H4T9-W7KX",
}
ADDRESSES = {
    "zh-CN": "周某某|示例省示例市示例区示例路1号示例花园3栋2单元501室|100000",
    "zh-TW": "周某某 君 收|100 示例市示例區示例路一段1號5樓",
    "en": "Ms A. Zhou|Flat 3/2, 1 Example Road|Example City|EX1 1EX",
}
MM = 72 / 25.4


@pytest.fixture(scope="module")
def press() -> Press:
    return Press(route="post", typeface="Noto Sans")


def letter(locale: str = "zh-CN", **given: str) -> Outgoing:
    told = {"message_id": "9f2c7a1e5b3d4c6f", "address": ADDRESSES[locale], "text": TEXTS[locale]}
    return Outgoing(
        **(told | given), channel="letter", message_class="dunning", template="overdue",
        locale=locale,
    )  # fmt: skip


def read(pdf: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(pdf))


def squeezed(text: str) -> str:
    """Return a text without the spaces and line ends that a page sets as it needs."""
    return re.sub(r"\s", "", text)


def all_said(pdf: bytes) -> str:
    """Return what is on all pages, the feet taken out."""
    pages = [squeezed(page.extract_text()) for page in read(pdf).pages]
    feet = re.compile(rf"(?:示例消费金融有限公司|示例消費金融有限公司|ExampleFinance)·[0-9a-z-]+"
                      rf"\d+/{len(pages)}")  # fmt: skip
    assert all(feet.search(page) for page in pages)
    return "".join(feet.sub("", page) for page in pages)


@pytest.mark.parametrize("locale", list(TEXTS))
class TestEachLocale:
    def test_every_character_is_on_the_page_and_has_a_glyph(self, press, locale):
        said = all_said(press.sheet(letter(locale), HEAD, on=ON).pdf)
        assert squeezed(TEXTS[locale]) in said
        assert squeezed(ADDRESSES[locale].replace("|", "")) in said
        assert squeezed(HEAD.lines[locale][0]) in said

    def test_fonts_are_in_it_and_only_what_is_used_of_them(self, press, locale):
        sheet = press.sheet(letter(locale), HEAD, on=ON)
        names = set()
        for page in read(sheet.pdf).pages:
            for font in page["/Resources"]["/Font"].values():
                names.add(font.get_object()["/BaseFont"])
                (below,) = font.get_object()["/DescendantFonts"]
                descriptor = below.get_object()["/FontDescriptor"]
                assert "/FontFile3" in descriptor
                assert "/ToUnicode" in font.get_object()
        assert names
        assert all(re.match(r"/[A-Z]{6}\+NotoSans[ST]C-Regular", name) for name in names)
        assert len(sheet.pdf) < 100_000  # The whole fonts are 8 and 6 MB.

    def test_the_same_again_is_the_same_bytes_on_any_press(self, press, locale):
        first = press.sheet(letter(locale), HEAD, on=ON)
        assert press.sheet(letter(locale), HEAD, on=ON) == first
        other = Press(route="other", typeface="Noto Sans")
        assert other.sheet(letter(locale), HEAD, on=ON) == first
        assert press.sheet(letter(locale), HEAD, on=date(2026, 6, 26)) != first

    def test_the_file_says_nothing_of_the_person_beside_the_page(self, press, locale):
        pdf = press.sheet(letter(locale), HEAD, on=ON).pdf
        found = read(pdf)
        assert set(found.metadata) == {"/Title", "/Creator", "/CreationDate", "/ModDate"}
        assert found.metadata.title == say("letters", "title", locale)
        assert found.metadata["/CreationDate"].startswith("D:20260625000000")
        about = found.xmp_metadata.stream.get_data().decode()
        for word in ("周", "Zhou", "736", "73.67", "H4T9", "1234"):
            assert word not in about

    def test_the_window_shows_the_mark_and_the_address_and_no_word_of_a_debt(self, press, locale):
        (page,) = read(press.sheet(letter(locale), HEAD, on=ON).pdf).pages
        inside: list[str] = []

        def look(text, _matrix, place, _font, _size):
            # typst writes from the top: the place is that of the page, turned over.
            x, y = place[4] / MM, place[5] / MM
            if text.strip() and 20 <= x <= 105 and 297 - 90 <= y <= 297 - 45:
                inside.append(text)

        page.extract_text(visitor_text=lambda t, cm, tm, f, s: look(t, cm, _times(tm, cm), f, s))
        mark = say("letters", "mark_traditional" if locale == "zh-TW" else "mark", locale)
        expected = mark + ADDRESSES[locale].replace("|", "")
        assert squeezed("".join(inside)) == squeezed(expected)
        assert tells_debt(mark) == ""


def _times(a, b):
    """Return the matrix of a place within a matrix."""
    return [
        a[0] * b[0] + a[1] * b[2], a[0] * b[1] + a[1] * b[3],
        a[2] * b[0] + a[3] * b[2], a[2] * b[1] + a[3] * b[3],
        a[4] * b[0] + a[5] * b[2] + b[4], a[4] * b[1] + a[5] * b[3] + b[5],
    ]  # fmt: skip


class TestTexts:
    def test_a_long_text_is_on_numbered_pages_whole(self, press):
        text = "".join(f"第{n}句，您的还款。" for n in range(500))
        assert len(text) > 5000
        sheet = press.sheet(letter(text=text), HEAD, on=ON)
        pages = [squeezed(page.extract_text()) for page in read(sheet.pdf).pages]
        assert sheet.pages == len(pages) > 2
        for n, page in enumerate(pages, 1):
            assert page.endswith(f"9f2c7a1e5b3d4c6f{n}/{len(pages)}")
        assert text in all_said(sheet.pdf)

    @pytest.mark.parametrize(
        "text",
        [
            '#import "@preview/x:1.0.0" #sys.inputs $x$ *b* `c` <l> @r // no comment \\u{41}',
            ") Tj ET endstream endobj 1 0 obj << /S /JavaScript /JS (app.alert(1)) >>",
            "https://example.com/a and mailto:a@b.example are no links",
            '{"fonts": ["x"]} \\" \\n %s %PDF-1.7 xref trailer startxref %%EOF',
            "= Heading\n- item\n+ item\n/ Term: x",
        ],
    )
    def test_markup_and_pieces_of_a_pdf_are_shown_and_not_obeyed(self, press, text):
        pdf = press.sheet(letter(text=text), HEAD, on=ON).pdf
        assert squeezed(text) in all_said(pdf)
        for word in (b"/JavaScript", b"/OpenAction", b"/URI", b"/Annots", b"/AA", b"/Launch",
                     b"/EmbeddedFile", b"/AcroForm"):  # fmt: skip
            assert word not in pdf

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("", "DULY:text_empty"),
            (" \r\n\t".replace("\t", ""), "DULY:text_empty"),
            ("a\0b", "DULY:text_control"),
            ("a\x1b[31mb", "DULY:text_control"),
            ("您欠\u202e元001\u202c", "DULY:text_control"),
            ("a\u2066b\u2069", "DULY:text_control"),
            ("a\u200bb", "DULY:text_control"),
            ("\ud800", "DULY:text_control"),
            ("\ue000", "DULY:text_control"),
            ("您好👩", "DULY:glyph"),
            ("السلام", "DULY:glyph"),
            ("字" * 20_001, "DULY:text_too_long"),
        ],
    )
    def test_what_paper_cannot_show_is_refused_and_never_a_box(self, press, text, code):
        with pytest.raises(UnprintableError, match=f"^{code}$"):
            press.sheet(letter(text=text), HEAD, on=ON)

    def test_a_rare_character_of_a_name_is_taken_from_the_other_font(self, press):
        said = all_said(press.sheet(letter("zh-TW", text="周镕、張媽"), HEAD, on=ON).pdf)
        assert "周镕、張媽" in said

    @pytest.mark.parametrize(
        "address", ["周某某|示例路1号|100000", "A|B", "|".join("abcdef"), "周|" + "示" * 23 * 5]
    )
    def test_an_address_that_fits_the_window(self, address):
        assert "|".join(address_lines(address)) == address

    def test_the_marks_and_dates_of_each_locale(self):
        assert say("letters", "mark", "zh-CN") == "私人信件，仅限收信人本人拆阅"
        assert printing._date(ON, "zh-TW") == "2026年6月25日"
        assert printing._date(ON, "en") == "25 June 2026"


class TestMissing:
    def test_a_typeface_that_is_not_there_is_named_before_anything_is_printed(self):
        with pytest.raises(Refused) as refused:
            Press(route="post", typeface="Nowhere Grotesk")
        (found,) = refused.value.diagnostics
        assert found.code == "letter_no_font"
        assert found.values["font"] == "Nowhere Grotesk SC"

    def test_without_fonts_no_system_font_is_taken_instead(self, monkeypatch):
        monkeypatch.setattr(printing, "_FONT_PACKAGES", ())
        with pytest.raises(Refused) as refused:
            Press(route="post", typeface="Noto Sans")
        assert refused.value.diagnostics[0].code == "letter_no_font"

    def test_without_the_package_it_says_what_to_install(self, monkeypatch):
        monkeypatch.setattr(printing.util, "find_spec", lambda _name: None)
        with pytest.raises(Refused) as refused:
            Press(route="post", typeface="Noto Sans")
        assert refused.value.diagnostics[0].code == "letter_not_installed"

    def test_a_letterhead_that_cannot_be_shown_is_found_when_the_route_opens(self, press):
        press.prove(HEAD)
        with pytest.raises(Refused) as refused:
            press.prove(Letterhead(lines={"en": ("Example 👩 Finance",)}))
        assert refused.value.diagnostics[0].code == "letter_no_glyph"
