"""`/healthz` and `/readyz`: does the process live, and could it answer?"""

from __future__ import annotations

from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from duly.service import migrating


def healthz(_request: HttpRequest) -> HttpResponse:
    """Say that the process lives; nothing else is asked."""
    return JsonResponse({"status": "ok"})


def readyz(_request: HttpRequest) -> HttpResponse:
    """Say whether the database answers and its tables are this release's; 503 where not."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        behind = bool(migrating.pending())
    except Error:
        return JsonResponse({"status": "no_database"}, status=503)
    if behind:
        return JsonResponse({"status": "not_migrated"}, status=503)
    return JsonResponse({"status": "ok"})
