"""Goal: keys, endpoints and the server are managed by commands alone. Method: processes."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from test_sending import AT, TEN, planned

SCOPES = "runs:read,messages:read"


@pytest.fixture
def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def ask(port, path, key):
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        line.request("GET", path, headers={"Authorization": f"Bearer {key}"})
        return line.getresponse().status
    finally:
        line.close()


class TestKeys:
    def test_are_made_listed_rotated_and_revoked(self, at_home):
        made = at_home("keys", "create", "--name", "core", "--scopes", SCOPES, "--days", "30")
        assert made.returncode == 0, made.stderr
        assert made.stdout.startswith("duly_") and made.stdout.count("\n") == 1
        assert "shown this once" in made.stderr
        again = at_home("keys", "create", "--name", "core", "--scopes", SCOPES)
        assert (again.returncode, again.stdout) == (2, "")
        rotated = json.loads(at_home("keys", "rotate", "core", "--json").stdout)
        assert rotated["key"] != made.stdout.strip()
        listed = json.loads(at_home("keys", "list", "--json").stdout)
        assert [one["live"] for one in listed] == [True, True]
        assert rotated["key"] not in json.dumps(listed)
        assert at_home("keys", "revoke", "core").stdout == "2 keys of core revoked\n"
        assert at_home("keys", "revoke", "core").returncode == 2

    def test_an_unknown_scope_is_named(self, at_home):
        done = at_home("keys", "create", "--name", "core", "--scopes", "runs:eat")
        assert done.returncode == 2
        assert "key_scopes No such scope: runs:eat" in done.stderr
        assert json.loads(at_home("keys", "list", "--json").stdout) == []


class TestStaff:
    def test_are_added_listed_reset_and_disabled(self, at_home):
        added = json.loads(at_home("staff", "add", "li.na", "--role", "agent", "--json").stdout)
        assert sorted(added) == ["authenticator", "name", "password", "recovery", "role"]
        assert added["authenticator"].startswith("otpauth://totp/")
        assert len(set(added["recovery"])) == 8
        listed = at_home("staff", "list").stdout
        assert listed.startswith("li.na ")
        assert added["password"] not in listed
        again = at_home("staff", "add", "li.na", "--role", "admin")
        assert (again.returncode, again.stdout) == (2, "")
        assert "staff_there" in again.stderr
        given = at_home("staff", "reset", "li.na")
        assert "shown this once" in given.stderr
        assert "Password: " in given.stdout
        assert added["password"] not in given.stdout
        gone = at_home("staff", "disable", "li.na")
        assert gone.stdout == "li.na may sign in no more; 0 sessions ended\n"
        assert at_home("staff", "reset", "li.na").returncode == 2

    def test_an_unknown_role_is_named(self, at_home):
        done = at_home("staff", "add", "li.na", "--role", "boss")
        assert done.returncode == 2
        assert "staff_role boss is no role" in done.stderr
        assert json.loads(at_home("staff", "list", "--json").stdout) == []


class TestServe:
    def test_answers_and_ends_when_it_is_told_to(self, at_home, environment, tmp_path, free_port):
        key = at_home("keys", "create", "--name", "c", "--scopes", SCOPES).stdout.strip()
        started = {**environment, "DULY_HOME": str(tmp_path / "home"),
                   "DULY_SECRET_KEYS": "k1:" + "5a" * 32}  # fmt: skip
        with subprocess.Popen(
            [sys.executable, "-m", "duly.cli.main", "serve", "--port", str(free_port)],
            env=started, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            try:
                assert process.stdout is not None
                assert process.stdout.readline() == f"Listening on http://127.0.0.1:{free_port}\n"
                assert _answers(free_port, key) == 200
                taken = at_home("serve", "--port", free_port)
                assert taken.returncode == 2
                assert "cannot_listen" in taken.stderr
                process.send_signal(signal.SIGTERM)
                assert process.wait(timeout=60) == 0
            finally:
                process.kill()  # What fails above is told, not waited for.
        with pytest.raises(OSError):
            ask(free_port, "/healthz", key)

    def test_broken_routes_are_named_before_anybody_listens(self, at_home, tmp_path, free_port):
        from test_sending import lender_file

        route = {"name": "g", "channel": "sms", "kind": "http", "url": "http://127.0.0.1:9/x",
                 "secret_env": "X", "webhook_secret_env": "NOT_THERE"}  # fmt: skip
        lender = lender_file(tmp_path, routes=[route])
        done = at_home("serve", "--port", free_port, "--lender", lender)
        assert (done.returncode, done.stdout) == (2, "")
        assert "NOT_THERE" in done.stderr


def _answers(port, key):
    for _ in range(600):
        try:
            return ask(port, "/api/v1/runs", key)
        except OSError:
            time.sleep(0.1)
    raise AssertionError("nobody answers")


class TestEndpoints:
    def test_a_worker_posts_what_it_sent(self, at_home, sample, tmp_path):
        heard = []

        class Hearer(BaseHTTPRequestHandler):
            def do_POST(self):
                heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                return

        server = HTTPServer(("127.0.0.1", 0), Hearer)
        server.socket.listen(256)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}/x"
            inside = {"DULY_ENDPOINT_NETWORKS": "127.0.0.0/8"}
            refused = at_home("endpoints", "add", "crm", url, "--types", "message.delivered")
            assert refused.returncode == 2
            assert "endpoint_url" in refused.stderr
            added = at_home("endpoints", "add", "crm", url, "--types", "message.delivered",
                            **inside)  # fmt: skip
            assert added.stdout.startswith("whsec_"), added.stderr

            plan, lender, _ = planned(at_home, sample, tmp_path)
            at_home("send", plan, "--at", AT)
            done = at_home("worker", "--once", "--at", TEN, "--lender", lender, "--json", **inside)
            assert done.returncode == 0, done.stderr
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
        delivered = json.loads(at_home("status", "--json").stdout)["states"]["delivered"]
        assert len(heard) == delivered > 0
        assert {one["type"] for one in heard} == {"message.delivered"}
        (listed,) = json.loads(at_home("endpoints", "list", "--json").stdout)
        assert (listed["delivered"], listed["waiting"], listed["dead"]) == (delivered, 0, 0)
        assert json.loads(at_home("endpoints", "dead", "--json").stdout) == []

    def test_networks_that_are_none_are_named(self, at_home):
        done = at_home("endpoints", "add", "crm", "https://example.com", "--types", "message.sent",
                       DULY_ENDPOINT_NETWORKS="nonsense")  # fmt: skip
        assert done.returncode == 2
        assert "DULY_ENDPOINT_NETWORKS" in done.stderr
        assert os.environ.get("DULY_ENDPOINT_NETWORKS") is None
