"""`/metrics`: what a watcher counts, in Prometheus' own words; for keys that may see counts."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import Error
from django.http import HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from duly.service.api.authentication import Scope
from duly.service.api.problems import Problem, respond
from duly.service.api.serving import present
from duly.service.operations.measuring import Figure, figures

_may = Scope("metrics:read")


def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with all figures as of now, for a key with the scope `metrics:read`."""
    if request.method != "GET":
        return respond(request, Problem("method", headers={"Allow": "GET"}))
    try:
        _may(request)
        told = exposed(figures(at=present().now()))
    except Problem as problem:
        return respond(request, problem)
    except Error:
        return respond(request, Problem("no_database", headers={"Retry-After": "5"}))
    return HttpResponse(told, content_type=CONTENT_TYPE_PLAIN_0_0_4)


def exposed(found: Iterable[Figure]) -> bytes:
    """Return figures in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Told(found))
    return generate_latest(registry)


class _Told(Collector):
    def __init__(self, found: Iterable[Figure]) -> None:
        self._found = tuple(found)

    def collect(self) -> Iterable[Metric]:
        """Give each figure as the library's own family."""
        for one in self._found:
            family = GaugeMetricFamily if one.kind == "gauge" else CounterMetricFamily
            metric = family(one.name, one.says, labels=one.labels)
            for values, number in one.samples.items():
                metric.add_metric(values, number)
            yield metric
