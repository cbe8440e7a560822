"""Goal: the lender file is read as the contract says, and its mistakes are all named at once."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path

import pytest

from duly.book import Answers, Limits, People, load_lender
from duly.book.lender import (
    Account,
    Agency,
    Console,
    Daily,
    PaymentProvider,
    Payments,
    Portal,
    Relief,
)
from duly.core.errors import Refused

GOOD = """\
lender: {name: Aa, signature: Bb, kind: bank, licence: cn, hotline: "95", website: "w", app: Cc}
"""


def refused(tmp_path, text):
    path = tmp_path / "lender.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Refused) as caught:
        load_lender(path)
    return [(one.line, one.column, one.code) for one in caught.value.diagnostics]


def test_the_built_in_example_is_that_of_the_contract():
    lender = load_lender(None)
    assert lender.name == "示例消费金融有限公司"
    assert lender.packs == ("decency", "cn")
    assert lender.people == People(agents=40, dials_a_day=150, reserve_for_care="0.2")
    assert lender.limits == Limits(
        texts_per_day=1,
        texts_per_7_days=3,
        floor_minor=2000,
        cost_per_day_minor=500_000,
        book_age_hours=26,
        figures_age_hours=12,
    )
    assert [route.name for route in lender.routes] == [
        "carrier-a",
        "gateway-b",
        "mail",
        "people",
        "sandbox",
    ]
    assert lender.routes[1].accepts == ("receipt", "answer")
    assert lender.routes[0].settings["per_second"] == 500
    assert len(lender.sha256) == 64


def test_how_replies_are_confirmed(tmp_path):
    path = tmp_path / "lender.yaml"
    path.write_text(GOOD + "answers: {send: false, hardship_days: 2}\n", encoding="utf-8")
    assert load_lender(path).answers == Answers(send=False, hardship_days=2)
    assert load_lender(None).answers == Answers()


def test_the_built_in_example_has_the_words_of_notices():
    lender = load_lender(None)
    assert lender.late_charge_clause == "7"
    assert lender.relief_least == {"CNY": 12000, "TWD": 55000}
    assert lender.agencies == (Agency(name="示例信用服务", name_en="Example Servicing"),)
    assert lender.templates is None


@pytest.mark.parametrize(
    ("lines", "least"),
    [
        ('relief: {least_payment: "120.00"}', {"CNY": 12000}),
        ('relief: {least_payment: "5000"}\ncurrency: JPY', {"JPY": 5000}),
        (
            'currency: JPY\nrelief: {least_payment: {JPY: 5000, TWD: "550.5"}}',
            {"JPY": 5000, "TWD": 55050},
        ),
    ],
)
def test_the_least_payment_is_of_its_own_currency(tmp_path, lines, least):
    path = tmp_path / "lender.yaml"
    path.write_text(f"{GOOD}{lines}\n", encoding="utf-8")
    assert load_lender(path).relief_least == least


def test_accounts_are_the_lenders_own(tmp_path):
    path = tmp_path / "lender.yaml"
    said = 'accounts: [{holder: Aa, bank: Bb, number: "0012 3", bank_en: Cc, currency: JPY}]\n'
    path.write_text(GOOD + said, encoding="utf-8")
    assert load_lender(path).accounts == (
        Account(holder="Aa", bank="Bb", number="0012 3", bank_en="Cc", currency="JPY"),
    )


def test_the_limits_of_relief_are_the_lenders(tmp_path):
    path = tmp_path / "lender.yaml"
    said = (
        "relief: {kinds: [pause, extension], extension_months: 2, installments: 24,"
        " pause_months: 1, late_charge: runs, waive_late_charge: true, again_days: 0,"
        " product_months: 36, read_seconds: 10, decides: 关怀组, decides_en: the care team}\n"
    )
    path.write_text(GOOD + said, encoding="utf-8")
    assert load_lender(path).relief == Relief(
        kinds=("extension", "pause"), extension_months=2, installments=24, pause_months=1,
        late_charge="runs", waive_late_charge=True, again_days=0, product_months=36,
        read_seconds=10, decides="关怀组", decides_en="the care team",
    )  # fmt: skip
    path.write_text(GOOD + "relief: {kinds: []}\n", encoding="utf-8")
    assert load_lender(path).relief == Relief(kinds=())
    # A file that says nothing of it lets no page agree anything.
    path.write_text(GOOD, encoding="utf-8")
    assert load_lender(path).relief.kinds == ()


@pytest.mark.parametrize(
    ("line", "column", "code"),
    [
        ("kinds: [holiday]", 17, "lender_bad_value"),
        ("kinds: pause", 17, "lender_bad_value"),
        ("extension_months: 0", 28, "lender_bad_value"),
        ("installments: 1", 24, "lender_bad_value"),
        ("installments: 61", 24, "lender_bad_value"),
        ("pause_months: 13", 24, "lender_bad_value"),
        ("late_charge: waived", 23, "lender_bad_value"),
        ("waive_late_charge: 'yes'", 29, "lender_bad_value"),
        ("again_days: -1", 22, "lender_bad_value"),
        ("product_months: 0", 26, "lender_bad_value"),
        ("read_seconds: 9", 24, "lender_bad_value"),
        ("decides: ''", 19, "lender_bad_value"),
        ("payments: 12", 10, "lender_unknown_key"),
    ],
)
def test_mistakes_of_relief_are_placed(tmp_path, line, column, code):
    assert refused(tmp_path, GOOD + "relief: {" + line + "}\n") == [(2, str(column), code)]


def test_a_lender_vouches_for_the_hours_of_its_debits_or_does_not(tmp_path):
    path = tmp_path / "lender.yaml"
    path.write_text(GOOD + "debits: {announced: true}\n", encoding="utf-8")
    assert load_lender(path).debits_announced is True
    assert load_lender(None).debits_announced is False


def test_own_texts_lie_beside_the_lender_file(tmp_path):
    path = tmp_path / "lender.yaml"
    path.write_text(GOOD + "templates: texts\n", encoding="utf-8")
    assert load_lender(path).templates == tmp_path / "texts"
    path.write_text(GOOD + "templates: /elsewhere\n", encoding="utf-8")
    assert load_lender(path).templates == Path("/elsewhere")


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("templates: [a]", (2, "12", "lender_bad_value")),
        ("templates: ''", (2, "12", "lender_bad_value")),
        ("agencies: A", (2, "11", "lender_bad_value")),
        ("agencies: [A]", (2, "11", "lender_bad_value")),
        ("agencies: [{title: A}]", (2, "11", "lender_bad_value")),
        ("agencies: [{name: A, phone: 1}]", (2, "11", "lender_bad_value")),
        ("accounts: A", (2, "11", "lender_bad_value")),
        ("accounts: [{holder: A, bank: B}]", (2, "11", "lender_bad_value")),
        ("accounts: [{holder: A, bank: B, number: 1, iban: 2}]", (2, "11", "lender_bad_value")),
        ("accounts: [{holder: A, bank: B, number: ''}]", (2, "11", "lender_bad_value")),
        (
            "accounts: [{holder: A, bank: B, number: 1, currency: XXA}]",
            (2, "11", "lender_bad_value"),
        ),
        ("clauses: {late: 7}", (2, "11", "lender_unknown_key")),
        ("relief: {least_payment: -1}", (2, "25", "lender_bad_value")),
        ("relief: {least_payment: much}", (2, "25", "lender_bad_value")),
        ("relief: {least_payment: {}}", (2, "25", "lender_bad_value")),
        ("relief: {least_payment: {NTD: 1}}", (2, "25", "lender_bad_value")),
        ("relief: {least_payment: {JPY: 1.5}}", (2, "25", "lender_bad_value")),
        ("relief: {least_payment: {CNY: 1, TWD: -1}}", (2, "25", "lender_bad_value")),
        ("debits: {announced: 17:30}", (2, "21", "lender_bad_value")),
        ("debits: {announced: }", (2, "20", "lender_bad_value")),
        ("debits: {anounced: true}", (2, "10", "lender_unknown_key")),
        ("answers: {sned: true}", (2, "11", "lender_unknown_key")),
        ("answers: {send: maybe}", (2, "17", "lender_bad_value")),
        ("answers: {per_7_days: 8}", (2, "23", "lender_bad_value")),
        ("answers: {payment_days: 4}", (2, "25", "lender_bad_value")),
        ("answers: {dispute_days: 16}", (2, "25", "lender_bad_value")),
        ("answers: {complaint_days: 16}", (2, "27", "lender_bad_value")),
        ("answers: {hardship_days: 0}", (2, "26", "lender_bad_value")),
        ("answers: {request_days: true}", (2, "25", "lender_bad_value")),
        ("answers: 3", (2, "10", "lender_bad_value")),
        ("debits: 17:30", (2, "9", "lender_bad_value")),
        ("templtes: texts", (2, "1", "lender_unknown_key")),
    ],
)
def test_words_of_texts_that_are_wrong_are_placed(tmp_path, line, place):
    assert refused(tmp_path, GOOD + line + "\n") == [place]


def test_the_daily_run_is_stated_and_its_book_lies_beside_the_file(tmp_path):
    path = tmp_path / "lender.yaml"
    path.write_text(GOOD + 'daily: {at: 06:00, book: "books/{date}"}\n', encoding="utf-8")
    daily = load_lender(path).daily
    assert daily == Daily(
        at=time(6), book=f"{tmp_path}/books/{{date}}", calendar="every_day", catch_up_days=3
    )
    assert daily.book_of(date(2026, 3, 10)) == tmp_path / "books" / "2026-03-10"
    path.write_text(
        GOOD + 'daily: {at: "23:59", calendar: working_days, catch_up_days: 0}\n', encoding="utf-8"
    )
    daily = load_lender(path).daily
    assert daily == Daily(at=time(23, 59), book=None, calendar="working_days", catch_up_days=0)
    assert daily.book_of(date(2026, 3, 10)) is None
    assert load_lender(None).daily is None


@pytest.mark.parametrize(
    ("line", "places"),
    [
        ("daily: {book: 'b/{date}'}", [(2, "8", "lender_missing_key")]),
        ("daily: {at: '6:00'}", [(2, "13", "lender_bad_value")]),
        ("daily: {at: '24:00'}", [(2, "13", "lender_bad_value")]),
        ("daily: {at: '06:00', book: books}", [(2, "28", "lender_bad_value")]),
        ("daily: {at: '06:00', book: '{date}/{day}'}", [(2, "28", "lender_bad_value")]),
        ("daily: {at: '06:00', calendar: weekly}", [(2, "32", "lender_bad_value")]),
        ("daily: {at: '06:00', catch_up_days: 32}", [(2, "37", "lender_bad_value")]),
        ("daily: {at: '06:00', catchup: 3}", [(2, "22", "lender_unknown_key")]),
    ],
)
def test_mistakes_of_the_daily_run_are_placed(tmp_path, line, places):
    assert refused(tmp_path, GOOD + line + "\n") == places


def test_what_a_file_does_not_say_is_the_default(tmp_path):
    (tmp_path / "lender.yaml").write_text(GOOD)
    lender = load_lender(tmp_path / "lender.yaml")
    assert (lender.time_zone, lender.approval, lender.limits) == (
        "Asia/Shanghai",
        "automatic",
        Limits(),
    )


def test_rules_are_switched_off_by_a_list_that_may_be_empty(tmp_path):
    for text, expected in (("[]", ()), ("[DEC-HOURS-1, CN-FREQ-3]", ("DEC-HOURS-1", "CN-FREQ-3"))):
        (tmp_path / "lender.yaml").write_text(GOOD + f"switched_off: {text}\n")
        assert load_lender(tmp_path / "lender.yaml").switched_off == expected
    assert refused(tmp_path, GOOD + "switched_off: DEC-HOURS-1\n") == [
        (2, "15", "lender_bad_value")
    ]


def test_review_days_are_the_lenders_to_change(tmp_path):
    (tmp_path / "lender.yaml").write_text(GOOD + "limits: {review_days: {dispute: 10}}\n")
    assert load_lender(tmp_path / "lender.yaml").limits.review_days == {"dispute": 10}


def test_every_mistake_is_named_with_its_line_and_column(tmp_path):
    text = GOOD + (
        "time_zon: Asia/Shanghai\n"
        "approval: three\n"
        "limits:\n"
        "  floor: 20,00\n"
        "  texts_per_day: -1\n"
        "routes:\n"
        "  - {name: a, channel: sms, kind: sms}\n"
        "  - {name: b, chanel: sms, kind: smpp}\n"
    )
    assert refused(tmp_path, text) == [
        (2, "1", "lender_unknown_key"),
        (3, "11", "lender_bad_value"),
        (5, "10", "lender_bad_value"),
        (6, "18", "lender_bad_value"),
        (8, "35", "lender_bad_value"),
        (9, "5", "lender_missing_key"),
        (9, "15", "lender_unknown_key"),
    ]


def test_a_route_has_a_price_in_ten_thousandths(tmp_path):
    path = tmp_path / "lender.yaml"
    for text, expected in (('"0.045"', 450), ("0.05", 500), ("1", 10_000), ('"0.0001"', 1)):
        path.write_text(
            GOOD + f"routes:\n  - {{name: a, channel: sms, kind: smpp, cost: {text}}}\n"
        )
        assert load_lender(path).routes[0].price == expected
        assert "cost" not in load_lender(path).routes[0].settings


@pytest.mark.parametrize("text", ['"0,05"', "-1", '"0.00001"', "free", '"1234567"', "[]"])
def test_what_is_no_price_is_placed(tmp_path, text):
    routes = f"routes:\n  - {{name: a, channel: sms, kind: smpp, cost: {text}}}\n"
    assert refused(tmp_path, GOOD + routes) == [(3, "47", "lender_bad_value")]


def test_a_price_elsewhere_is_an_unknown_key(tmp_path):
    assert refused(tmp_path, GOOD + "cost: 1\nlimits: {cost: 1}\n") == [
        (2, "1", "lender_unknown_key"),
        (3, "10", "lender_unknown_key"),
    ]


def test_an_unknown_key_names_the_nearest_one(tmp_path):
    path = tmp_path / "lender.yaml"
    path.write_text(GOOD + "time_zon: Asia/Shanghai\n")
    with pytest.raises(Refused, match=r"unknown key 'time_zon' \(time_zone\?\)"):
        load_lender(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [", (1, "5", "lender_yaml")),
        (GOOD + GOOD, (2, "1", "lender_twice")),
        ("- a\n", (1, "1", "lender_bad_value")),
        ("", (1, "1", "lender_bad_value")),
        ("time_zone: UTC\n", (1, "1", "lender_missing_key")),
    ],
)
def test_a_file_of_another_shape_is_refused(tmp_path, text, expected):
    assert expected in refused(tmp_path, text)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(Refused, match="lender_unreadable"):
        load_lender(tmp_path / "no.yaml")


def test_the_same_bytes_are_read_once_and_others_at_once(tmp_path):
    path = tmp_path / "lender.yaml"
    path.write_text(GOOD, encoding="utf-8")
    first = load_lender(path)
    assert load_lender(path) is first
    path.write_text(GOOD.replace("name: Aa", "name: Zz"), encoding="utf-8")
    assert (load_lender(path).name, first.name) == ("Zz", "Aa")
    # Mistakes are no less said for having been said.
    wrong = GOOD.replace("app: Cc", "apq: Cc")
    told = refused(tmp_path, wrong)
    assert {code for *_, code in told} == {"lender_unknown_key", "lender_missing_key"}
    assert refused(tmp_path, wrong) == told


def test_where_the_borrowers_pages_are_served(tmp_path):
    path = tmp_path / "lender.yaml"
    said = "portal: {path: /my, host: my.example.com, handover_secret_env: HANDOVER}\n"
    path.write_text(GOOD + said, encoding="utf-8")
    portal = load_lender(path).portal
    assert portal == Portal(path="/my", host="my.example.com", handover_secret_env="HANDOVER")
    assert (portal.prefix, load_lender(None).portal) == ("/my", Portal())
    path.write_text(GOOD + "portal: {serve: false}\n", encoding="utf-8")
    assert load_lender(path).portal.serve is False


@pytest.mark.parametrize(
    ("line", "places"),
    [
        ("portal: {path: my}", [(2, "16", "lender_bad_value")]),
        ("portal: {path: /My/}", [(2, "16", "lender_bad_value")]),
        ("portal: {path: /a/../b}", [(2, "16", "lender_bad_value")]),
        ("portal: {host: 'https://x.example'}", [(2, "16", "lender_bad_value")]),
        ("portal: {host: 'x.example:8000'}", [(2, "16", "lender_bad_value")]),
        ("portal: {handover_secret_env: lower}", [(2, "31", "lender_bad_value")]),
        ("portal: {server: true}", [(2, "10", "lender_unknown_key")]),
    ],
)
def test_mistakes_of_the_portal_are_placed(tmp_path, line, places):
    assert refused(tmp_path, GOOD + line + "\n") == places


def test_where_the_staffs_pages_are_served(tmp_path):
    path = tmp_path / "lender.yaml"
    said = "console: {serve: true, path: /desk, host: desk.example.com}\n"
    path.write_text(GOOD + said, encoding="utf-8")
    console = load_lender(path).console
    assert console == Console(serve=True, path="/desk", host="desk.example.com")
    assert (console.prefix, load_lender(None).console) == ("/desk", Console())
    assert Console().serve is None


@pytest.mark.parametrize(
    ("lines", "places"),
    [
        ("console: {path: /}", [(2, "17", "lender_bad_value")]),
        ("console: {path: /api}", [(2, "17", "lender_bad_value")]),
        ("console: {path: /staff/}", [(2, "17", "lender_bad_value")]),
        ("console: {serve: perhaps}", [(2, "18", "lender_bad_value")]),
        ("console: {host: 'x.example:8000'}", [(2, "17", "lender_bad_value")]),
        ("console: {door: 1}", [(2, "11", "lender_unknown_key")]),
        ("portal: {path: /my}\nconsole: {path: /my}", [(3, "17", "lender_bad_value")]),
    ],
)
def test_mistakes_of_the_console_are_placed(tmp_path, lines, places):
    assert refused(tmp_path, GOOD + lines + "\n") == places


PAYMENTS = """\
portal: {address: "https://my.example.com", path: /my}
payments:
  least: {CNY: "5.00"}
  lasts_minutes: 20
  providers:
    - {name: card, kind: hosted, title: 银行卡, title_en: Bank card, currencies: [CNY, EUR],
       url: "https://pay.example.com/checkout", merchant: M1, secret_env: DULY_PAY_SECRET,
       former_secret_env: DULY_PAY_SECRET_BEFORE, prefix: card-}
    - {name: trial, kind: sandbox, title: 试用, secret_env: DULY_PAY_TRIAL, seed: 7}
"""


def test_who_may_take_payments_is_the_lenders_word(tmp_path):
    path = tmp_path / "lender.yaml"
    path.write_text(GOOD + PAYMENTS, encoding="utf-8")
    found = load_lender(path)
    assert found.payments == Payments(
        least={"CNY": 500}, lasts_minutes=20,
        providers=(
            PaymentProvider(
                name="card", kind="hosted", title="银行卡", title_en="Bank card",
                currencies=("CNY", "EUR"),
                settings={
                    "url": "https://pay.example.com/checkout", "merchant": "M1",
                    "secret_env": "DULY_PAY_SECRET",
                    "former_secret_env": "DULY_PAY_SECRET_BEFORE", "prefix": "card-",
                },
            ),
            PaymentProvider(name="trial", kind="sandbox", title="试用",
                            settings={"secret_env": "DULY_PAY_TRIAL", "seed": 7}),
        ),
    )  # fmt: skip
    assert found.portal.begins == "https://my.example.com/my"
    path.write_text(GOOD, encoding="utf-8")
    assert load_lender(path).payments == Payments()


ONE = "{name: card, kind: hosted, title: A, secret_env: S}"


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("payments: {providers: card}", (2, "23", "lender_bad_value")),
        ("payments: {provider: []}", (2, "12", "lender_unknown_key")),
        ("payments: {lasts_minutes: 4}", (2, "27", "lender_bad_value")),
        ("payments: {least: {CNY: 0.001}}", (2, "19", "lender_bad_value")),
        ("payments: 3", (2, "11", "lender_bad_value")),
        ("payments: {providers: [{name: card, kind: hosted, title: A}]}",
         (2, "24", "lender_missing_key")),
        (f"payments: {{providers: [{ONE}, {ONE}]}}", (2, "84", "lender_twice")),
        ("payments: {providers: [{name: Card, kind: hosted, title: A, secret_env: S}]}",
         (2, "31", "lender_bad_value")),
        ("payments: {providers: [{name: card, kind: other, title: A, secret_env: S}]}",
         (2, "43", "lender_bad_value")),
        ("payments: {providers: [{name: card, kind: hosted, title: A, secret: S}]}",
         (2, "61", "lender_unknown_key")),
        ("payments: {providers: [{name: c, kind: hosted, title: A, secret_env: S,"
         " currencies: [XXA]}]}", (2, "85", "lender_bad_value")),
        ('portal: {address: "http://my.example.com"}', (2, "19", "lender_bad_value")),
        ('portal: {address: "https://my.example.com/my"}', (2, "19", "lender_bad_value")),
        ('portal: {address: "https://a@my.example.com"}', (2, "19", "lender_bad_value")),
    ],
)  # fmt: skip
def test_what_is_wrong_about_payments_is_placed(tmp_path, line, place):
    assert place in refused(tmp_path, GOOD + line + "\n")


def test_in_clear_only_on_the_machine_itself(tmp_path):
    path = tmp_path / "lender.yaml"
    for one in ("http://127.0.0.1:8000", "http://localhost:8000", "https://a.example:8443"):
        path.write_text(f'{GOOD}portal: {{address: "{one}"}}\n', encoding="utf-8")
        assert load_lender(path).portal.begins == one
