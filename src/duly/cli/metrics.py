"""`duly metrics`: the figures that a watcher counts, for a collector that reads files."""

from __future__ import annotations

from duly.cli import output
from duly.cli.opening import legal_now, opened_store


def metrics() -> int:
    """Print all figures in Prometheus' text format, as `GET /metrics` answers them."""
    with opened_store():
        from duly.service.api.metrics import exposed
        from duly.service.operations.measuring import figures

        told = exposed(figures(at=legal_now(None)()))
    output.line(told.decode().rstrip("\n"))
    return output.DONE
