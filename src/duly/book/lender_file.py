"""Reading the lender file: every mistake at once, each with its line and column."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from duly.book import lender_values as takes
from duly.book.lender import (
    Answers,
    Console,
    Daily,
    Lender,
    Limits,
    PaymentProvider,
    Payments,
    People,
    Portal,
    Relief,
    Route,
)
from duly.book.lender_walk import Walk
from duly.core import digest
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused

_KINDS_OF_ROUTE = ("smpp", "http", "smtp", "webhook", "letter", "tasks", "sandbox")
_CATCH_UP_DAYS_MAX = 31
_PATH = re.compile(r"/|(?:/[a-z0-9][a-z0-9-]{0,39}){1,3}")
#: Never the whole host, never the API's own addresses.
_STAFF = re.compile(r"(?!/(?:api|healthz|readyz|metrics)(?:/|$))(?:/[a-z0-9][a-z0-9-]{0,39}){1,3}")
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
#: In clear only on the machine itself.
_SITE = re.compile(
    r"(?:https://[a-z0-9][a-z0-9.-]{0,250}|http://(?:127\.0\.0\.1|localhost))(?::[0-9]{1,5})?"
)
_PROVIDER = re.compile(r"[a-z][a-z0-9-]{0,29}")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,99}")


#: section ("" = top) → key → (field of the dataclass, reader).
_KEYS: Mapping[str, Mapping[str, tuple[str, Callable[[object], object]]]] = {
    "": {
        "time_zone": ("time_zone", takes.zone),
        "locale": ("locale", takes.text),
        "currency": ("currency", takes.currency),
        "packs": ("packs", takes.texts),
        "switched_off": ("switched_off", takes.none_or_texts),
        "policy": ("policy", takes.text),
        "approval": ("approval", takes.choice("automatic", "one", "two")),
        "templates": ("templates", takes.folder),
        "models": ("models", takes.folder),
        "stops": ("stops", takes.folder),
        "agencies": ("agencies", takes.agencies),
        "accounts": ("accounts", takes.accounts),
    },
    "clauses": {"late_charge": ("late_charge_clause", takes.text)},
    # `least_payment` is read in the lender's own currency: `_build`.
    "relief": {
        "kinds": ("kinds", takes.kinds_of_relief),
        "extension_months": ("extension_months", takes.within(1, 60)),
        "installments": ("installments", takes.within(2, 60)),
        "pause_months": ("pause_months", takes.within(1, 12)),
        "late_charge": ("late_charge", takes.choice("stops", "runs")),
        "waive_late_charge": ("waive_late_charge", takes.flag),
        "again_days": ("again_days", takes.within(0, 3650)),
        "product_months": ("product_months", takes.within(1, 360)),
        "read_seconds": ("read_seconds", takes.within(10, 600)),
        "decides": ("decides", takes.text),
        "decides_en": ("decides_en", takes.text),
    },
    "debits": {"announced": ("debits_announced", takes.flag)},
    "lender": {
        key: (key, takes.text)
        for key in (
            *("name", "signature", "kind", "licence", "hotline", "website", "app"),
            *("name_en", "signature_en", "app_en"),
        )
    },
    "bureau": {
        "reports": ("bureau_reports", takes.flag),
        "paying_before_prevents": ("bureau_paying_prevents", takes.flag),
    },
    "figures": {
        "principal": ("figures_principal_minor", takes.minor),
        "late_charge": ("figures_late_charge_minor", takes.minor),
    },
    "people": {
        "agents": ("agents", takes.count),
        "dials_a_day": ("dials_a_day", takes.count),
        "reserve_for_care": ("reserve_for_care", takes.share),
    },
    "daily": {
        "at": ("at", takes.clock),
        "book": ("book", takes.dated),
        "calendar": ("calendar", takes.choice("every_day", "working_days")),
        "catch_up_days": ("catch_up_days", takes.within(0, _CATCH_UP_DAYS_MAX)),
    },
    "portal": {
        "serve": ("serve", takes.flag),
        "path": ("path", takes.formed(_PATH, "/ | /my")),
        "host": ("host", takes.formed(_HOST, "my.example.com")),
        "handover_secret_env": (
            "handover_secret_env",
            takes.formed(_VARIABLE, "DULY_HANDOVER_SECRET"),
        ),
        "address": ("address", takes.formed(_SITE, "https://my.example.com")),
    },
    # `least` is read in the lender's own currency: `_build`; `providers` as routes are.
    "payments": {
        "lasts_minutes": ("lasts_minutes", takes.within(5, 1440)),
        "confirm": ("confirm", takes.flag),
    },
    "console": {
        "serve": ("serve", takes.flag),
        "path": ("path", takes.formed(_STAFF, "/staff")),
        "host": ("host", takes.formed(_HOST, "staff.example.com")),
    },
    "limits": {
        "texts_per_day": ("texts_per_day", takes.count),
        "texts_per_7_days": ("texts_per_7_days", takes.count),
        "floor": ("floor_minor", takes.minor),
        "cost_per_day": ("cost_per_day_minor", takes.minor),
        "book_age_hours": ("book_age_hours", takes.count),
        "figures_age_hours": ("figures_age_hours", takes.count),
        "review_days": ("review_days", takes.days),
    },
    # No later than the hold that pauses reminders is looked at: the text says that none come.
    "answers": {
        "send": ("send", takes.flag),
        "per_7_days": ("per_7_days", takes.within(0, 7)),
        "payment_days": ("payment_days", takes.within(1, 3)),
        "dispute_days": ("dispute_days", takes.within(1, 15)),
        "complaint_days": ("complaint_days", takes.within(1, 15)),
        "hardship_days": ("hardship_days", takes.within(1, 30)),
        "request_days": ("request_days", takes.within(1, 15)),
    },
}
_ROUTE_KEYS: Mapping[str, tuple[str, Callable[[object], object]]] = {
    "name": ("name", takes.text),
    "channel": ("channel", takes.choice("sms", "voice", "email", "push", "letter")),
    "kind": ("kind", takes.choice(*_KINDS_OF_ROUTE)),
    "accepts": ("accepts", takes.classes),
    "cost": ("price", takes.price),
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
_PROVIDER_KEYS: Mapping[str, tuple[str, Callable[[object], object]]] = {
    "name": ("name", takes.formed(_PROVIDER, "card")),
    "kind": ("kind", takes.choice("hosted", "sandbox")),
    "title": ("title", takes.text),
    "title_en": ("title_en", takes.text),
    "currencies": ("currencies", takes.currencies),
}
_PROVIDER_SETTINGS = (
    *("url", "merchant", "secret_env", "former_secret_env", "amounts", "names", "statuses"),
    *("prefix", "seed", "delay_ms"),
)
_REQUIRED = {
    "lender": ("name", "signature", "hotline", "app"),
    "provider": ("name", "kind", "title", "secret_env"),
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
    if lender.stops is not None:
        lender = replace(lender, stops=beside / lender.stops)
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
    least = {"least_payment": ("least", takes.least(str(values.get("currency", "CNY"))))}
    own = {"least": ("least", takes.least(str(values.get("currency", "CNY"))))}
    keys = {
        **_KEYS,
        "relief": {**_KEYS["relief"], **least},
        "payments": {**_KEYS["payments"], **own},
    }
    also = {"payments": ("providers",)}
    parts = {
        key: reader.section(
            node[key],
            keys[key],
            key,
            also=also.get(key, ()),
            at=node.lc.value(key),  # type: ignore[attr-defined]
        )
        for key in sections
        if key in node
    }
    reader.required(node.get("lender", node), _REQUIRED["lender"], "lender")
    if "daily" in node:
        reader.required(node["daily"], _REQUIRED["daily"], "daily")
    routes = _routes(node.get("routes", []), reader)
    providers = _providers(node, reader)
    ours = parts.get("console", {}).get("path")
    if ours is not None and ours == parts.get("portal", {}).get("path"):
        place = node["console"].lc.value("path")
        reader.wrong("lender_bad_value", place, name="console.path", value=ours, wanted="/staff")
    if reader.found:
        return None
    for key in ("lender", "bureau", "figures", "clauses", "debits"):
        values |= parts.get(key, {})
    if "least" in parts.get("relief", {}):
        values["relief_least"] = parts["relief"].pop("least")
    return Lender(
        **values,  # type: ignore[arg-type]
        routes=routes,
        people=People(**parts.get("people", {})),  # type: ignore[arg-type]
        limits=Limits(**parts.get("limits", {})),  # type: ignore[arg-type]
        answers=Answers(**parts.get("answers", {})),  # type: ignore[arg-type]
        daily=Daily(**parts["daily"]) if "daily" in parts else None,  # type: ignore[arg-type]
        portal=Portal(**parts.get("portal", {})),  # type: ignore[arg-type]
        relief=Relief(**parts.get("relief", {})),  # type: ignore[arg-type]
        payments=Payments(providers=providers, **parts.get("payments", {})),  # type: ignore[arg-type]
        console=Console(**parts.get("console", {})),  # type: ignore[arg-type]
        sha256=sha256,
        named_at=tuple(_named_at(node)),
        file=reader.file,
    )


def _named_at(node: Mapping[str, Any]) -> Iterator[tuple[str, int, int]]:
    for key in ("packs", "switched_off"):
        for place, one in enumerate(node.get(key, ())):
            line, column = node[key].lc.item(place)
            yield str(one), line + 1, column + 1


def _routes(node: object, reader: Walk) -> tuple[Route, ...]:
    rows = _named(node, reader, "routes", (0, 0), _ROUTE_KEYS, _ROUTE_SETTINGS, _REQUIRED["route"])
    return tuple(Route(**values, settings=more) for values, more in rows)  # type: ignore[arg-type]


def _providers(node: Any, reader: Walk) -> tuple[PaymentProvider, ...]:
    payments = node.get("payments")
    if not isinstance(payments, dict) or "providers" not in payments:
        return ()
    rows = _named(
        payments["providers"], reader, "payments.providers", payments.lc.value("providers"),  # type: ignore[attr-defined]
        _PROVIDER_KEYS, _PROVIDER_SETTINGS, _REQUIRED["provider"],
    )  # fmt: skip
    return tuple(PaymentProvider(**values, settings=more) for values, more in rows)  # type: ignore[arg-type]


def _named(
    node: object, reader: Walk, name: str, place: tuple[int, int],
    keys: Mapping[str, tuple[str, Callable[[object], object]]], settings: tuple[str, ...],
    needed: tuple[str, ...],
) -> list[tuple[dict[str, object], dict[str, object]]]:  # fmt: skip
    """Return the values and settings of a list of things, each with a name of its own."""
    if not isinstance(node, list):
        reader.wrong("lender_bad_value", place, name=name, value=node, wanted="[{…}]")
        return []
    found: list[tuple[dict[str, object], dict[str, object]]] = []
    for at, item in enumerate(node):
        before = len(reader.found)
        path = f"{name}[{at}]"
        values = reader.section(item, keys, path, also=settings)
        reader.required(item, needed, path)
        if len(reader.found) > before:
            continue
        if any(one["name"] == values["name"] for one, _ in found):
            where = item.lc.value("name")
            reader.wrong("lender_twice", where, name=f"{path}.name: {values['name']}")
            continue
        found.append((values, {key: item[key] for key in item if key in settings}))
    return found
