"""What a route of the lender file says of its gateway, read with every mistake named."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from duly.book import Route
from duly.core.diagnostic import Diagnostic

#: What every route has beside its gateway's own: read by the file's reader, or of no gateway.
_ANYWHERE = frozenset({"registered", "opt_out"})
_PORT_MAX = 65_535
_DURATION = re.compile(r"([0-9]{1,6})(s|m|h)")
_UNITS = {"s": 1, "m": 60, "h": 3600}


class RouteSettings:
    """The settings of one route; each is asked for once, what nobody asked for is unknown.

    A setting that is missing or wrong is noted in `found` and given a value of its kind.
    """

    def __init__(self, route: Route, environ: Mapping[str, str]) -> None:
        self.found: list[Diagnostic] = []
        self._route = route
        self._environ = environ
        self._asked: set[str] = set(_ANYWHERE)

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text; without a default it has to be there."""
        value = self._take(key, required=default is None)
        if value is None:
            return default or ""
        if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
            self._wrong(key, "a text")
            return default or ""
        if not str(value).isprintable():
            self._wrong(key, "a text on one line")
        return str(value)

    def whole(self, key: str, default: int | None, *, least: int = 0, most: int) -> int:
        """Return a whole number within bounds."""
        value = self._take(key, required=default is None)
        if value is None:
            return default or least
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self._wrong(key, f"{least} … {most}")
            return default or least
        return int(value)

    def seconds(self, key: str, default: int, *, most: int) -> int:
        """Return a duration in whole seconds: `30s`, `10m`, `2h`."""
        value = self._take(key, required=False)
        if value is None:
            return default
        said = _DURATION.fullmatch(value) if isinstance(value, str) else None
        found = int(said[1]) * _UNITS[said[2]] if said else 0
        if not 1 <= found <= most:
            self._wrong(key, f"30s | 10m | 2h, 1s … {most}s")
            return default
        return found

    def port(self, default: int | None = None) -> int:
        """Return the port."""
        return self.whole("port", default, least=1, most=_PORT_MAX)

    def flag(self, key: str, *, default: bool) -> bool:
        """Return a truth value."""
        value = self._take(key, required=False)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        self._wrong(key, "true | false")
        return default

    def choice(self, key: str, default: str, *others: str) -> str:
        """Return one of a few words."""
        value = self._take(key, required=False)
        if value is None or value in (default, *others):
            return default if value is None else str(value)
        self._wrong(key, " | ".join((default, *others)))
        return default

    def table(self, key: str) -> Mapping[str, str]:
        """Return a mapping of texts, empty where it is not there."""
        value = self._take(key, required=False)
        if value is None:
            return {}
        if not isinstance(value, dict) or not all(isinstance(v, str | int) for v in value.values()):
            self._wrong(key, "{template: code}")
            return {}
        return {str(name): str(code) for name, code in value.items()}

    def zone(self, key: str) -> ZoneInfo | None:
        """Return a time zone, None where none is said."""
        name = self.text(key, "")
        if not name:
            return None
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            self._wrong(key, "Asia/Shanghai, …")
            return None

    def url(self, key: str) -> str:
        """Return an http or https URL without a password in it."""
        value = self.text(key)
        try:
            parts = urlsplit(value)
            good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            good = False
        if value and not (good and "@" not in value):
            self._wrong(key, "https://gateway.example/send")
        return value

    def secret(self, key: str, *, required: bool) -> str:
        """Return what the environment variable holds that a setting names; never shown."""
        name = self.text(key) if required else self.text(key, "")
        if not name:
            return ""
        value = self._environ.get(name, "")
        if not value:
            self._note("route_no_secret", name=key, variable=name)
        return value

    def file(self, key: str, *, required: bool) -> bytes:
        """Return the bytes of a file that a setting names; empty where none is."""
        name = self.text(key) if required else self.text(key, "")
        if not name:
            return b""
        try:
            return Path(name).read_bytes()
        except OSError as error:
            self._note("route_no_file", name=key, file=name, why=error.strerror)
            return b""

    def trust(self) -> ssl.SSLContext:
        """Return what certificates are checked with: the system's, or those of `ca_file`."""
        held = self.file("ca_file", required=False)
        try:
            return ssl.create_default_context(cadata=held.decode("ascii") if held else None)
        except (ssl.SSLError, UnicodeDecodeError):
            self._wrong("ca_file", "PEM")
            return ssl.create_default_context()

    def wrong(self, key: str, wanted: str) -> None:
        """Note that a value is not what its gateway can use."""
        self._wrong(key, wanted)

    def rest(self) -> None:
        """Note every setting that nobody asked for."""
        for key in sorted(set(self._route.settings) - self._asked):
            self._note("route_unknown_setting", name=key, kind=self._route.kind)

    def _take(self, key: str, *, required: bool) -> object:
        self._asked.add(key)
        value = self._route.settings.get(key)
        if value is None and required:
            self._note("route_missing_setting", name=key, kind=self._route.kind)
        return value

    def _wrong(self, key: str, wanted: str) -> None:
        self._note("route_bad_setting", name=key, wanted=wanted)

    def _note(self, code: str, **values: object) -> None:
        values = {"route": self._route.name} | values
        self.found.append(Diagnostic(area="service", code=code, values=values))
