"""In which language and size somebody reads, and what pages say of the lender."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, QueryDict

from duly.book import Lender
from duly.core.words import LOCALES, known_locale
from duly.service.api.serving import present
from duly.service.faces.face import face_of


@dataclass(frozen=True, kw_only=True)
class Look:
    """In which language and size somebody reads; what was chosen goes on in every link."""

    area: str  #: the catalogue of the words
    locale: str
    large: bool
    chosen: tuple[tuple[str, str], ...]  #: lang and size, where the address says them
    about: tuple[tuple[str, str], ...] = ()

    @property
    def other(self) -> str:
        """Return the language that the switch leads to."""
        return next(one for one in LOCALES if one != self.locale)


def look_of(request: HttpRequest) -> Look:
    """Return how a page is read: as its address says, else as the browser asks, else the lender.

    No cookie keeps it: nothing is stored about who has not signed in.
    """
    read = request.method == "POST" and not getattr(request, "unread", False)
    try:
        given = request.POST if read else request.GET
    except SuspiciousOperation:  # Thousands of fields: the page that refuses them names no choice.
        given = QueryDict()
    lang, size = given.get("lang", ""), given.get("size", "")
    chosen = [("lang", lang)] if lang in LOCALES else []
    if size == "large":
        chosen.append(("size", size))
    locale = lang if lang in LOCALES else _preferred(request)
    face = face_of(request)
    about = tuple((name, given[name]) for name in face.about if given.get(name))
    return Look(
        area=face.area, locale=locale, large=size == "large", chosen=tuple(chosen), about=about
    )


def leave_unread(request: HttpRequest) -> None:
    """Say that the body of a request is not read, not even for its language."""
    request.unread = True  # type: ignore[attr-defined]


def _preferred(request: HttpRequest) -> str:
    for part in request.headers.get("Accept-Language", "").split(",")[:10]:
        named = part.partition(";")[0].strip().lower()
        if named.startswith(("zh", "en")):
            return known_locale(named)
    return known_locale(present().lender.locale)


def named(lender: Lender, locale: str) -> dict[str, object]:
    """Return what pages say of the lender, in the words of a language."""
    english = locale == "en"
    return {
        "name": (english and lender.name_en) or lender.name,
        "app": (english and lender.app_en) or lender.app,
        "hotline": lender.hotline,
        "dials": lender.hotline if lender.hotline.replace("-", "").isdigit() else "",
        "website": lender.website,
        "national": "cn" in lender.packs,
        "texts_per_day": lender.limits.texts_per_day,
        "texts_per_7_days": lender.limits.texts_per_7_days,
        "decides": (english and lender.relief.decides_en) or lender.relief.decides,
    }
