"""The report of a plan: one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import resources
from pathlib import Path

from minijinja import Environment

from duly.core import files
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.core.reasons import DECISIONS
from duly.core.words import catalogue, known_locale, say
from duly.plan.report import figures, shapes, show
from duly.plan.report.run import Run, read_run
from duly.plan.report.tables import find_table, open_plan
from duly.rules import load_packs, pack_names

_STILL = ("wait", "hold", "blocked")
_BARS_MAX = 16
_DAY = range(8, 21)  #: hours that the chart always shows


def write_report(plan_dir: Path, out: Path, *, locale: str) -> None:
    """Write the report of the plan in `plan_dir` as one HTML file without network access.

    Equal plans give equal bytes. Refuses a directory without run.json or decisions.
    """
    run = read_run(plan_dir, locale)
    if find_table(plan_dir, "decisions") is None:
        raise Refused(Diagnostic(area="report", code="not_a_plan", file=str(plan_dir)))
    page = _render(_context(plan_dir, run, known_locale(locale)))
    out.parent.mkdir(parents=True, exist_ok=True)
    files.put(out, page.encode())


def _render(context: Mapping[str, object]) -> str:
    here = resources.files("duly.plan.report")
    read = {
        name: here.joinpath(name).read_text(encoding="utf-8")
        for name in ("report.html", "report.css", "report.js", "assets/echarts.simple.min.js")
    }
    environment = Environment(
        templates={"report.html": read["report.html"]},
        undefined_behavior="strict",
        debug=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.render_template(
        "report.html",
        css=read["report.css"],
        js=read["report.js"],
        echarts=read["assets/echarts.simple.min.js"],
        **context,
    )


def _context(plan_dir: Path, run: Run, locale: str) -> dict[str, object]:
    """Return what the template shows, every figure already in words."""
    words = partial(_words, "report", locale)
    with open_plan(plan_dir) as plan:
        totals = figures.totals(plan)
        reasons = figures.reasons(plan)
        buckets = figures.buckets(plan)
        hours = figures.hours(plan, run.time_zone)
        causes = figures.causes(plan)
        context: dict[str, object] = {
            "rules": figures.rules(plan),
            "task_kinds": figures.task_kinds(plan),
            "quality": figures.quality(plan),
            "messages": [_message(row, run) for row in figures.sample_messages(plan)],
            "sample": [_decision(row, run) for row in figures.sample_decisions(plan)],
        }
    loans = dict.fromkeys(DECISIONS, 0)
    for row in reasons:
        loans[row.decision] = loans.get(row.decision, 0) + row.loans
    return context | {
        "locale": locale,
        "t": words,
        "decision": partial(_coded, "decision", locale),
        "prose": show.prose,
        "means": partial(_coded, "means", locale),
        "name": partial(_coded, "name", locale),
        "sentence": partial(_coded, "reason", locale),
        "listed": partial(_listed, locale),
        "says": _says(locale),
        "number": show.number,
        "amount": show.amount,
        "share": show.share,
        "run": run,
        "day": show.day(run.business_date, words),
        "nil": show.NIL,
        "at": show.clock(int(run.at.timestamp()), run.time_zone),
        "totals": totals,
        "loans": loans,
        "color": shapes.decision_color,
        "flow": shapes.flow(loans),
        "groups": _groups(reasons),
        "buckets": _bucket_groups(buckets),
        "hours": hours,
        "channels": _channels(hours),
        "channel_colors": [shapes.channel_color(i) for i in range(len(_channels(hours)))],
        "causes": causes[: figures.LISTED_MAX],
        "causes_rest": sum(row.loans for row in causes[figures.LISTED_MAX :]),
        "charts": shapes.embedded(_charts(reasons, buckets, hours, locale)),
    }


def _words(area: str, locale: str, key: str, **values: object) -> str:
    return say(area, key, locale, **values)


def _coded(section: str, locale: str, code: str) -> str:
    """Return the words of a code, or the code itself where the catalogue does not know it."""
    return catalogue("reasons", locale).get(f"{section}.{code}", code)


def _listed(locale: str, section: str, code: str) -> str:
    """Return the report's word for a value of the contract (a channel, class or tone)."""
    return catalogue("report", locale).get(f"{section}.{code}", code)


def _groups(reasons: Sequence[figures.ReasonRow]) -> list[dict[str, object]]:
    """Return the reasons of each kind of decision that occurs, in reading order."""
    known = [key for key in DECISIONS if any(row.decision == key for row in reasons)]
    strange = sorted({row.decision for row in reasons} - set(DECISIONS))
    return [
        {
            "decision": key,
            "loans": sum(row.loans for row in reasons if row.decision == key),
            "rows": [row for row in reasons if row.decision == key],
        }
        for key in (*known, *strange)
    ]


def _bucket_groups(rows: Sequence[figures.BucketRow]) -> list[dict[str, object]]:
    """Return the rows of each bucket, then those of all buckets, then of loans that ended."""
    names = list(dict.fromkeys(row.bucket for row in rows if row.bucket != figures.ENDED))
    ended = [row for row in rows if row.bucket == figures.ENDED]
    parts = [(name, [row for row in rows if row.bucket == name]) for name in names]
    if names:
        parts.append(("all", _bucket_sums([row for row in rows if row.bucket != figures.ENDED])))
    if ended:
        parts.append((figures.ENDED, ended))
    return [
        {"bucket": name, "loans": sum(row.loans for row in listed), "rows": listed}
        for name, listed in parts
    ]


def _bucket_sums(rows: Sequence[figures.BucketRow]) -> list[figures.BucketRow]:
    """Return the sum over the buckets, one row a currency, the most loans first."""
    sums = [
        figures.BucketRow(
            bucket="all",
            currency=currency,
            loans=sum(row.loans for row in rows if row.currency == currency),
            overdue=sum(row.overdue for row in rows if row.currency == currency),
            outstanding=sum(row.outstanding for row in rows if row.currency == currency),
        )
        for currency in sorted({row.currency for row in rows})
    ]
    return sorted(sums, key=lambda row: (-row.loans, row.currency))


def _channels(hours: Mapping[int, Mapping[str, int]]) -> dict[str, int]:
    """Return the messages of each channel, the most first."""
    sums: dict[str, int] = {}
    for by_channel in hours.values():
        for channel, messages in by_channel.items():
            sums[channel] = sums.get(channel, 0) + messages
    return dict(sorted(sums.items(), key=lambda item: (-item[1], item[0])))


def _message(row: figures.Cells, run: Run) -> figures.Cells:
    """Return a sample message with its address and check code masked."""
    text, code = str(row["text"] or ""), str(row["code"] or "")
    hidden = text.replace(code, "•" * len(code)) if len(code) >= 4 else text
    return row | {
        "text": hidden.replace("{code}", "•" * 8),
        "address": show.masked_address(str(row["address"] or "")),
        "from": show.clock(row["not_before"], run.time_zone),
        "until": show.clock(row["not_after"], run.time_zone),
    }


def _decision(row: figures.Cells, run: Run) -> figures.Cells:
    shown = {key: "" if value is None else value for key, value in row.items()}
    overdue, currency = row["overdue_total"], row["currency"]
    owed = isinstance(overdue, int) and isinstance(currency, str) and row["reason"] != "closed"
    return shown | {
        "days_past_due": "" if row["reason"] == "closed" else shown["days_past_due"],
        "legal": row["legal"] or [],
        "at": show.clock(row["not_before"], run.time_zone),
        "overdue": show.amount(overdue, currency) if owed and overdue else "",  # type: ignore[arg-type]
    }


def _charts(
    reasons: Sequence[figures.ReasonRow],
    buckets: Sequence[figures.BucketRow],
    hours: Mapping[int, Mapping[str, int]],
    locale: str,
) -> dict[str, object]:
    """Return the charts by the id of the element that holds each; those without data are absent."""
    charts: dict[str, object] = {}
    reached = [row for row in reasons if row.decision in ("contact", "task")]
    still = [row for row in reasons if row.decision in _STILL]
    most = max((row.loans for row in (*reached, *still)), default=0)
    for key, rows in (("chart-reached", reached), ("chart-still", still)):
        if rows:
            shown = [(_coded("name", locale, row.reason), row.loans, row.decision) for row in rows]
            charts[key] = shapes.bars(shown[:_BARS_MAX], most)
    late = [group for group in _bucket_groups(buckets) if group["bucket"] in figures.LATE]
    if late:
        loans = [_count(group["loans"]) for group in late]
        charts["chart-buckets"] = shapes.columns(
            [str(group["bucket"]) for group in late], {"": loans}, [show.number(n) for n in loans]
        )
    if hours:
        span = range(min(_DAY.start, *hours), max(_DAY.stop, *(hour + 1 for hour in hours)))
        sums = [sum(hours.get(hour, {}).values()) for hour in span]
        charts["chart-hours"] = shapes.columns(
            [f"{hour:02d}" for hour in span],
            {
                channel: [hours.get(hour, {}).get(channel, 0) for hour in span]
                for channel in _channels(hours)
            },
            [show.number(n) if n else "" for n in sums],
        )
    return charts


def _count(value: object) -> int:
    assert isinstance(value, int)
    return value


def _says(locale: str) -> Callable[[str], str]:
    """Return the lookup from a rule id to what the rule says and its force.

    `missing:<fact>` stands for a fact that some rule had to know; an unknown id says nothing.
    """
    rules = {rule.id: rule for rule in load_packs(pack_names())}
    words = catalogue("rules", locale)

    def says(rule_id: str) -> str:
        if rule_id.startswith("missing:"):
            meaning = words.get(f"fact.{rule_id.removeprefix('missing:')}", "")
            return say("report", "held.missing", locale, fact=meaning).strip()
        if rule_id not in rules:
            return ""
        rule = rules[rule_id]
        return f"{rule.says.get(locale, '')} ({words[f'force.{rule.force}']})"

    return says
