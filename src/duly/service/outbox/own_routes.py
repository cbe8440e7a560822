"""The routes by a lender's own app and by post, from the lender file."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from duly.book import Route
from duly.core.diagnostic import Diagnostic
from duly.core.words import LOCALES
from duly.delivery.http import HttpGateway, HttpSettings
from duly.delivery.letters import LetterGateway, Letterhead, LetterSettings
from duly.delivery.push import LockScreen
from duly.rules.load import load_packs
from duly.rules.model import Text
from duly.rules.phrases import says
from duly.rules.wording import amounts_of
from duly.service.outbox.route_settings import RouteSettings

_WINDOW_MAX, _PER_SECOND_MAX, _SECONDS_MAX = 1000, 10_000, 600
#: The rule that says what somebody else must not hear; a locked phone speaks to everybody.
_NOT_FOR_OTHERS = "CN-TP-4"
_LINK = re.compile(r"[a-z][a-z0-9+.-]{1,30}://[!-~]{1,300}")
_HERE = ZoneInfo("Asia/Shanghai")
_PARTS = "|"  #: parts the lines of a letterhead, as of an address


def push_settings(
    route: Route, settings: RouteSettings, clock: Callable[[], datetime]
) -> HttpGateway:
    """Return the gateway of a push; what is wrong is noted in its settings."""
    settings.text("webhook_secret_env", "")
    settings.zone("time_zone")
    screen = LockScreen(
        titles=settings.table("title"), previews=settings.table("preview"), link=_link(settings)
    )
    for name, said in (("title", screen.title), ("preview", screen.preview)):
        for locale in dict.fromkeys((*LOCALES, *screen.titles, *screen.previews)):
            words = tells_debt(said(locale))
            if words:
                values = {"route": route.name, "name": name, "locale": locale, "words": words}
                settings.found.append(
                    Diagnostic(area="service", code="route_tells_debt", values=values)
                )
    return HttpGateway(
        route.name,
        HttpSettings(
            url=settings.url("url"),
            secret=settings.secret("secret_env", required=True).encode(),
            id_field=settings.text("id_field", "id"),
            window=settings.whole("window", 20, least=1, most=_WINDOW_MAX),
            per_second=settings.whole("per_second", 0, most=_PER_SECOND_MAX),
            response_seconds=settings.whole("timeout_seconds", 15, least=1, most=_SECONDS_MAX),
        ),
        clock=clock,
        tell=screen.tell,
    )


def tells_debt(said: str) -> str:
    """Return the words by which a text tells somebody else of a debt, or nothing.

    >>> tells_debt("您有一条新消息"), tells_debt("您的借款已逾期")
    ('', '借款')
    """
    for phrase in _phrases():
        found = says(said, phrase)
        if found:
            return found
    return said if amounts_of(said) else ""


@cache
def _phrases() -> tuple[str, ...]:
    (rule,) = [rule for rule in load_packs(["cn"]) if rule.id == _NOT_FOR_OTHERS]
    assert isinstance(rule.primitive, Text)
    return tuple(phrase for words in rule.primitive.never for phrase in words.phrases)


def _link(settings: RouteSettings) -> str:
    link = settings.text("link", "")
    if link and not (_LINK.fullmatch(link) and not link.startswith("http://")):
        settings.wrong("link", "https://lender.example/inbox/{message_id}")
    return link


def letter_settings(
    route: Route, settings: RouteSettings, clock: Callable[[], datetime], label: str
) -> LetterGateway:
    """Return the gateway to a print house; what is wrong is noted in its settings."""
    settings.text("webhook_secret_env", "")
    return LetterGateway(
        route.name,
        LetterSettings(
            spool=Path(settings.text("spool")),
            letterhead=_letterhead(route, settings),
            zone=settings.zone("time_zone") or _HERE,
            typeface=settings.text("typeface", "Noto Sans"),
            fonts=settings.text("fonts", ""),
            window=settings.whole("window", 10, least=1, most=_WINDOW_MAX),
            per_second=settings.whole("per_second", 0, most=_PER_SECOND_MAX),
            response_seconds=settings.whole("timeout_seconds", 60, least=1, most=_SECONDS_MAX),
        ),
        clock=clock,
        worker=label,
    )


def _letterhead(route: Route, settings: RouteSettings) -> Letterhead:
    said = route.settings.get("letterhead")
    told: Mapping[str, str] = settings.table("letterhead")
    lines = {locale: [line.strip() for line in text.split(_PARTS)] for locale, text in told.items()}
    good = lines and all(line and line.isprintable() for one in lines.values() for line in one)
    if said is None:
        settings.text("letterhead")
    elif isinstance(said, dict) and not good:
        settings.wrong("letterhead", "zh-CN: 示例消费金融有限公司|95xxx|…")
    return Letterhead(lines=lines)
