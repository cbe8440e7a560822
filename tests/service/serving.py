"""A real `duly serve` on loopback over a database of its own, and a client that can misbehave."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from prepared import SECRET_KEYS

from duly.service import setting_up
from duly.service.operations import keys

AT = "2026-03-10T10:00:00+08:00"
ALL = ",".join(keys.SCOPES)
HANDOVER_SECRET = "what the app and we know"
PAY_SECRET, FORMER_SECRET = "what the provider and we know", "what we knew before that"
GATEWAY_SECRET, RESELLER_TOKEN = "a secret of the gateway", "a-token-in-the-address"


@dataclass(frozen=True)
class Reply:
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes
    cookies: tuple[str, ...] = ()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of a problem; the answer has to be one."""
        assert self.headers["content-type"] == "application/problem+json", self.body
        assert self.json["status"] == self.status
        assert {"type", "title", "detail"} <= set(self.json)
        return str(self.json["code"])


@dataclass
class Served:
    """The server under test: where it listens, its database, a key for everything."""

    port: int
    url: str
    key: str
    process: subprocess.Popen[bytes]
    folder: Path

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        key: str | None = "",
        kind: str = "application/json",
        **headers: str,
    ) -> Reply:
        """Ask once; `key` None sends none, "" the one for everything."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        if data is not None and kind:
            sent.setdefault("Content-Type", kind)
        if key is not None:
            sent.setdefault("Authorization", f"Bearer {key or self.key}")
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            line.request(method, path, body=data, headers=sent)
            found = line.getresponse()
            cookies = tuple(found.headers.get_all("Set-Cookie") or ())
            headers = {k.lower(): v for k, v in found.getheaders()}
            return Reply(found.status, headers, found.read(), cookies)
        finally:
            line.close()

    def get(self, path: str, **given: Any) -> Reply:
        return self.ask("GET", path, **given)

    def post(self, path: str, body: object = None, **given: Any) -> Reply:
        return self.ask("POST", path, body, **given)


def lender_text(folder: Path, port: int) -> Path:
    """Write a lender file with two HTTP gateways that report by webhook; return its path.

    Borrowers may pay at a hosted page, and at the sandbox of the server itself.
    """
    from importlib import resources

    text = resources.files("duly.book").joinpath("lender.example.yaml").read_text("utf-8")
    lender = yaml.safe_load(text)
    reports = {"webhook_secret_env": "TEST_HOOK_SECRET"}
    token = {"webhook_secret_env": "TEST_HOOK_TOKEN", "webhook_format": "aliyun"}
    base = {"channel": "sms", "kind": "http", "url": "http://127.0.0.1:9/send",
            "secret_env": "TEST_HOOK_SECRET"}  # fmt: skip
    lender["routes"] = [
        {"name": "gateway", **base, **reports},
        {"name": "reseller", **base, **token, "time_zone": "Asia/Shanghai"},
        {"name": "silent", **base},
    ]
    lender["portal"] = {"handover_secret_env": "TEST_HANDOVER",
                        "address": f"http://127.0.0.1:{port}"}  # fmt: skip
    secrets = {"secret_env": "TEST_PAY", "former_secret_env": "TEST_PAY_BEFORE"}
    lender["payments"] = {
        "least": {"CNY": "1.00"},
        "providers": [
            {"name": "card", "kind": "hosted", "title": "银行卡", "title_en": "Bank card",
             "url": "https://pay.example.com/checkout", "merchant": "M1", "prefix": "card-",
             **secrets},
            {"name": "trial", "kind": "sandbox", "title": "试付", "title_en": "Trial payment",
             "seed": 7, "delay_ms": 300, **secrets},
        ],
    }  # fmt: skip
    path = folder / "lender.yaml"
    path.write_text(yaml.safe_dump(lender, allow_unicode=True), encoding="utf-8")
    return path


def begin(folder: Path, url: str) -> Served:
    """Start the server and wait until it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with setting_up.using(url):
        key = keys.create("tests", scopes=keys.SCOPES, days=1).text
    (folder / "plans").mkdir()
    environment = {
        "PATH": os.environ["PATH"], "PYTHONUTF8": "1", "DULY_HOME": str(folder / "home"),
        "DULY_DATABASE_URL": url, "DULY_SECRET_KEYS": SECRET_KEYS,
        "DULY_PLANS": str(folder / "plans"), "TEST_HOOK_SECRET": GATEWAY_SECRET,
        "TEST_HOOK_TOKEN": RESELLER_TOKEN, "TEST_HANDOVER": HANDOVER_SECRET,
        "TEST_PAY": PAY_SECRET, "TEST_PAY_BEFORE": FORMER_SECRET,
    }  # fmt: skip
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "duly.cli.main", "serve", "--port", str(port), "--at", AT,
             "--lender", str(lender_text(folder, port))],
            env=environment, stdout=out, stderr=err,
        )  # fmt: skip
    served = Served(port, url, key, process, folder)
    for _ in range(300):
        try:
            if served.get("/readyz", key=None).status == 200:
                return served
        except OSError:
            pass
        assert process.poll() is None, (folder / "err").read_text()
        time.sleep(0.1)
    raise AssertionError("the server did not begin to answer")


def end(served: Served) -> int:
    """Stop the server as an operator does; return its exit code."""
    served.process.send_signal(signal.SIGTERM)
    return served.process.wait(timeout=60)
