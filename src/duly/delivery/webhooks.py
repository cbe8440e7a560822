"""What resellers of text messages post to us: receipts and what people wrote (上行).

Formats as the resellers publish them. Their times carry no zone, or a wrong one: the caller says
the zone of the route and when the report came, and an instant that cannot be is left out. The same
report twice has the same `raw`. An element that makes no sense becomes a record, the rest is read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from types import MappingProxyType
from typing import Literal, TypeAlias
from urllib.parse import parse_qsl

from duly.delivery.codes import ON_THE_WAY, State, state_of
from duly.delivery.port import Incoming, Receipt, Reply
from duly.delivery.records import printable, record

Format: TypeAlias = Literal["aliyun", "tencent", "huawei", "generic"]
Fields: TypeAlias = Mapping[str, object]

#: What each wants to hear once the reports are written down; it posts them again otherwise.
ANSWERS: Mapping[Format, str] = MappingProxyType(
    {
        "aliyun": '{"code":0,"msg":"OK"}',
        "tencent": '{"result":0,"errmsg":"OK"}',
        "huawei": "",
        "generic": "",
    }
)
_BODY_MAX, _ELEMENTS_MAX, _FIELDS_MAX = 1 << 20, 1000, 50
_ID_MAX, _CODE_MAX = 200, 200
#: A receipt may come three days late, and a day more for whoever stores it; clocks differ a little.
_EARLIEST, _LATEST = timedelta(days=4), timedelta(minutes=5)
_MAINLAND = re.compile(r"(?:\+|00)?(?:86)?(1\d{10})")
_PLAIN_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}")


class UnreadableError(ValueError):
    """The body is not of its format; the text says how."""


class _StrangeError(ValueError):
    """One element is not of its format."""


@dataclass(frozen=True, kw_only=True)
class When:
    """What is known of time: the route's zone, None where it is not known; when a report came."""

    zone: tzinfo | None
    received_at: datetime


def read(form: Format, body: bytes, *, when: When) -> tuple[Incoming, ...]:
    """Return what a body tells, in its order; refuse (UnreadableError) another format."""
    if len(body) > _BODY_MAX:
        raise UnreadableError("too long")
    elements, read_one = _READERS[form]
    found: list[Incoming] = []
    for element in elements(body):
        try:
            found.append(read_one(element, when))
        except _StrangeError as error:
            told = {"what": str(error), "element": element}
            found.append(record("DULY:malformed", json.dumps(told, sort_keys=True, default=str)))
    return tuple(found)


def part_id(name: str, part: int, parts: int) -> str:
    """Return the name of one part where a gateway has one name for all of them.

    >>> part_id("a1", 2, 3), part_id("a1", 1, 1)
    ('a1#2/3', 'a1')
    """
    return name if parts == 1 else f"{name}#{part}/{parts}"


# Bodies into elements.


def _array(body: bytes) -> list[object]:
    """Return the elements of an array; one object alone is an array of one."""
    found = _json(body)
    elements = found if isinstance(found, list) else [found]
    if len(elements) > _ELEMENTS_MAX:
        raise UnreadableError("too many elements")
    return elements


def _form(body: bytes) -> list[object]:
    try:
        pairs = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, strict_parsing=True,
            max_num_fields=_FIELDS_MAX,
        )  # fmt: skip
    except ValueError as error:
        raise UnreadableError("no form") from error
    return [dict(pairs)]


def _generic(body: bytes) -> list[object]:
    found = _json(body)
    if not isinstance(found, dict) or not found.keys() & {"receipts", "replies"}:
        raise UnreadableError("neither receipts nor replies")
    elements: list[object] = []
    for kind in ("receipts", "replies"):
        listed = found.get(kind, [])
        if not isinstance(listed, list):
            raise UnreadableError(f"{kind} is no list")
        elements += listed
    if len(elements) > _ELEMENTS_MAX:
        raise UnreadableError("too many elements")
    return elements


def _json(body: bytes) -> object:
    try:
        return json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise UnreadableError("no JSON in UTF-8") from error


# Elements into reports.


def _aliyun(element: object, when: When) -> Incoming:
    fields = _object(element)
    if "content" in fields:
        return Reply(
            address=_phone(_text(fields, "phone_number")),
            to=_text(fields, "dest_code", needed=False),
            text=_text(fields, "content", needed=False),
            raw=_raw(fields),
            at=_local(fields.get("send_time"), when),
        )
    success = fields.get("success")
    if not isinstance(success, bool):
        raise _StrangeError("success is no truth value")
    return Receipt(
        provider_id=_id(_text(fields, "biz_id")),
        state=_agreed(success, _text(fields, "err_code", needed=False)),
        code=_code(_text(fields, "err_code", needed=False)),
        raw=_raw(fields),
        at=_local(fields.get("report_time"), when),
    )


def _tencent(element: object, when: When) -> Incoming:
    fields = _object(element)
    if "text" in fields:
        nation, mobile = _text(fields, "nationcode", needed=False), _text(fields, "mobile")
        return Reply(
            address=f"+{nation}{mobile}" if nation else _phone(mobile),
            to=_text(fields, "extend", needed=False),
            text=_text(fields, "text", needed=False),
            raw=_raw(fields),
            at=_epoch(fields.get("time"), when),
        )
    status = _text(fields, "report_status")
    if status not in ("SUCCESS", "FAIL"):
        raise _StrangeError("report_status is neither SUCCESS nor FAIL")
    code = _text(fields, "errmsg", needed=False)
    return Receipt(
        provider_id=_id(_text(fields, "sid")),
        state=_agreed(status == "SUCCESS", code),
        code=_code(code),
        raw=_raw(fields),
        at=_local(fields.get("user_receive_time"), when),
    )


def _huawei(element: object, when: When) -> Incoming:
    """Read a report of one part; parts of one message share its id and are told apart here."""
    fields = _object(element)
    part, parts = _number(fields, "sequence"), _number(fields, "total")
    code = _text(fields, "status")
    return Receipt(
        provider_id=part_id(_id(_text(fields, "smsMsgId")), part, parts),
        state=state_of(code),
        code=_code(code),
        raw=_raw(fields),
        at=_zoned(fields.get("updateTime"), when),
    )


def _plain(element: object, when: When) -> Incoming:
    fields = _object(element)
    if "text" in fields:
        return Reply(
            address=_text(fields, "from"),
            to=_text(fields, "to", needed=False),
            text=_text(fields, "text", needed=False),
            raw=_raw(fields),
            at=_zoned(fields.get("at"), when),
        )
    code = _text(fields, "code")
    if code.strip().upper() in ON_THE_WAY:
        return record(_code(code), _raw(fields))
    part = _number(fields, "part") if "part" in fields else 1
    parts = _number(fields, "parts") if "parts" in fields else 1
    return Receipt(
        provider_id=part_id(_id(_text(fields, "id")), part, parts),
        state=state_of(code),
        code=_code(code),
        raw=_raw(fields),
        at=_zoned(fields.get("at"), when),
    )


_READERS: Mapping[
    Format, tuple[Callable[[bytes], list[object]], Callable[[object, When], Incoming]]
] = {
    "aliyun": (_array, _aliyun),
    "tencent": (_array, _tencent),
    "huawei": (_form, _huawei),
    "generic": (_generic, _plain),
}


# Fields.


def _object(element: object) -> Fields:
    if not isinstance(element, dict):
        raise _StrangeError("no object")
    return element


def _text(fields: Fields, name: str, *, needed: bool = True) -> str:
    value = fields.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value is None and not needed:
        return ""
    if not isinstance(value, str) or (needed and not value.strip()):
        raise _StrangeError(f"{name} is no text")
    # A store holds neither: they would take the whole report with them.
    return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _number(fields: Fields, name: str) -> int:
    text = _text(fields, name)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 255):
        raise _StrangeError(f"{name} is no number of a part")
    return int(text)


def _agreed(success: bool, code: str) -> State:
    """Return how it ended where flag and code agree; a code that is not known says nothing."""
    if not code:
        return "delivered" if success else "undelivered"
    state = state_of(code)
    return state if (state == "delivered") == success else "unknown"


def _raw(fields: Fields) -> str:
    return json.dumps(fields, sort_keys=True, separators=(",", ":"))


def _id(text: str) -> str:
    return printable(text.strip().encode())[:_ID_MAX]


def _code(text: str) -> str:
    return printable(text.strip().encode())[:_CODE_MAX]


def _phone(text: str) -> str:
    """Return a mainland mobile with its country; anything else as it came."""
    found = _MAINLAND.fullmatch(text.strip())
    return f"+86{found[1]}" if found else text.strip()


# Instants.


def _local(value: object, when: When) -> datetime | None:
    """Return a time without a zone as an instant in the route's."""
    if when.zone is None or not isinstance(value, str) or not _PLAIN_TIME.fullmatch(value.strip()):
        return None
    try:
        at = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return _possible(at.replace(tzinfo=when.zone), when)


def _zoned(value: object, when: When) -> datetime | None:
    """Return a time that says its zone; one that does not, is the route's."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return _possible(at, when) if at.tzinfo is not None else _local(value, when)


def _epoch(value: object, when: When) -> datetime | None:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 1 << 33:
        return None
    return _possible(datetime.fromtimestamp(value, UTC), when)


def _possible(at: datetime, when: When) -> datetime | None:
    """Return an instant that can be: not after its report came, and not long before."""
    try:
        ahead = at - when.received_at
    except OverflowError:
        return None
    return at if -_EARLIEST <= ahead <= _LATEST else None
