"""Spans for whoever collects them by OpenTelemetry; nothing where nobody asked.

A span carries the fields that a journal line may carry and no others, and no statement of SQL.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.service.journal import FIELDS

_tracers: list[Any] = []
_providers: list[Any] = []
_FLUSH_MILLISECONDS = 3_000
_PACKAGES = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")


def begin(program: str, *, version: str) -> None:
    """Send spans to where the usual variables say (`OTEL_EXPORTER_OTLP_ENDPOINT`, …).

    Refused where the extra `otel` is not installed. Spans leave in batches on a thread of their
    own: a collector that is away costs spans, never a message.
    """
    if not all(_there(name) for name in _PACKAGES):
        raise Refused(Diagnostic(area="service", code="no_otel"))
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    begin_with(BatchSpanProcessor(OTLPSpanExporter()), program, version=version)


def begin_with(processor: Any, program: str, *, version: str) -> None:
    """Send spans to a processor of the caller's."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    about = {"service.name": f"duly {program}", "service.version": version}
    provider = TracerProvider(resource=Resource.create(about))
    provider.add_span_processor(processor)
    _tracers[:], _providers[:] = [provider.get_tracer("duly")], [provider]


def flush() -> None:
    """Wait until what was made has left, or some seconds."""
    for provider in _providers:
        provider.force_flush(_FLUSH_MILLISECONDS)


def end() -> None:
    """Make no more spans; those that were made have a moment to leave."""
    _tracers.clear()
    flush()
    for provider in _providers:
        provider.shutdown()
    _providers.clear()


@contextmanager
def span(name: str, **fields: str | int | float | bool) -> Iterator[dict[str, Any]]:
    """Make one span around a piece of work; what is put into the yielded mapping is added."""
    late: dict[str, Any] = {}
    if not _tracers:
        yield late
        return
    unknown = fields.keys() - FIELDS
    assert not unknown, f"a span carries no {unknown}"
    # The words of an error may hold what a person wrote: its kind is enough.
    with _tracers[0].start_as_current_span(
        name, attributes=fields, record_exception=False, set_status_on_exception=False
    ) as made:
        try:
            yield late
        except BaseException as error:
            made.set_attribute("error", type(error).__name__)
            raise
        finally:
            made.set_attributes({key: late[key] for key in late.keys() & FIELDS})


def _there(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False
