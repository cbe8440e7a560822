"""Goal: that nothing was sent, and why, is evidence too.

Method: a door that stops one message, and one that holds another until the morning.
"""

from __future__ import annotations

import hashlib
import html
import json
from datetime import timedelta

import outsider
from evidence_world import KEY, LENDER, written
from outgoing import AT, FACTS, fill

from duly.rules import lenders_rules
from duly.service.outbox.claiming import claim
from duly.service.outbox.evidence import record_rules
from duly.service.store.models import Audit

FINGERPRINT = hashlib.sha256(KEY.public).hexdigest()


class TestNotSent:
    def door(self, ours, me, at, **facts):
        """Ask the door about one message and export its loan; return the rows and the page."""
        fill(1, facts={**FACTS, "contacts": [], "about": ["contact"], **facts},
             not_after=AT + timedelta(days=2))  # fmt: skip
        rules = lenders_rules(LENDER.packs, ())
        name = record_rules(ours, rules)
        assert record_rules(ours, rules) == name
        claim(ours, worker=me, routes=LENDER.routes, rules=rules, at=at, batch=9, asked=name)

    def exported(self, tmp_path):
        written("l1", tmp_path / "x.zip")
        files = outsider.files_of((tmp_path / "x.zip").read_bytes())
        rows = {row["kind"]: row for row in outsider.check(files, FINGERPRINT)}
        return rows, html.unescape(files["evidence.en.html"].decode())

    def test_what_the_door_stopped_names_the_rule_with_its_clause(self, ours, me, tmp_path):
        self.door(ours, me, AT, deceased=True)
        rows, page = self.exported(tmp_path)
        told = json.loads(rows["message.blocked"]["payload"])
        assert told["rules"]
        rules = {one["id"]: one for one in json.loads(rows["rules.asked"]["payload"])["rules"]}
        first = rules[told["rules"][0]]
        assert f"<strong>{first['id']}</strong> {first['source']} {first['clause']}" in page
        assert "Nothing that can still be read was submitted." in page
        assert Audit.objects.filter(kind="rules.asked").count() == 1

    def test_what_waited_for_the_morning_says_until_when(self, ours, me, tmp_path):
        self.door(ours, me, AT + timedelta(hours=13))
        rows, page = self.exported(tmp_path)
        told = json.loads(rows["message.delayed"]["payload"])
        assert told["until"] == "2026-03-11T00:30:00+00:00"
        assert "The door held the message until 2026-03-11 08:30:00+08:00." in page
