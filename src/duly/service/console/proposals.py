"""A policy proposed in the console: checked, proved, compared, agreed to, published by two."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from duly.core import digest
from duly.core.words import catalogue, say
from duly.policy import Policy
from duly.proofs.moved import HARM, LESS
from duly.proofs.wording import changes
from duly.service.api.serving import present
from duly.service.console import comparisons
from duly.service.console.comparisons import Compared, Wanted
from duly.service.console.pages import page, problem
from duly.service.console.policy_reading import (
    Read,
    Used,
    lines_of,
    next_used,
    question_of,
    read_of,
    shown,
)
from duly.service.console.proofs import WAITED, Proof, proof_of
from duly.service.console.reasons import folded, reason_name
from duly.service.console.signing_in import allowed, who_of
from duly.service.console.today import asked
from duly.service.faces.looks import look_of
from duly.service.faces.tags import address
from duly.service.operations import publishing
from duly.service.operations.publishing import Base, PublishingRefused, Seen
from duly.service.operations.recording import record
from duly.service.rows import Row

#: Bytes of a policy that is proposed, and of the form that carries it.
TEXT_MAX, FORM_MAX = 128 << 10, 320 << 10
_LISTED = 100
_TRANSITIONS = 12
_BAD, _NOT_NOW, _SEE_OTHER, _NOWHERE = 422, 409, 303, 404
#: What stands in a text that people read and edit.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_PROPOSALS = """
SELECT p.id, p.name, p.version, p.sha256, p.text, p."by", p.at, p.closed_by, p.closed_at,
    u.at AS published_at, u.first_by, u.second_by,
    (SELECT count(*) FROM store_policyagreement AS a
        WHERE a.proposal_id = p.id AND a.publication_id IS NULL) AS agreed
FROM store_policyproposal AS p LEFT JOIN LATERAL (SELECT * FROM store_policypublication AS u
    WHERE u.proposal_id = p.id ORDER BY u.at DESC, u.id DESC LIMIT 1) AS u ON true
WHERE %(one)s::bigint IS NULL OR p.id = %(one)s ORDER BY p.id DESC LIMIT %(limit)s
"""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One proposal as it stands at this moment, beside the policy in force."""

    row: Row
    used: Used
    read: Read
    base: Base | None  #: None: the lender file's policy cannot be read
    base_policy: Policy | None
    wanted: Wanted | None
    proof: Proof | None
    compared: Compared

    @property
    def state(self) -> str:
        """Return where it is on its way."""
        if self.base is not None and self.base.published is not None and (
            self.base.published.proposal == self.row["id"]
        ):  # fmt: skip
            return "in_force"
        if self.row["closed_at"] is not None:
            return "closed"
        return "published" if self.row["published_at"] is not None else "proposed"

    @property
    def refusal(self) -> str:
        """Return what keeps it from being published, whoever agrees; '' where nothing does."""
        if self.state in ("in_force", "closed"):
            return self.state
        if self.base is not None and self.base.sha256 == self.row["sha256"]:
            return "in_force"
        if self.read.policy is None:
            return "mistakes"
        if self.proof is None or self.proof.state != "sound":
            return "broken" if self.proof is None else f"proof_{self.proof.state}"
        return "" if self.compared.state == "done" else "uncompared"


@allowed("strategy.see", "GET")
def proposals(request: HttpRequest) -> HttpResponse:
    """List what was proposed and published, with the form for another."""
    return _listed(request)


def _listed(request: HttpRequest, *, status: int = 200, **more: Any) -> HttpResponse:
    rows = asked(_PROPOSALS, {"one": None, "limit": _LISTED})
    following = next_used()
    return page(
        request, "proposals", open="strategy", status=status, rows=rows, following=following,
        proposes=who_of(request).may("strategy.propose"), most=TEXT_MAX >> 10, **more,
    )  # fmt: skip


@allowed("strategy.propose", "POST")
def propose(request: HttpRequest) -> HttpResponse:
    """Take a text or a file; with mistakes it comes back with all of them at their lines."""
    text, wrong = _given(request)
    if wrong:
        return _listed(request, status=_BAD, refused=wrong)
    serving, staff = present(), who_of(request)
    sha256 = digest.of_bytes(text.encode())
    used = Used(name="", version="", sha256=sha256, text=text, file="policy.yaml")
    read = read_of(used)
    if read.policy is None:
        record("policy.refused",
               [(sha256, {"by": staff.name, "step": "propose", "code": "mistakes"})])  # fmt: skip
        return _listed(
            request, status=_BAD, refused="mistakes", given=text,
            found=shown(None, read, look_of(request).locale), lines=lines_of(used, None, read),
        )  # fmt: skip
    try:
        number = publishing.propose(read.policy, text, base=read_of(next_used()).policy,
                                    by=staff.name, at=serving.now())  # fmt: skip
    except PublishingRefused as refused:
        _note(staff.name, sha256, "propose", refused.code)
        return _listed(request, status=_NOT_NOW, refused=refused.code, given=text)
    return _to(request, number, "proposed")


def _given(request: HttpRequest) -> tuple[str, str]:
    """Return the text of a form and what is wrong with it as a text; a file counts before words.

    What is pasted has the ends of lines of a browser: they are made one again.
    """
    upload = request.FILES.get("file")
    if isinstance(upload, UploadedFile) and upload.size:
        if upload.size > TEXT_MAX:
            return "", "too_large"
        try:
            text = upload.read().decode()
        except UnicodeDecodeError:
            return "", "no_text"
    else:
        text = request.POST.get("text", "").replace("\r\n", "\n")
        if len(text.encode()) > TEXT_MAX:
            return "", "too_large"
    if _CONTROL.search(text):
        return "", "no_text"
    return text, "" if text.strip() else "empty"


def _note(by: str, sha256: str, step: str, code: str) -> None:
    record("policy.refused", [(sha256, {"by": by, "step": step, "code": code})])


def _to(request: HttpRequest, number: int, done: str) -> HttpResponse:
    """Lead to the proposal, which says what was done: a page loaded again does nothing."""
    where = address("proposal", look_of(request), number)
    response = HttpResponseRedirect(f"{where}{'&' if '?' in where else '?'}done={done}")
    response.status_code = _SEE_OTHER
    return response


def _case(number: int, *, wait: float) -> Case | None:
    rows = asked(_PROPOSALS, {"one": number, "limit": 1})
    if not rows:
        return None
    row, serving = rows[0], present()
    used = Used(name=row["name"], version=str(row["version"]), sha256=row["sha256"],
                text=row["text"], file=f"{row['name']}-{row['version']}.yaml")  # fmt: skip
    read = read_of(used)
    try:
        base = publishing.base_of(serving.lender, serving.now())
    except OSError:
        base = None
    wanted = None if base is None else Wanted(
        proposal=number, sha256=used.sha256, base_sha256=base.sha256,
        basis=comparisons.basis_of(serving.lender), day=serving.today,
    )  # fmt: skip
    proof = None if read.policy is None else proof_of(question_of(used), read.policy, wait=wait)
    compared = Compared(state="none") if wanted is None else comparisons.known(wanted)
    return Case(row=row, used=used, read=read, base=base, base_policy=_policy_of(base),
                wanted=wanted, proof=proof, compared=compared)  # fmt: skip


def _policy_of(base: Base | None) -> Policy | None:
    if base is None:
        return None
    try:
        text = base.data.decode()
    except UnicodeDecodeError:
        return None
    used = Used(name="", version="", sha256=base.sha256, text=text, file=base.file)
    return read_of(used).policy


@allowed("strategy.see", "GET")
def proposal(request: HttpRequest, number: int) -> HttpResponse:
    """Show one proposal with its check, its proof, whom it moves and who agreed."""
    found = _case(number, wait=WAITED)
    if found is None:
        return problem(request, "nowhere", status=_NOWHERE)
    return _shown(request, found)


def _shown(
    request: HttpRequest, found: Case, *, status: int = 200, refused: str = ""
) -> HttpResponse:
    locale, staff = look_of(request).locale, who_of(request)
    names: Sequence[str] = ()
    if found.wanted is not None:
        names = publishing.agreed(found.wanted.proposal, base_sha256=found.wanted.base_sha256,
                                  basis=found.wanted.basis)  # fmt: skip
    return page(
        request, "proposal", open="strategy", status=status, row=found.row, used=found.used,
        state=found.state, base=found.base, base_policy=found.base_policy, proof=found.proof,
        policy=found.read.policy, wrong=bool(found.read.wrong),
        steps=() if found.read.policy is None else found.read.policy.treatments,
        found=shown(found.proof, found.read, locale),
        lines=lines_of(found.used, found.proof, found.read), changes=_changed(found, locale),
        compared=found.compared,
        parts=_parts(found.compared, locale, knows=staff.may("investigation.know")),
        told=[one.sentence(locale) for one in found.compared.refused],
        refusal=found.refusal, refused=refused, agreed=names, mine=staff.name in names,
        proposes=staff.may("strategy.propose"), publishes=staff.may("strategy.publish"),
        lists=staff.may("lists.see"), done=request.GET.get("done", ""),
        known_done=("proposed", "comparing", "agreed", "published", "withdrawn"),
    )  # fmt: skip


def _changed(found: Case, locale: str) -> list[str]:
    """Return what the two policies say differently, first what harms."""
    if found.base_policy is None or found.read.policy is None:
        return []
    return [one.sentence(locale) for one in changes(found.base_policy, found.read.policy)]


def _parts(compared: Compared, locale: str, *, knows: bool) -> list[Mapping[str, Any]]:
    """Return whom a proposal moves, harm first; each part with its groups, which may be none."""
    by_kind = {one["kind"]: one for one in compared.groups}
    return [
        {"title": title, "groups": [
            _group(by_kind[kind], locale, knows=knows) for kind in kinds if kind in by_kind
        ]}
        for title, kinds in (("harm", HARM), ("less", LESS), ("other", ("changed",)))
    ]  # fmt: skip


def _group(one: Mapping[str, Any], locale: str, *, knows: bool) -> Mapping[str, Any]:
    """Return a group with its ways in words, the most frequent first."""
    counted: Counter[tuple[str, str]] = Counter()
    for way in one["transitions"]:
        ends = (_told(way[end], locale, knows=knows) for end in ("from", "to"))
        before, after = ends
        counted[before, after] += way["loans"]
    ways = [{"from": before, "to": after, "loans": loans}
            for (before, after), loans in counted.most_common()]  # fmt: skip
    return {**one, "ways": ways[:_TRANSITIONS],
            "rest": sum(way["loans"] for way in ways[_TRANSITIONS:])}  # fmt: skip


def _told(end: Mapping[str, str | None], locale: str, *, knows: bool) -> str:
    """Return a decision in words: what, why, in which tone, by which way."""
    said = catalogue("console", locale)
    parts = (
        said.get(f"decision.{end['decision']}", str(end["decision"])),
        reason_name(folded(end["reason"], knows=knows), locale),
        "" if end["tone"] is None else say("console", f"tone.{end['tone']}", locale),
        "" if end["channel"] is None else say("console", f"channel.{end['channel']}", locale),
    )
    return " · ".join(part for part in parts if part)


def _on(
    request: HttpRequest, number: int, step: str, work: Callable[[Case], HttpResponse]
) -> HttpResponse:
    """Take a step; what is refused says why, is recorded, and nothing is done."""
    found = _case(number, wait=WAITED)
    if found is None:
        return problem(request, "nowhere", status=_NOWHERE)
    try:
        return work(found)
    except PublishingRefused as refused:
        _note(who_of(request).name, found.row["sha256"], step, refused.code)
        return _shown(request, found, status=_NOT_NOW, refused=refused.code)


@allowed("strategy.propose", "POST")
def compare(request: HttpRequest, number: int) -> HttpResponse:
    """Compare a proposal with the policy in force on the book of this moment."""

    def work(found: Case) -> HttpResponse:
        if found.state == "closed":
            raise PublishingRefused("closed")
        if found.read.policy is None:
            raise PublishingRefused("mistakes")
        if found.wanted is None or found.base is None or found.base_policy is None:
            raise PublishingRefused("no_base")
        serving = present()
        comparisons.compare(
            found.wanted, old=found.base, new=(found.used.file, (found.used.text or "").encode()),
            lender=serving.lender, at=serving.now().replace(microsecond=0),
            by=who_of(request).name, locale=look_of(request).locale,
        )  # fmt: skip
        return _to(request, number, "comparing")

    return _on(request, number, "compare", work)


@allowed("strategy.publish", "POST")
def agree(request: HttpRequest, number: int) -> HttpResponse:
    """Agree to publish what the form was shown with; the second person publishes it."""

    def work(found: Case) -> HttpResponse:
        if found.refusal:
            raise PublishingRefused(found.refusal)
        assert found.wanted is not None, "it was compared"
        given = {name: request.POST.get(name, "") for name in ("sha256", "comparison")}
        if given != {"sha256": found.used.sha256, "comparison": str(found.compared.number)}:
            raise PublishingRefused("changed")
        seen = Seen(
            proposal=number, sha256=found.used.sha256, comparison=found.compared.number,
            base_sha256=found.wanted.base_sha256, basis=found.wanted.basis,
        )  # fmt: skip
        serving = present()
        done = publishing.agree(seen, lender=serving.lender, by=who_of(request).name,
                                at=serving.now())  # fmt: skip
        return _to(request, number, "published" if done else "agreed")

    return _on(request, number, "agree", work)


@allowed("strategy.propose", "POST")
def withdraw(request: HttpRequest, number: int) -> HttpResponse:
    """Close a proposal: nobody can agree to it any more."""

    def work(_: Case) -> HttpResponse:
        publishing.withdraw(number, by=who_of(request).name, at=present().now())
        return _to(request, number, "withdrawn")

    return _on(request, number, "withdraw", work)
