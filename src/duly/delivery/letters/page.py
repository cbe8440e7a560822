"""A message as a letter: an A4 page with a window for the address, fonts in it, the same each time.

Typst sets it (PDF/A-2a and PDF/UA-1): a glyph that no font has is an error there, never a box.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib import import_module, resources, util
from pathlib import Path
from typing import TYPE_CHECKING

from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.core.words import say
from duly.delivery.letters.spool import name_of
from duly.delivery.port import Outgoing

if TYPE_CHECKING:
    import typst

#: Where the fonts of `pip install 'duly[letter]'` lie: Noto Sans SC and TC, under the OFL.
_FONT_PACKAGES = ("pylopdf_fonts_zh_cn", "pylopdf_fonts_zh_tw")
STANDARDS: list[typst.PDFStandard] = ["a-2a", "ua-1"]
_LOCALES = ("zh-CN", "zh-TW", "en")
_NOBODY, _ANY_DAY = "1|1", date(2026, 1, 1)
_TEXT_MAX = 20_000
_LINES_MAX, _COLUMNS = 6, 46  #: of the window: lines of 10 pt, and Latin characters in one
_ADDRESS_MAX = 320
_SHORT = 12  #: characters of a letter's name beside the window; the whole stands below
_LINE = "|"  #: parts the lines of an address, which stands on one line in a book
#: Format characters that are written in names and emoji; every other one can turn a text around.
_JOINERS = "\u200c\u200d"
_PAGE = re.compile(rb"/Type\s*/Page\b")
_GLYPHS = "could not be displayed"


class UnprintableError(ValueError):
    """The message cannot be printed; the text of the error is the code of the answer."""


@dataclass(frozen=True, kw_only=True)
class Letterhead:
    """Who writes, in each locale: the name first, then how to reach it, one a line."""

    lines: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def of(self, locale: str) -> tuple[str, ...]:
        """Return the lines in a locale, or in the first that there is."""
        found = self.lines.get(locale) or next(iter(self.lines.values()), ())
        return tuple(found)


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A letter as it is printed."""

    pdf: bytes = field(repr=False)
    pages: int


class Press:
    """Sets letters in one typeface; refused (Refused) where typst or a font is missing.

    `fonts` is a folder of fonts beside those that are installed with us, empty for none.
    """

    def __init__(self, *, route: str, typeface: str, fonts: str = "") -> None:
        self._route = route
        with resources.as_file(resources.files("duly.delivery.letters") / "letter.typ") as page:
            self._compiler, self._families = compiler(page, typeface, route=route, fonts=fonts)

    def sheet(self, one: Outgoing, head: Letterhead, *, on: date) -> Sheet:
        """Return a letter, equal bytes for equal inputs; refuse (UnprintableError) what is none."""
        import typst

        told = self._told(one, head, on)
        try:
            pdf = self._compiler.compile(
                format="pdf", pdf_standards=STANDARDS,
                sys_inputs={"letter": json.dumps(told, ensure_ascii=True)},
            )  # fmt: skip
        except typst.TypstError as error:
            code = "DULY:glyph" if _GLYPHS in error.message else "DULY:typesetting"
            raise UnprintableError(code) from error
        assert isinstance(pdf, bytes)
        return Sheet(pdf=pdf, pages=len(_PAGE.findall(pdf)))

    def prove(self, head: Letterhead) -> None:
        """Print an empty letter in each locale; refuse (Refused) what the fonts cannot show."""
        for locale in dict.fromkeys((*head.lines, *_LOCALES)):
            one = Outgoing(
                message_id="0", channel="letter", address=_NOBODY, text="1", locale=locale,
                message_class="answer", template="",
            )  # fmt: skip
            try:
                self.sheet(one, head, on=_ANY_DAY)
            except UnprintableError as error:
                raise _refused(
                    "letter_no_glyph", self._route, font=", ".join(self._families)
                ) from error

    def _told(self, one: Outgoing, head: Letterhead, on: date) -> Mapping[str, object]:
        address, text = address_lines(one.address), _plain(one.text)
        sender, traditional = head.of(one.locale), _is_traditional(one.locale)
        name = name_of(one.message_id)
        chinese = one.locale.lower().startswith("zh")
        return {
            "fonts": self._families[::-1] if traditional else self._families,
            "lang": "zh" if chinese else one.locale.partition("-")[0].lower() or "en",
            "region": "tw" if traditional else "cn" if chinese else None,
            "title": say("letters", _key("title", one.locale), one.locale),
            "mark": say("letters", _key("mark", one.locale), one.locale),
            "sender": sender,
            "address": address,
            "facts": [
                [say("letters", _key("date", one.locale), one.locale), _date(on, one.locale)],
                [say("letters", _key("reference", one.locale), one.locale), name[:_SHORT]],
            ],
            "footer": "  ·  ".join((*sender[:1], name)),
            "paragraphs": [block.split("\n") for block in text.split("\n\n")],
            "year": on.year, "month": on.month, "day": on.day,
        }  # fmt: skip


def can_print() -> bool:
    """Return whether what sets a page, and its fonts, are installed."""
    return util.find_spec("typst") is not None and all(map(_folder_of, _FONT_PACKAGES))


def compiler(
    page: Path, typeface: str, *, route: str, fonts: str = ""
) -> tuple[typst.Compiler, tuple[str, ...]]:
    """Return what sets a page in a typeface, and the typeface's families.

    Refused (Refused): typst or a font is missing. Nothing is loaded but this page: no file beside
    it, no package from the network.
    """
    if util.find_spec("typst") is None:
        raise _refused("letter_not_installed", route)
    import typst

    folders = [fonts] if fonts else []
    folders += [str(folder) for name in _FONT_PACKAGES if (folder := _folder_of(name))]
    found = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=folders
    )
    families = _families(found.families(), typeface, route, folders)
    made = typst.Compiler(
        page, root=page.parent, font_paths=found, ignore_system_fonts=True,
        package_path=page.parent, package_cache_path=page.parent,
    )  # fmt: skip
    return made, families


def address_lines(address: str) -> tuple[str, ...]:
    """Return the lines of a postal address; refuse (UnprintableError) one that no window shows.

    >>> address_lines("周某某|示例市示例路1号|100000")
    ('周某某', '示例市示例路1号', '100000')
    """
    lines = tuple(line.strip() for line in address.split(_LINE))
    rows = sum(-(-_columns(line) // _COLUMNS) for line in lines)
    good = len(lines) > 1 and all(lines) and rows <= _LINES_MAX
    if not good or len(address) > _ADDRESS_MAX or not address.isprintable():
        raise UnprintableError("DULY:address")
    return lines


def _plain(text: str) -> str:
    """Return a text with its lines ended by LF, paragraphs parted by one empty line."""
    if len(text) > _TEXT_MAX:
        raise UnprintableError("DULY:text_too_long")
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    if any(_is_control(character) for line in lines for character in line):
        raise UnprintableError("DULY:text_control")
    kept = "\n".join(lines).strip("\n")
    while "\n\n\n" in kept:
        kept = kept.replace("\n\n\n", "\n\n")
    if not kept.strip():
        raise UnprintableError("DULY:text_empty")
    return kept


def _is_control(character: str) -> bool:
    """Return whether a character is no mark on paper: a control, half a character, a turn."""
    kind = unicodedata.category(character)
    return kind in ("Cc", "Cs", "Co", "Cn") or (kind == "Cf" and character not in _JOINERS)


def _columns(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in line)


def _is_traditional(locale: str) -> bool:
    return locale.lower().replace("_", "-") in ("zh-tw", "zh-hk", "zh-mo", "zh-hant")


def _key(name: str, locale: str) -> str:
    """Return the entry of the catalogue; a letter in traditional characters has its own."""
    return f"{name}_traditional" if _is_traditional(locale) else name


def _date(on: date, locale: str) -> str:
    month = say("letters", f"month_{on.month}", locale)
    return say("letters", "on", locale, year=on.year, month=month, day=on.day)


def _folder_of(package: str) -> Path | None:
    if util.find_spec(package) is None:
        return None
    found = import_module(package).__file__
    return Path(found).parent if found else None


def _families(
    there: Sequence[str], typeface: str, route: str, folders: Sequence[str]
) -> tuple[str, ...]:
    """Return the families of a typeface: simplified, then traditional characters."""
    made: list[str] = []
    for script in ("SC", "TC"):
        names = [f"{typeface} {script}", f"{typeface} CJK {script}"]
        known = [name for name in names if name in there]
        if not known:
            raise _refused(
                "letter_no_font", route, font=names[0], folders=", ".join(folders) or "-"
            )
        made.append(known[0])
    return tuple(made)


def _refused(code: str, route: str, **values: object) -> Refused:
    return Refused(Diagnostic(area="service", code=code, values={"route": route} | values))
