"""Goal: without its database the server says so, and comes back by itself. Method: stop it."""

from __future__ import annotations

import serving

from duly.service import migrating, postgres, setting_up


def test_a_database_that_is_away_is_told_and_one_that_is_back_is_used(own_server, tmp_path):
    url = postgres.start(own_server).url
    with setting_up.using(url):
        migrating.migrate()
    served = serving.begin(tmp_path, url)
    try:
        assert served.get("/api/v1/runs").status == 200
        postgres.stop(own_server)
        away = served.get("/api/v1/runs")
        assert (away.status, away.code) == (503, "no_database")
        assert away.headers["retry-after"] == "5"
        assert served.get("/readyz", key=None).status == 503
        assert served.get("/healthz", key=None).status == 200
        postgres.start(own_server)
        assert served.get("/api/v1/runs").status == 200
        assert served.get("/readyz", key=None).status == 200
    finally:
        assert serving.end(served) == 0


def test_tables_of_another_release_are_not_ready(own_server, tmp_path):
    import psycopg

    url = postgres.start(own_server).url
    with setting_up.using(url):
        migrating.migrate()
    served = serving.begin(tmp_path, url)
    try:
        with psycopg.connect(url, autocommit=True) as ours:
            ours.execute(
                "DELETE FROM django_migrations"
                " WHERE id = (SELECT max(id) FROM django_migrations WHERE app = 'store')"
            )
        found = served.get("/readyz", key=None)
        assert (found.status, found.json) == (503, {"status": "not_migrated"})
    finally:
        assert serving.end(served) == 0
