"""Goal: spans for whoever wants them, and nobody's data. Method: a collector in memory and one on
loopback that a real server posts to."""

from __future__ import annotations

import asyncio
import http.server
import threading

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from outgoing import AT, fill, lender

from duly.core.errors import Refused
from duly.service import tracing
from duly.service.outbox.worker import Worker


@pytest.fixture
def spans():
    """Give the spans that were made since."""
    kept = InMemorySpanExporter()
    tracing.begin_with(SimpleSpanProcessor(kept), "tests", version="0")
    yield kept.get_finished_spans
    tracing.end()


def test_a_worker_makes_a_span_of_each_step(store, spans):
    fill(5)
    asyncio.run(Worker(store, lender(), now=lambda: AT).run(once=True))
    found = {one.name for one in spans()}
    assert {"claim", "submit", "send", "answers"} <= found
    sent = [dict(one.attributes) for one in spans() if one.name == "send"]
    assert sent == [{"route": "box", "count": 5}]
    told = str([(one.name, dict(one.attributes), one.events) for one in spans()])
    assert "13800000001" not in told and "核验码" not in told


def test_of_an_error_its_kind_alone_is_told(spans):
    with pytest.raises(ValueError, match="1380"), tracing.span("step", route="box"):
        raise ValueError("13800000001")
    (one,) = spans()
    assert dict(one.attributes) == {"route": "box", "error": "ValueError"}
    assert not one.events


def test_a_field_that_is_not_known_is_a_mistake_of_ours(spans):
    with pytest.raises(AssertionError, match="address"), tracing.span("step", address="x"):
        pass


def test_without_a_collector_nothing_is_made():
    tracing.end()
    with tracing.span("step", route="box") as late:
        late["count"] = 1


def test_spans_are_posted_to_the_collector_that_is_named(monkeypatch):
    posted = []

    class Collector(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers["Content-Length"])
            posted.append((self.path, self.rfile.read(length)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        tracing.begin("tests", version="0")
        with tracing.span("step", route="box"):
            pass
        tracing.flush()
    finally:
        tracing.end()
        server.shutdown()
        server.server_close()
    ((path, body),) = posted
    assert path == "/v1/traces"
    assert b"step" in body and b"duly tests" in body


def test_where_what_sends_spans_is_missing_it_is_said(monkeypatch):
    monkeypatch.setattr(tracing, "_PACKAGES", ("no.such.package",))
    with pytest.raises(Refused) as refused:
        tracing.begin("tests", version="0")
    assert refused.value.diagnostics[0].code == "no_otel"
