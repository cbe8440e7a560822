"""Goal: the console lets two people publish a policy that is proved and compared, and nobody less.

Method: the application of this process over one borrower's book; once a real proof and real plans
beside a running server, else their answers are given, and each refusal leaves all as it was.
"""

from __future__ import annotations

import csv
import html
import io
import json
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from browsing import Page, lacks
from console_world import rows_since, seat_of, seated, since
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from known_books import LENDER
from outgoing import AT
from portal_world import LOAN, WHO, begin, emptied, tell
from proposed_policies import BASE, another

from chromium import NARROWEST, found_wrong, measured, pictures
from duly.book import load_lender
from duly.core import digest
from duly.core.diagnostic import Diagnostic
from duly.core.words import LOCALES, catalogue
from duly.policy import read
from duly.proofs.moved import HARM, LESS
from duly.service.api import serving as api_serving
from duly.service.api.signing import Signer
from duly.service.console import comparisons, proposals, reasons
from duly.service.console.comparisons import Compared, Wanted
from duly.service.console.proofs import Finding, Proof
from duly.service.console.signing_in import COOKIE
from duly.service.operations import publishing
from duly.service.store.models import PolicyComparison, PolicyMove, PolicyProposal

SOUND = Proof(state="sound", questions=7, shown=20, limits=3, seconds=5.0)
WAY = {"decision": "wait", "reason": "grace", "tone": None, "channel": None}
TEXTED = {"decision": "contact", "reason": "overdue", "tone": "plain", "channel": "sms"}
SECRET = {"decision": "hold", "reason": "fraud_claim", "tone": None, "channel": None}
ANSWER = {
    "loans": 3, "moved": 2, "seconds": 1.5,
    "groups": [
        {"kind": "text_more", "loans": 1, "borrowers": 1,
         "transitions": [{"from": WAY, "to": TEXTED, "loans": 1}]},
        {"kind": "meets_cap", "loans": 1, "borrowers": 1,
         "transitions": [{"from": SECRET, "to": TEXTED, "loans": 1}]},
    ],
    "moves": {"text_more": [LOAN], "meets_cap": ["=L2"]},
}  # fmt: skip
WIDE = 1440
PROPOSALS = "/staff/strategy/proposals"


@pytest.fixture(scope="module")
def book(served, write_book, tmp_path_factory):
    yield tell(served, write_book, tmp_path_factory.mktemp("book"))
    emptied(served.url, books=True)


@pytest.fixture
def world(book, facts):
    return begin(facts)


@pytest.fixture
def given(monkeypatch):
    """Give what a proof and a comparison beside would answer; nothing is begun."""
    found = SimpleNamespace(proof=SOUND, begun=[])
    monkeypatch.setattr(proposals, "proof_of", lambda *_, **__: found.proof)
    monkeypatch.setattr(comparisons, "_jobs", type(comparisons._jobs)())

    def compare(wanted: Wanted, **told: object) -> None:
        found.begun.append((wanted, told["old"].sha256, told["new"]))
        comparisons._keep(wanted, ANSWER, AT, str(told["by"]))

    monkeypatch.setattr(comparisons, "compare", compare)
    return found


@pytest.fixture
def desk(world, given):
    """Give a desk of this process for a role: `name` sits there."""
    api_serving.begin(
        api_serving.Serving(lender=LENDER, now=lambda: AT, clock=lambda: datetime.now(UTC),
                            signer=Signer([b"Z" * 32]), plans=Path())
    )  # fmt: skip

    def sit(role: str = "strategy", language: str = "en") -> Client:
        client = Client(headers={"accept-language": language})
        client.cookies[COOKIE] = seated(world, role).cookies[COOKIE]
        return client

    return sit


def text_of(response) -> str:
    return Page(response.content.decode()).text


def propose(client: Client, text: str):
    return client.post("/staff/strategy/propose", {"text": text.replace("\n", "\r\n")})


def proposed(client: Client, text: str) -> str:
    """Propose a policy and return where it stands."""
    found = propose(client, text)
    assert found.status_code == 303, text_of(found)
    return found["location"].partition("?")[0]


def yes(client: Client, where: str, **other: str):
    """Press the button under the page as it stands."""
    page = Page(client.get(where).content.decode())
    fields = {one.attributes["name"]: one.attributes.get("value", "")
              for form, held in page.forms if form.attributes["action"].endswith("/agree")
              for one in held if "name" in one.attributes}  # fmt: skip
    return client.post(f"{where}/agree", fields | other)


def refused(found, code: str, *, status: int = 409) -> None:
    assert found.status_code == status, text_of(found)
    said = html.unescape(catalogue("console", "en")[f"refusal.{code}"]).partition("{")[0]
    assert said in text_of(found)
    assert publishing.in_force(AT) is None


class TestProposed:
    def test_a_pasted_text_is_kept_as_its_file_would_be(self, desk):
        client, before, text = desk(), since(), another()
        where = proposed(client, text)
        kept = PolicyProposal.objects.get()
        assert (kept.text, kept.sha256) == (text, digest.of_bytes(text.encode()))
        assert (kept.name, kept.version, kept.by) == ("cn-installment", 2, "strategy.1")
        upload = SimpleUploadedFile("p.yaml", text.encode())
        again = client.post("/staff/strategy/propose", {"text": "", "file": upload})
        assert again["location"].partition("?")[0] == where
        assert PolicyProposal.objects.count() == 1
        assert [name for name, _ in rows_since(before, "policy.proposed")] == [kept.sha256]
        seen = text_of(client.get(PROPOSALS))
        assert "cn-installment 2" in seen
        assert (
            "The next daily run plans by cn-installment 1, the policy that the lender file" in seen
        )

    def test_mistakes_come_back_all_at_their_lines_and_nothing_is_kept(self, desk):
        client, before = desk(), since()
        text = another().replace("template: due_soon", "template: due_son", 1)
        text = text.replace("security_signal\n", "security_signl\n", 1)
        found = propose(client, text)
        refused(found, "mistakes", status=422)
        page = Page(found.content.decode())
        wrong = [one.attributes["id"] for one in page.all("li", class_="needs")]
        lines = text.split("\n")
        assert wrong == [f"line-{n}" for n, one in enumerate(lines, start=1)
                         if "due_son," in one or "security_signl" in one]  # fmt: skip
        assert len(wrong) == 2
        assert page.one("textarea").text.lstrip("\n") == text
        assert lacks(page) == []
        assert PolicyProposal.objects.count() == 0
        (row,) = rows_since(before, "policy.refused")
        assert row[1] == {"by": "strategy.1", "step": "propose", "code": "mistakes"}

    @pytest.mark.parametrize(
        ("data", "code"),
        [(b"", "empty"), (b" \n ", "empty"), (b"\xff\xfe", "no_text"), (b"policy: a\0b", "no_text"),
         (b"# " + b"x" * proposals.TEXT_MAX, "too_large")],
    )  # fmt: skip
    def test_what_is_no_policy_at_all_is_said(self, desk, data, code):
        client = desk()
        upload = SimpleUploadedFile("p.yaml", data)
        refused(client.post("/staff/strategy/propose", {"file": upload}), code, status=422)
        assert PolicyProposal.objects.count() == 0

    def test_a_form_beyond_all_measure_is_not_read(self, desk):
        found = propose(desk(), "# " + "x" * proposals.FORM_MAX)
        assert found.status_code == 413
        assert PolicyProposal.objects.count() == 0

    def test_a_version_that_stands_is_not_taken_twice(self, desk):
        refused(propose(desk(), another(1)), "version_taken")


class TestPublished:
    def test_two_people_publish_what_both_saw(self, desk, given):
        first, second, before, text = desk(), desk("compliance"), since(), another()
        where = proposed(first, text)
        refused(yes(second, where), "uncompared")
        assert first.post(f"{where}/compare").status_code == 303
        ((wanted, old, new),) = given.begun
        assert (wanted.base_sha256, old, wanted.day) == (BASE, BASE, AT.date())
        assert new == ("cn-installment-2.yaml", text.encode())
        new_sha = digest.of_bytes(text.encode())
        page = first.get(where)
        assert lacks(Page(page.content.decode())) == []
        seen = text_of(page)
        assert "Of 3 loans 2 are decided otherwise" in seen
        assert seen.index("a message where there was none") < seen.index("Less, or gentler")
        assert "floor: 20.00 → 50.00" in seen
        assert yes(first, where)["location"].endswith("done=agreed")
        assert "Agreed so far: strategy.1." in text_of(first.get(where))
        mine = {"sha256": new_sha, "comparison": str(PolicyComparison.objects.get().id)}
        refused(first.post(f"{where}/agree", mine), "agreed_before")
        assert yes(second, where)["location"].endswith("done=published")
        found = publishing.in_force(AT)
        assert (found.text, found.first_by, found.second_by) == (text, "strategy.1", "compliance.1")
        told = [one for kind in ("proposed", "compared", "agreed", "published")
                for one in rows_since(before, f"policy.{kind}")]  # fmt: skip
        assert {name for name, _ in told} == {digest.of_bytes(text.encode())}
        assert [row["by"] for _, row in told] == [
            "strategy.1", "strategy.1", "strategy.1", "compliance.1",
        ]  # fmt: skip
        assert [row["code"] for _, row in rows_since(before, "policy.refused")] == [
            "uncompared", "agreed_before",
        ]  # fmt: skip
        assert "in force" in text_of(first.get(where))
        assert "published by strategy.1 and compliance.1" in text_of(first.get(PROPOSALS))

    @pytest.mark.parametrize("state", ["refuted", "under_way", "broken"])
    def test_what_is_not_proved_is_not_published(self, desk, given, state):
        client = desk()
        where = proposed(client, another())
        client.post(f"{where}/compare")
        mine = str(PolicyComparison.objects.get().id)
        given.proof = Proof(state=state, findings=(
            Finding(diagnostic=Diagnostic(area="proofs", code="security_demand", line=3,
                                          values={"id": "x"})),))  # fmt: skip
        sha = PolicyProposal.objects.get().sha256
        found = client.post(f"{where}/agree", {"sha256": sha, "comparison": mine})
        refused(found, f"proof_{state}")
        assert publishing.agreed(int(where.rpartition("/")[2]), base_sha256=BASE,
                                 basis=comparisons.basis_of(LENDER)) == []  # fmt: skip

    def test_who_saw_something_else_looks_again(self, desk, given):
        client = desk()
        where = proposed(client, another())
        client.post(f"{where}/compare")
        refused(yes(client, where, comparison="1"), "changed")
        refused(yes(client, where, sha256="0" * 64), "changed")
        # Another day's book is not the one that was compared.
        PolicyProposal.objects.get()
        later = api_serving.present()
        api_serving.begin(
            type(later)(**{**vars(later), "now": lambda: AT.replace(day=11)})
        )  # fmt: skip
        refused(yes(client, where), "uncompared")

    def test_what_is_withdrawn_stays_so(self, desk):
        client = desk()
        where = proposed(client, another())
        assert client.post(f"{where}/withdraw").status_code == 303
        refused(client.post(f"{where}/compare"), "closed")
        refused(client.post(f"{where}/agree"), "closed")
        refused(client.post(f"{where}/withdraw"), "closed")
        assert "Withdrawn by strategy.1" in text_of(client.get(where))

    def test_of_a_proposal_that_nobody_made_there_is_no_page(self, desk):
        client = desk()
        for method, end in ((client.get, ""), (client.post, "/agree"), (client.post, "/compare")):
            assert method(f"{PROPOSALS}/999999{end}").status_code == 404


class TestWhoSees:
    def test_the_loans_are_a_list_and_a_file(self, desk):
        client = desk("compliance")
        where = proposed(client, another())
        client.post(f"{where}/compare")
        links = re.findall(r'href="([^"]*lists/moved[^"]*)"', client.get(where).content.decode())
        assert len(links) == 2
        page = client.get(html.unescape(links[0])).content.decode()
        assert re.findall(r"<tr><td>([^<]*)</td>", page) == [LOAN]
        assert WHO in page
        number = PolicyComparison.objects.get().id
        found = client.get(f"/staff/lists/moved.csv?comparison={number}")
        rows = list(csv.reader(io.StringIO(found.content.decode("utf-8-sig"))))
        assert [(row[0], row[2]) for row in rows[1:]] == [
            ("'=L2", "meets a cap"), (LOAN, "a message where there was none"),
        ]  # fmt: skip
        for nonsense in ("", "x", "1 or 1=1", "9" * 40):
            assert "Nothing here." in text_of(
                client.get("/staff/lists/moved", {"comparison": nonsense})
            )

    def test_who_may_not_know_hears_of_no_investigation(self, desk):
        where = proposed(desk(), another())
        desk().post(f"{where}/compare")
        roles = ("strategy", "team_lead", "admin", "compliance", "auditor")
        seen = {role: text_of(desk(role).get(where)) for role in roles}
        named = reasons.reason_name("fraud_claim", "en")
        knows = {role for role, text in seen.items() if named in text}
        assert knows == {"compliance", "auditor"}
        assert reasons.reason_name("matter", "en") in seen["strategy"]

    def test_only_who_may_finds_the_buttons(self, desk):
        where = proposed(desk(), another())
        desk().post(f"{where}/compare")
        for role, forms in (("strategy", 2), ("compliance", 2), ("team_lead", 0), ("auditor", 0)):
            page = Page(desk(role).get(where).content.decode())
            mine = [one for one, _ in page.forms if "/strategy/" in one.attributes["action"]]
            assert len(mine) == forms, role

    def test_the_questions_are_as_many_for_many_as_for_one(self, desk):
        client = desk()
        where = proposed(client, another())
        client.post(f"{where}/compare")
        number = PolicyComparison.objects.get().id
        pages = [PROPOSALS, where, f"/staff/lists/moved?comparison={number}", "/staff/strategy.csv"]

        def asked(path: str) -> int:
            with CaptureQueriesContext(connection) as found:
                assert client.get(path).status_code == 200
            return len(found)

        for path in pages:
            asked(path)
        few = [asked(path) for path in pages]
        for version in range(3, 13):
            proposed(client, another(version))
        PolicyMove.objects.bulk_create(
            PolicyMove(comparison_id=number, loan_id=f"x{n}", kind="text_less") for n in range(20)
        )
        assert [asked(path) for path in pages] == few == [4, 6, 4, 4]


class TestBeside:
    @pytest.fixture
    def wanted(self, world):
        number = publishing.propose(
            proposals.read_of(proposals.Used(name="", version="", sha256="", file="p.yaml",
                                             text=another())).policy,
            another(), base=None, by="li.na", at=AT,
        )  # fmt: skip
        return Wanted(proposal=number, sha256="s", base_sha256=BASE, basis="b", day=AT.date())

    @pytest.fixture(autouse=True)
    def alone(self, monkeypatch, world):
        monkeypatch.setattr(comparisons, "_jobs", type(comparisons._jobs)())
        api_serving.begin(
            api_serving.Serving(lender=LENDER, now=lambda: AT, clock=lambda: datetime.now(UTC),
                                signer=Signer([b"Z" * 32]), plans=Path())
        )  # fmt: skip

    def begin(self, wanted, **given) -> None:
        base = publishing.base_of(LENDER, AT)
        comparisons.compare(wanted, old=base, new=("p.yaml", b"x"), lender=LENDER, at=AT,
                            by="li.na", locale="en", **given)  # fmt: skip

    def test_one_that_breaks_off_is_said_and_begun_anew(self, wanted, monkeypatch):
        begun = []

        def breaks(*_, **__):
            begun.append(1)
            raise OSError

        monkeypatch.setattr(comparisons.subprocess, "run", breaks)
        for count in (1, 2):
            self.begin(wanted, wait=30)
            assert comparisons.known(wanted) == Compared(state="broken")
            assert len(begun) == count

    def test_one_that_takes_long_is_begun_once_and_its_loans_alone_are_kept(
        self, wanted, monkeypatch
    ):
        begun = []

        def waits(*_, **__):
            begun.append(1)
            time.sleep(0.3)
            return SimpleNamespace(stdout=json.dumps(ANSWER))

        monkeypatch.setattr(comparisons.subprocess, "run", waits)
        for _ in range(3):
            self.begin(wanted, wait=0.01)
        assert comparisons.known(wanted).state == "under_way"
        (job,) = comparisons._jobs.values()
        assert job.done.wait(30)
        assert len(begun) == 1
        found = comparisons.known(wanted)
        assert (found.state, found.loans, found.moved) == ("done", 3, 2)
        comparisons._jobs.clear()
        assert comparisons.known(wanted) == found
        later = Wanted(**{**vars(wanted), "base_sha256": "o" * 64})
        comparisons._keep(later, {**ANSWER, "moves": {}}, AT, "li.na")
        assert PolicyMove.objects.count() == 0
        assert PolicyComparison.objects.count() == 2


def test_a_real_proof_and_real_plans_beside_a_running_server(world, chromium, tmp_path):
    """Under the policy in force nobody owes enough; the one proposed writes to B1 again."""
    in_force(another(2, "9000.00"))
    one, two = seated(world, "strategy"), seated(world, "compliance")
    one.go(PROPOSALS)
    assert one.submit("/staff/strategy/propose", text=another(3, "20.00")).status == 200, one.text
    where = one.at
    one.submit(f"{where}/compare")
    until = time.monotonic() + 300
    while "being proved" in one.text or "being compared" in one.text:
        assert time.monotonic() < until
        time.sleep(0.5)
        one.go(where)
    assert "Proved for every borrower" in one.text
    assert "Compared with the policy in force, cn-installment 2." in one.text
    assert "Of 1 loan 1 is decided otherwise" in one.text
    harm = one.text[one.text.index("Harm first") : one.text.index("Less, or gentler")]
    assert "a message where there was none" in harm
    look(chromium, world, one.cookies, where, tmp_path)
    assert one.submit(f"{where}/agree").status == 200
    two.go(where)
    assert "Agreed so far: strategy.1." in two.text
    assert two.submit(f"{where}/agree").status == 200
    assert "It is published. The next daily run plans by it." in two.text
    assert publishing.in_force(AT + timedelta(hours=1)).version == 3  # Its clock goes on.


def in_force(text: str) -> None:
    """Let two others have published a policy before."""
    policy = read("p.yaml", text.encode())
    number = publishing.propose(policy, text, base=None, by="chen.jing", at=AT)
    comparisons._keep(
        Wanted(proposal=number, sha256=policy.fingerprint, base_sha256=BASE, basis="b",
               day=AT.date()), {**ANSWER, "moves": {}}, AT, "chen.jing",
    )  # fmt: skip
    seen = publishing.Seen(
        proposal=number, sha256=policy.fingerprint, base_sha256=BASE, basis="b",
        comparison=PolicyComparison.objects.get().id,
    )  # fmt: skip
    lender = load_lender(None)
    for by in ("chen.jing", "zhao.min"):
        publishing.agree(seen, lender=lender, by=by, at=AT - timedelta(hours=1))


def look(chromium, world, cookies, where: str, tmp_path) -> None:
    """Let a real browser and axe-core look at the pages, with mistakes on one of them."""
    here = f"http://127.0.0.1:{world.port}"

    def steps(browser):
        seen = []
        for language, width, scheme in (("en", NARROWEST, "light"), ("zh-CN", WIDE, "dark")):
            seat = seat_of(browser, cookies, here, bypass_csp=True, color_scheme=scheme,
                           viewport={"width": width, "height": 900})  # fmt: skip
            page = seat.new_page()
            for name, path in (("proposal", where), ("proposals", PROPOSALS)):
                if (name, width) == ("proposals", WIDE):  # The form is as wide as any.
                    continue
                page.goto(f"{here}{path}?lang={language}")
                if name == "proposals":
                    page.locator("textarea").fill(another().replace("due_soon", "due_son", 2))
                    page.locator("main form button").click()
                    page.wait_for_load_state()
                shot = f"console-{name}-{language}-{width}{scheme}.png"
                page.screenshot(path=pictures(tmp_path) / shot, full_page=True)
                seen.append((name, measured(page), found_wrong(page)))
            seat.close()
        return seen

    for name, seen, wrong in chromium.do(steps):
        assert seen["wide"] <= seen["room"], (name, seen)
        assert seen["tiny"] == [], name
        assert wrong == [], name


@pytest.mark.parametrize("locale", LOCALES)
def test_every_kind_of_move_and_refusal_has_its_words(locale):
    assert {f"moved.{one}" for one in (*HARM, *LESS, "changed")} <= set(catalogue("proofs", locale))
    said = set(catalogue("console", locale))
    source = Path(proposals.__file__).read_text("utf-8") + Path(publishing.__file__).read_text(
        "utf-8"
    )
    codes = set(re.findall(r'(?:PublishingRefused\(|return "", )"(\w+)"', source))
    assert len(codes) >= 9
    assert {f"refusal.{one}" for one in codes} <= said
    assert {f"refusal.proof_{one}" for one in ("refuted", "under_way", "broken")} <= said
