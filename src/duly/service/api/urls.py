"""Which address is answered by whom, and how what nobody expected is told."""

from __future__ import annotations

from typing import Any

import psycopg
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from ninja.errors import HttpError, ValidationError

from duly.service import journal
from duly.service.api import (
    contacts,
    dead_letters,
    events,
    faults,
    health,
    loans,
    messages,
    metrics,
    public,
    runs,
    tasks,
)
from duly.service.api.openapi import Api
from duly.service.api.problems import Problem, locale_of, respond
from duly.service.api.reading import StrictParser

api = Api(
    title="Duly",
    version="1",
    description="Lawful, correct, explainable repayment reminders.",
    docs_url=None,
    urls_namespace="api",
)
api.parser = StrictParser()
for one in (events, runs, loans, messages, dead_letters, contacts, tasks, public):
    api.add_router("", one.router)


@api.exception_handler(Problem)
def _problem(request: HttpRequest, problem: Any) -> HttpResponse:
    return respond(request, problem)


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: Any) -> HttpResponse:
    return respond(request, faults.invalid(error.errors, locale_of(request)))


@api.exception_handler(HttpError)
def _unreadable(request: HttpRequest, _error: Any) -> HttpResponse:
    return respond(request, Problem("not_json"))


@api.exception_handler(Http404)
def _nowhere(request: HttpRequest, _error: Any) -> HttpResponse:
    return respond(request, Problem("not_found"))


#: By the framework, and by the driver where rows are written as workers do.
@api.exception_handler(OperationalError)
@api.exception_handler(InterfaceError)
@api.exception_handler(psycopg.OperationalError)
def _no_database(request: HttpRequest, error: Any) -> HttpResponse:
    full = any(isinstance(one, psycopg.errors.DiskFull) for one in (error, error.__cause__))
    journal.broken("database.full" if full else "database.away", error)
    return respond(request, Problem("no_database", headers={"Retry-After": "5"}))


@api.exception_handler(Exception)
def _broken(request: HttpRequest, error: Any) -> HttpResponse:
    journal.broken("request.broken", error)
    return respond(request, Problem("broken"))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer for an address that nobody serves."""
    return respond(request, Problem("not_found"))


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer for a request that the framework cannot read."""
    return respond(request, Problem("bad_length"))


def broken(request: HttpRequest) -> HttpResponse:
    """Answer for an error that reached nobody else."""
    return respond(request, Problem("broken"))


urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", metrics.metrics),
    path("api/v1/", api.urls),
]
handler400 = bad_request
handler404 = not_found
handler500 = broken
