"""The payment providers of the lender file, with their secrets; each mistake named at once."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, cast
from urllib.parse import urlsplit

from duly.book import Lender, PaymentProvider
from duly.care.checkout import Hosted, HostedSettings, Provider, Status
from duly.care.checkout.hosted import READ, SENT, STATUSES
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused

SANDBOX_PATH = "/pay/sandbox"
_SECRET_BYTES_MIN = 16
_PREFIX = re.compile(r"[A-Za-z0-9_.-]{0,40}")
_WORD = re.compile(r"[A-Za-z0-9_.-]{1,60}")
_LOOPBACK = ("127.0.0.1", "localhost")
_SEED_MAX, _DELAY_MAX = 2**31, 240_000  # Its signature is good for five minutes.
_OF_KIND: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "hosted": frozenset(
            "url merchant secret_env former_secret_env amounts names statuses prefix".split()
        ),
        "sandbox": frozenset("secret_env former_secret_env seed delay_ms prefix".split()),
    }
)


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to pay, ready: the provider, its words, and how its payments are named with us."""

    name: str
    title: str
    title_en: str
    currencies: tuple[str, ...]
    origin: str  #: scheme and host of the page
    prefix: str  #: before the provider's own name of a payment
    provider: Provider
    seed: int | None = None  #: of a sandbox
    delay_ms: int = 0
    secrets: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def host(self) -> str:
        """Return whose page it is, as a browser shows it."""
        return urlsplit(self.origin).netloc

    def called(self, locale: str) -> str:
        """Return how a page names it."""
        return (locale == "en" and self.title_en) or self.title


def providers_of(lender: Lender, environ: Mapping[str, str] = os.environ) -> dict[str, Way]:
    """Return the ways to pay of a lender file; refused: settings that cannot be used.

    A sandbox is paid at with nothing: it is served on the machine itself alone.
    """
    found: list[Diagnostic] = []
    made = {}
    for one in lender.payments.providers:
        settings = _Settings(one, environ)
        begins = lender.portal.begins
        if not begins or not lender.portal.serve:
            settings.wrong("portal.address", "https://my.example.com")
        if one.kind == "sandbox" and urlsplit(begins).hostname not in _LOOPBACK:
            settings.wrong("kind", "hosted; sandbox: portal.address http://127.0.0.1:8000")
        made[one.name] = _way(one, settings, lender)
        found += settings.found
    if found:
        raise Refused(*found)
    return made


def _way(one: PaymentProvider, settings: _Settings, lender: Lender) -> Way:
    sandbox = one.kind == "sandbox"
    url = f"{lender.portal.begins}{SANDBOX_PATH}" if sandbox else settings.url()
    secrets = settings.secrets()
    hosted = HostedSettings(
        url=url, merchant=one.name if sandbox else settings.text("merchant", _WORD, "M1"),
        secrets=secrets or (b"",), amounts=settings.amounts(), names=settings.names(),
        statuses=settings.statuses(),
    )  # fmt: skip
    settings.rest()
    return Way(
        name=one.name, title=one.title, title_en=one.title_en,
        currencies=one.currencies or (lender.currency,),
        origin=urlsplit(url)._replace(path="", query="").geturl(),
        prefix=settings.text("prefix", _PREFIX, "card-", default=""),
        provider=Hosted(one.name, hosted),
        seed=settings.whole("seed", 7, _SEED_MAX) if sandbox else None,
        delay_ms=settings.whole("delay_ms", 5_000, _DELAY_MAX) if sandbox else 0,
        secrets=secrets if sandbox else (),
    )  # fmt: skip


class _Settings:
    """The settings of one provider; what is missing or wrong is noted."""

    def __init__(self, one: PaymentProvider, environ: Mapping[str, str]) -> None:
        self.found: list[Diagnostic] = []
        self._one = one
        self._environ = environ

    def wrong(self, name: str, wanted: str) -> None:
        values = {"provider": self._one.name, "name": name, "wanted": wanted}
        self.found.append(Diagnostic(area="service", code="pay_setting", values=values))

    def text(self, name: str, form: re.Pattern[str], like: str, default: str | None = None) -> str:
        value = self._one.settings.get(name, default)
        if not isinstance(value, str) or not form.fullmatch(value):
            self.wrong(name, like)
            return ""
        return value

    def whole(self, name: str, default: int, most: int) -> int:
        value = self._one.settings.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            self.wrong(name, f"0 … {most}")
            return default
        return value

    def url(self) -> str:
        """Return where a provider's page is: over TLS, or on the machine itself."""
        value = self._one.settings.get("url")
        parts = urlsplit(value) if isinstance(value, str) else urlsplit("")
        inside = parts.scheme == "http" and parts.hostname in _LOOPBACK
        if not (parts.hostname and (parts.scheme == "https" or inside)) or "@" in parts.netloc:
            self.wrong("url", "https://pay.example.com/checkout")
            return ""
        return parts.geturl()

    def secrets(self) -> tuple[bytes, ...]:
        """Return the secret of today and the one before it, from the environment."""
        names = [self._one.settings.get(one) for one in ("secret_env", "former_secret_env")]
        found = []
        for name in names:
            if name is None:
                continue
            secret = self._environ.get(str(name), "").encode()
            if len(secret) < _SECRET_BYTES_MIN:
                values = {"provider": self._one.name, "name": name, "least": _SECRET_BYTES_MIN}
                self.found.append(Diagnostic(area="service", code="pay_secret", values=values))
            found.append(secret)
        return tuple(found)

    def amounts(self) -> Literal["major", "minor"]:
        value = self._one.settings.get("amounts", "major")
        if value not in ("major", "minor"):
            self.wrong("amounts", "major | minor")
        return "minor" if value == "minor" else "major"

    def names(self) -> Mapping[str, str]:
        """Return how the provider calls what is sent and read."""
        ours = {*SENT, *READ}
        value = self._mapping("names", "{reference: order_no, …}", tuple(ours))
        if len(set(value.values())) < len(value):
            self.wrong("names", "{reference: order_no, …}")
        return value

    def statuses(self) -> Mapping[str, Status]:
        """Return what the provider's words for an end mean."""
        value = self._one.settings.get("statuses")
        if value is None:
            return STATUSES
        told = dict(value) if isinstance(value, dict) else {}
        if "paid" not in told.values() or not set(told.values()) <= set(STATUSES.values()):
            self.wrong("statuses", "{SUCCESS: paid, CLOSED: failed}")
            return STATUSES
        return {str(name): cast("Status", one) for name, one in told.items()}

    def _mapping(self, name: str, wanted: str, keys: Sequence[str]) -> Mapping[str, str]:
        value = self._one.settings.get(name, {})
        fits = isinstance(value, dict) and all(
            key in keys and isinstance(said, str) and _WORD.fullmatch(said)
            for key, said in value.items()
        )
        if not fits:
            self.wrong(name, wanted)
            return {}
        return {str(key): str(said) for key, said in cast("dict[str, str]", value).items()}

    def rest(self) -> None:
        """Note each setting that the kind does not have."""
        for name in sorted(set(self._one.settings) - _OF_KIND[self._one.kind]):
            self.wrong(name, ", ".join(sorted(_OF_KIND[self._one.kind])))
