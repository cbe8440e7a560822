"""Reading the lender file: every mistake at once, each with its line and column."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import time
from functools import lru_cache
from importlib import resources
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from duly.book import expressions
from duly.book.lender import Agency, Answers, Daily, Lender, Limits, People, Portal, Route
from duly.book.lender_walk import Walk, WrongValueError
from duly.core import digest, money, prices
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused

_KINDS_OF_ROUTE = ("smpp", "http", "smtp", "webhook", "letter", "tasks", "sandbox")
_CLASSES = ("dunning", "statutory", "receipt", "answer", "correction")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_CATCH_UP_DAYS_MAX = 31
_PATH = re.compile(r"/|(?:/[a-z0-9][a-z0-9-]{0,39}){1,3}")
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,99}")


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)) or not str(value).strip():
        raise WrongValueError("a text")
    return str(value)


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise WrongValueError("a list of texts")
    return tuple(_text(one) for one in value)


def _none_or_texts(value: object) -> tuple[str, ...]:
    return () if value == [] else _texts(value)


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 1_000_000:
        raise WrongValueError("a whole number from 0 to 1000000")
    return int(value)


def _within(least: int, most: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise WrongValueError(f"a whole number from {least} to {most}")
        return int(value)

    return read


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise WrongValueError("true | false")
    return value


def _minor(value: object) -> int:
    try:
        amount = money.to_minor(str(value), "CNY")
    except money.NotMoney as error:
        raise WrongValueError('"20.00"') from error
    if amount < 0:
        raise WrongValueError('"20.00"')
    return amount


def _least(own: str) -> Callable[[object], Mapping[str, int]]:
    """Return the reader of an amount in the lender's currency, or of one in each of several."""
    wanted = '"120.00" | {CNY: "120.00", TWD: "550"}'

    def read(value: object) -> Mapping[str, int]:
        stated = value if isinstance(value, dict) else {own: value}
        try:
            least = {one: money.to_minor(str(stated[one]), one) for one in map(_currency, stated)}
        except money.NotMoney as error:
            raise WrongValueError(wanted) from error
        if min(least.values(), default=-1) < 0:
            raise WrongValueError(wanted)
        return least

    return read


def _price(value: object) -> int:
    try:
        return prices.of_text(str(value))
    except prices.NotAPrice as error:
        raise WrongValueError('"0.045"') from error


def _share(value: object) -> str:
    whole, _, fraction = str(value).partition(".")
    share = whole in ("0", "1") and (fraction == "" or fraction.isdigit())
    if not share or (whole == "1" and fraction.strip("0")):
        raise WrongValueError("0 … 1")
    return str(value)


def _days(value: object) -> dict[str, int]:
    if not isinstance(value, dict):
        raise WrongValueError("{dispute: 15, …}")
    return {str(kind): _count(days) for kind, days in value.items()}


def _choice(*allowed: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if value not in allowed:
            raise WrongValueError(" | ".join(allowed))
        return str(value)

    return read


def _zone(value: object) -> str:
    if value not in expressions.zones():
        raise WrongValueError("Asia/Shanghai, …")
    return str(value)


def _currency(value: object) -> str:
    if value not in money.CURRENCIES:
        raise WrongValueError("CNY, …")
    return str(value)


def _classes(value: object) -> tuple[str, ...]:
    return tuple(_choice(*_CLASSES)(one) for one in _texts(value))


def _folder(value: object) -> Path:
    return Path(_text(value))


def _formed(pattern: re.Pattern[str], wanted: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise WrongValueError(wanted)
        return value

    return read


def _clock(value: object) -> time:
    if not isinstance(value, str) or not _CLOCK.fullmatch(value):
        raise WrongValueError('"06:00"')
    return time.fromisoformat(value)


def _dated(value: object) -> str:
    """Read a path that a date is put into: with none, yesterday's book would pass for today's."""
    text = _text(value)
    if text.count("{date}") != 1 or set("{}") & set(text.replace("{date}", "")):
        raise WrongValueError('"books/{date}"')
    return text


def _agencies(value: object) -> tuple[Agency, ...]:
    wanted = "[{name: …, name_en: …}]"
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise WrongValueError(wanted)
    made = []
    for one in value:
        if "name" not in one or not set(one) <= {"name", "name_en"}:
            raise WrongValueError(wanted)
        made.append(Agency(**{key: _text(text) for key, text in one.items()}))
    return tuple(made)


#: section ("" = top) → key → (field of the dataclass, reader).
_KEYS: Mapping[str, Mapping[str, tuple[str, Callable[[object], object]]]] = {
    "": {
        "time_zone": ("time_zone", _zone),
        "locale": ("locale", _text),
        "currency": ("currency", _currency),
        "packs": ("packs", _texts),
        "switched_off": ("switched_off", _none_or_texts),
        "policy": ("policy", _text),
        "approval": ("approval", _choice("automatic", "one", "two")),
        "templates": ("templates", _folder),
        "models": ("models", _folder),
        "agencies": ("agencies", _agencies),
    },
    "clauses": {"late_charge": ("late_charge_clause", _text)},
    "relief": {},  # Its amounts are of the lender's own currency: `_least` below.
    "debits": {"announced": ("debits_announced", _flag)},
    "lender": {
        key: (key, _text)
        for key in (
            *("name", "signature", "kind", "licence", "hotline", "website", "app"),
            *("name_en", "signature_en", "app_en"),
        )
    },
    "bureau": {
        "reports": ("bureau_reports", _flag),
        "paying_before_prevents": ("bureau_paying_prevents", _flag),
    },
    "figures": {
        "principal": ("figures_principal_minor", _minor),
        "late_charge": ("figures_late_charge_minor", _minor),
    },
    "people": {
        "agents": ("agents", _count),
        "dials_a_day": ("dials_a_day", _count),
        "reserve_for_care": ("reserve_for_care", _share),
    },
    "daily": {
        "at": ("at", _clock),
        "book": ("book", _dated),
        "calendar": ("calendar", _choice("every_day", "working_days")),
        "catch_up_days": ("catch_up_days", _within(0, _CATCH_UP_DAYS_MAX)),
    },
    "portal": {
        "serve": ("serve", _flag),
        "path": ("path", _formed(_PATH, "/ | /my")),
        "host": ("host", _formed(_HOST, "my.example.com")),
        "handover_secret_env": ("handover_secret_env", _formed(_VARIABLE, "DULY_HANDOVER_SECRET")),
    },
    "limits": {
        "texts_per_day": ("texts_per_day", _count),
        "texts_per_7_days": ("texts_per_7_days", _count),
        "floor": ("floor_minor", _minor),
        "cost_per_day": ("cost_per_day_minor", _minor),
        "book_age_hours": ("book_age_hours", _count),
        "figures_age_hours": ("figures_age_hours", _count),
        "review_days": ("review_days", _days),
    },
    # No later than the hold that pauses reminders is looked at: the text says that none come.
    "answers": {
        "send": ("send", _flag),
        "per_7_days": ("per_7_days", _within(0, 7)),
        "payment_days": ("payment_days", _within(1, 3)),
        "dispute_days": ("dispute_days", _within(1, 15)),
        "complaint_days": ("complaint_days", _within(1, 15)),
        "hardship_days": ("hardship_days", _within(1, 30)),
        "request_days": ("request_days", _within(1, 15)),
    },
}
_ROUTE_KEYS: Mapping[str, tuple[str, Callable[[object], object]]] = {
    "name": ("name", _text),
    "channel": ("channel", _choice("sms", "voice", "email", "push", "letter")),
    "kind": ("kind", _choice(*_KINDS_OF_ROUTE)),
    "accepts": ("accepts", _classes),
    "cost": ("price", _price),
}
_ROUTE_SETTINGS = (
    *("host", "port", "system_id", "password_env", "source", "window", "per_second", "url"),
    *("secret_env", "template_codes", "sender", "seed", "timeout_seconds", "user"),
    *("tls", "registered", "opt_out", "log", "honest", "delay_ms", "ca_file"),
    *("system_type", "source_ton", "source_npi", "ids", "time_zone", "default_coding", "validity"),
    *("enquire_seconds", "id_field", "code_field", "code_ok", "by_part", "webhook_format"),
    "webhook_secret_env",
    *("sender_name", "envelope", "subject", "unsubscribe_url", "unsubscribe_mail"),
    *("dkim_domain", "dkim_selector", "dkim_key_file"),
    *("title", "preview", "link", "spool", "letterhead", "typeface", "fonts"),
    *("attempts", "back_off", "back_off_most", "fallback_refusals", "fallback_after"),
)
_REQUIRED = {
    "lender": ("name", "signature", "hotline", "app"),
    "route": ("name", "channel", "kind"),
    "daily": ("at",),
}


def load_lender(path: Path | None) -> Lender:
    """Read a lender file, None for the built-in example; refuse it with every mistake named."""
    if path is None:
        label = "lender.example.yaml"
        data = resources.files("duly.book").joinpath(label).read_bytes()
    else:
        label = str(path)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise _refused("lender_unreadable", label, why=error.strerror) from error
    return _placed(_read(data, label), path.parent if path is not None else Path())


@lru_cache(maxsize=8)
def _read(data: bytes, label: str) -> Lender:
    """Return what a file says; the same bytes are read once: a round of a day asks five times."""
    reader = Walk(label)
    lender = _build(_parse(data, label), reader, digest.of_bytes(data))
    if reader.found or lender is None:
        raise Refused(*sorted(reader.found, key=lambda one: (one.line, int(one.column))))
    return lender


def _placed(lender: Lender, beside: Path) -> Lender:
    """Return the lender with its paths as they are meant: beside its file."""
    if lender.templates is not None:
        lender = replace(lender, templates=beside / lender.templates)
    if lender.models is not None:
        lender = replace(lender, models=beside / lender.models)
    if lender.daily is not None and lender.daily.book is not None:
        book = str(beside / lender.daily.book)
        lender = replace(lender, daily=replace(lender.daily, book=book))
    return lender


def _refused(code: str, file: str, line: int = 0, column: str = "", **values: object) -> Refused:
    found = Diagnostic(area="book", code=code, file=file, line=line, column=column, values=values)
    return Refused(found)


def _parse(data: bytes, label: str) -> object:
    try:
        return YAML(typ="rt").load(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise _refused("not_utf8", label, encoding="") from error
    except MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, str(mark.column + 1)) if mark else (0, "")
        if isinstance(error, DuplicateKeyError):
            key = str(error.problem).split('"')[1]
            raise _refused("lender_twice", label, line, column, name=key) from error
        raise _refused("lender_yaml", label, line, column, why=error.problem) from error
    except YAMLError as error:
        raise _refused("lender_yaml", label, why=str(error).split("\n")[0]) from error


def _build(node: object, reader: Walk, sha256: str) -> Lender | None:
    sections = tuple(key for key in _KEYS if key)
    values = reader.section(node, _KEYS[""], "", also=(*sections, "routes"))
    if not isinstance(node, dict):
        return None
    relief = {"least_payment": ("relief_least", _least(str(values.get("currency", "CNY"))))}
    keys = {**_KEYS, "relief": relief}
    parts = {
        key: reader.section(node[key], keys[key], key, at=node.lc.value(key))  # type: ignore[attr-defined]
        for key in sections
        if key in node
    }
    reader.required(node.get("lender", node), _REQUIRED["lender"], "lender")
    if "daily" in node:
        reader.required(node["daily"], _REQUIRED["daily"], "daily")
    routes = _routes(node.get("routes", []), reader)
    if reader.found:
        return None
    for key in ("lender", "bureau", "figures", "clauses", "relief", "debits"):
        values |= parts.get(key, {})
    return Lender(
        **values,  # type: ignore[arg-type]
        routes=routes,
        people=People(**parts.get("people", {})),  # type: ignore[arg-type]
        limits=Limits(**parts.get("limits", {})),  # type: ignore[arg-type]
        answers=Answers(**parts.get("answers", {})),  # type: ignore[arg-type]
        daily=Daily(**parts["daily"]) if "daily" in parts else None,  # type: ignore[arg-type]
        portal=Portal(**parts.get("portal", {})),  # type: ignore[arg-type]
        sha256=sha256,
    )


def _routes(node: object, reader: Walk) -> tuple[Route, ...]:
    if not isinstance(node, list):
        reader.wrong("lender_bad_value", (0, 0), name="routes", value=node, wanted="[{…}]")
        return ()
    routes: list[Route] = []
    for at, item in enumerate(node):
        before = len(reader.found)
        path = f"routes[{at}]"
        values = reader.section(item, _ROUTE_KEYS, path, also=_ROUTE_SETTINGS)
        reader.required(item, _REQUIRED["route"], path)
        if len(reader.found) > before:
            continue
        if any(route.name == values["name"] for route in routes):
            place = item.lc.value("name")
            reader.wrong("lender_twice", place, name=f"{path}.name: {values['name']}")
            continue
        settings = {key: item[key] for key in item if key in _ROUTE_SETTINGS}
        routes.append(Route(**values, settings=settings))  # type: ignore[arg-type]
    return tuple(routes)
