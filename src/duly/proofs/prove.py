"""From a policy to its proof: every question asked, every refutation decided again by a plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from duly.conditions import Condition
from duly.conditions.solver import Symbols, Term, UnprovableError, check_linear
from duly.core.diagnostic import Diagnostic
from duly.policy import Places, Policy
from duly.policy.places import Path
from duly.proofs import (
    caps,
    coverage,
    decency,
    fairness,
    reach,
    replies,
    rhythm,
    tone,
    truths,
)
from duly.proofs.meaning import meaning
from duly.proofs.person import Built, build
from duly.proofs.question import Detail, Prepare, Question, Shows, Theory, nothing_more, unlike
from duly.proofs.rerun import Outcome, World, decide
from duly.proofs.search import ATTEMPTS_MAX, TIMEOUT_SECONDS, Answer, Asker
from duly.proofs.state import Setting, state
from duly.risk import Scorecard, load_scorecard


@dataclass(frozen=True, kw_only=True)
class Case:
    """A refutation with its borrowers; `realized` where the real plan decides them as feared.

    `outcomes` follow `people`; both are empty where nobody could be built.
    """

    diagnostic: Diagnostic
    people: tuple[Built, ...]
    outcomes: tuple[Outcome, ...]
    realized: bool


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What was asked of a policy and what came out."""

    cases: tuple[Case, ...]
    notes: tuple[Diagnostic, ...]  #: worth knowing; they refuse nothing
    claims: tuple[str, ...]  #: the claims that hold, in the order asked, each once
    limits: tuple[str, ...]  #: the caps and limits that were proved inductive
    questions: int
    shown: int  #: treatments shown to act on a borrower by the real plan
    seconds: float

    @property
    def sound(self) -> bool:
        """Whether every claim holds."""
        return not self.cases


@dataclass
class _Open:
    """A refutation on its way: what was asked, what came back, who was built."""

    question: Question
    answer: Answer
    detail: Detail
    people: tuple[Built, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    realized: bool = False
    without: tuple[Term, ...] = ()


def prove(world: World, places: Places, *, seconds: float = TIMEOUT_SECONDS) -> Proof:
    """Prove a policy under the rules in force, each question within so many seconds."""
    started = world.clock()
    unlinear = tuple(_unlinear(world.policy, places))
    if unlinear:
        cases = [Case(diagnostic=one, people=(), outcomes=(), realized=False) for one in unlinear]
        return Proof(cases=tuple(cases), notes=(), claims=(), limits=(), questions=0, shown=0,
                     seconds=world.clock() - started)  # fmt: skip
    return _Prover(world, places, seconds).run(started)


def _conditions(policy: Policy) -> Iterator[tuple[Path, Condition]]:
    if policy.applies_to is not None:
        yield ("for",), policy.applies_to
    for place, case in enumerate(policy.first_contact.cases):
        yield ("first_contact", "when", place, "if"), case.condition
    for place, one in enumerate(policy.treatments):
        yield ("treatments", place, "if"), one.condition
    for place, ceiling in enumerate(policy.tone_ceilings):
        yield ("tone_ceiling", place, "if"), ceiling.condition
    for place, experiment in enumerate(policy.experiments):
        yield ("experiments", place, "where"), experiment.where


def _unlinear(policy: Policy, places: Places) -> Iterator[Diagnostic]:
    for path, condition in _conditions(policy):
        try:
            check_linear(condition)
        except UnprovableError as product:
            line, column = places.inside(product.offset, *path)
            yield Diagnostic(
                area="proofs", code="not_linear", file=places.file, line=line, column=str(column)
            )


def theory(world: World, card: Scorecard, seconds: float) -> Theory:
    """Return one borrower, and two, under a policy."""
    floor = max(world.policy.floor_minor, world.lender.limits.floor_minor)
    setting = Setting(
        policy=world.policy, card=card, bureau_reports=world.lender.bureau_reports,
        floor_minor=floor, demands=world.catalogue.demands, symbols=Symbols(),
    )  # fmt: skip
    single, less, more = (state(setting, tag) for tag in ("a", "less", "more"))
    lender = world.lender
    usual = {
        "status": "active", "currency": lender.currency, "jurisdiction": lender.licence,
        "product": "installment", "creditor": lender.name, "locale": lender.locale,
    }  # fmt: skip
    return Theory(
        setting=setting,
        one=meaning(setting, single),
        two=(meaning(setting, less), meaning(setting, more)),
        alone=Asker(setting, [single], usual=usual, seconds=seconds),
        pair=Asker(setting, [less, more], usual=usual, seconds=seconds),
        rules=world.rules,
        classes=world.catalogue.classes,
    )


class _Prover:
    def __init__(self, world: World, places: Places, seconds: float) -> None:
        self.world = world
        self.places = places
        self.seconds = seconds
        self.theory = theory(world, load_scorecard(), seconds)
        self.asked = 0
        self.claims: dict[str, bool] = {}
        self.notes: list[Diagnostic] = []
        self.unanswered: list[Diagnostic] = []
        self.numbers = 0

    def run(self, started: float) -> Proof:
        open_cases = [*self._unreached(), *self._refuted()]
        reached = self._reached()
        self._realize(open_cases, reached)
        shown = sum(1 for _, _, outcome in reached.values() if outcome)
        limits = self._inductive()
        self.notes += [self._diagnostic(one, "warning") for one in replies.unheard(self.theory)]
        cases = [self._case(one) for one in open_cases]
        cases += [Case(diagnostic=one, people=(), outcomes=(), realized=False)
                  for one in self.unanswered]  # fmt: skip
        cases.sort(key=_by_place)
        return Proof(
            cases=tuple(cases),
            notes=tuple(sorted(self.notes, key=lambda one: (one.line, one.column))),
            claims=tuple(name for name, held in self.claims.items() if held),
            limits=limits,
            questions=self.asked,
            shown=shown,
            seconds=self.world.clock() - started,
        )

    def _diagnostic(self, detail: Detail, severity: str = "error") -> Diagnostic:
        line, column = self.places.at(*detail.path)
        return Diagnostic(
            area="proofs", code=detail.code, file=self.places.file, line=line, column=str(column),
            values=detail.values, severity="warning" if severity == "warning" else "error",
        )  # fmt: skip

    def _unanswered(self, claim: str) -> None:
        detail = Detail(code="not_proved", path=("treatments",),
                        values={"claim": claim, "seconds": f"{self.seconds:g}"})  # fmt: skip
        self.unanswered.append(self._diagnostic(detail))

    # --- Asking --------------------------------------------------------------------------------

    def _refuted(self) -> list[_Open]:
        made: list[_Open] = []
        theory = self.theory
        groups = (
            coverage.questions(theory), tone.questions(theory), truths.questions(theory),
            decency.questions(theory), fairness.questions(theory),
            replies.questions(theory), rhythm.questions(theory, seconds=self.seconds),
        )  # fmt: skip
        for question in (one for group in groups for one in group):
            self.asked += 1
            answer = question.ask()
            self.claims[question.claim] = (
                self.claims.get(question.claim, True) and answer.verdict == "proved"
            )
            if answer.verdict == "unanswered":
                self._unanswered(question.claim)
            elif answer.verdict == "proved_as_scored":
                detail = Detail(code="as_scored", path=("treatments",),
                                values={"claim": question.claim})  # fmt: skip
                self.notes.append(self._diagnostic(detail, "warning"))
            elif answer.verdict == "refuted":
                made.append(_Open(question=question, answer=answer, detail=question.detail(answer)))
        return made

    def _unreached(self) -> list[_Open]:
        others = list(reach.other_parts(self.theory))
        nobody = self.theory.alone.holds(self.theory.one.applies) is False
        # Where the policy is for nobody, that is said once and not of every treatment.
        self._parts = [] if nobody else list(reach.treatments(self.theory))
        parts = [*self._parts, *others]
        self.asked += len(parts)
        made: list[_Open] = []
        for one in parts:
            if isinstance(one, reach.Unreached):
                answer = one.nearest.ask()
                detail = one.nearest.detail(answer)
                made.append(_Open(question=one.nearest, answer=answer, detail=detail))
        self.claims["reached"] = not made
        return made

    def _reached(self) -> dict[str, tuple[Shows, tuple[Built, ...], list[bool]]]:
        """Return the borrowers on whom treatments act; note those that nobody shows."""
        found: dict[str, tuple[Shows, tuple[Built, ...], list[bool]]] = {}
        for number, one in enumerate(self._parts):
            if not isinstance(one, reach.Reached):
                continue
            path: Path = ("treatments", number, "if")
            if one.answer.verdict == "unanswered":
                self._unanswered("reached")
            elif one.answer.verdict == "proved_as_scored":
                detail = Detail(code="idle", path=path, values={"id": one.name})
                self.notes.append(self._diagnostic(detail, "warning"))
            elif (people := self._build(one.answer, nothing_more)) is not None:
                found[one.name] = (one.shows, people, [])
            else:
                self._not_shown(number, one.name)
        return found

    def _build(self, answer: Answer, prepare: Prepare) -> tuple[Built, ...] | None:
        """Return the books of an answer's borrowers, None where one cannot be built."""
        if not answer.buildable:
            return None
        people = []
        for values in answer.people:
            self.numbers += 1
            built = build(self.world.policy, values, self.world.moment, number=self.numbers)
            if built is None:
                return None
            people.append(built)
        prepare(people, self.world.moment)
        return tuple(people)

    # --- Deciding again ------------------------------------------------------------------------

    def _realize(
        self,
        cases: Sequence[_Open],
        reached: Mapping[str, tuple[Shows, tuple[Built, ...], list[bool]]],
    ) -> None:
        """Decide everybody by the real plan; ask for others where a book came out otherwise."""
        waiting = [one for one in cases if one.answer.verdict == "refuted"]
        extra = [built for _, people, _ in reached.values() for built in people]
        for attempt in range(ATTEMPTS_MAX):
            for one in waiting:
                one.people = self._build(one.answer, one.question.prepare(one.answer)) or ()
            together = [built for one in waiting if not one.question.apart for built in one.people]
            outcomes = dict(decide(self.world, [*together, *(extra if attempt == 0 else ())]))
            for one in waiting:
                if one.question.apart:
                    outcomes.update(decide(self.world, one.people))
            for one in waiting:
                self._judge(one, outcomes)
            if attempt == 0:
                self._show(reached, outcomes)
            waiting = [one for one in waiting if not one.realized and self._again(one)]
            if not waiting:
                return

    def _judge(self, one: _Open, outcomes: Mapping[str, Outcome]) -> None:
        one.outcomes = tuple(outcomes[built.loan_id] for built in one.people)
        one.realized = bool(one.people) and one.question.shows(one.answer)(one.outcomes)

    def _again(self, one: _Open) -> bool:
        """Ask for another borrower than the one whose book came out otherwise."""
        if not one.people:
            return False
        names = one.outcomes[0].differs(one.people[0], self._fields())
        names = names or ("days_past_due", "overdue_total", "score")
        first = one.question.asker.states[0]
        one.without += (unlike(one.answer, first, names, self.theory.setting),)
        answer = one.question.ask(*one.without)
        if answer.verdict != "refuted":
            return False
        one.answer, one.detail = answer, replace(one.detail)
        return True

    def _fields(self) -> frozenset[str]:
        return frozenset(self.theory.state.row)

    def _show(
        self,
        reached: Mapping[str, tuple[Shows, tuple[Built, ...], list[bool]]],
        outcomes: Mapping[str, Outcome],
    ) -> None:
        for number, one in enumerate(self.world.policy.treatments):
            if one.id not in reached:
                continue
            shows, people, shown = reached[one.id]
            if shows([outcomes[built.loan_id] for built in people]):
                shown.append(True)
            else:
                self._not_shown(number, one.id)

    def _not_shown(self, number: int, name: str) -> None:
        detail = Detail(code="not_shown", path=("treatments", number, "if"), values={"id": name})
        self.notes.append(self._diagnostic(detail, "warning"))

    # --- Caps ----------------------------------------------------------------------------------

    def _inductive(self) -> tuple[str, ...]:
        limits = self.world.lender.limits
        every = [
            *caps.law(self.world.rules),
            *caps.own(self.world.policy, limits.texts_per_day, limits.texts_per_7_days),
        ]
        proved = []
        for one in every:
            self.asked += 1
            held = caps.inductive(one, seconds=self.seconds)
            if held:
                proved.append(one.name)
            else:
                code = "not_proved" if held is None else "not_inductive"
                values = {"claim": one.name, "limit": one.name, "seconds": f"{self.seconds:g}"}
                self.unanswered.append(
                    self._diagnostic(Detail(code=code, path=("limits",), values=values))
                )
        self.claims["inductive"] = len(proved) == len(every)
        return tuple(proved)

    def _case(self, one: _Open) -> Case:
        return Case(
            diagnostic=self._diagnostic(one.detail),
            people=one.people,
            outcomes=one.outcomes,
            realized=one.realized,
        )


def _by_place(case: Case) -> tuple[int, int, str]:
    one = case.diagnostic
    return (one.line, int(one.column or 0), one.code)
