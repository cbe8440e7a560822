"""One answer a message out of the answers to its parts."""

from __future__ import annotations

from collections.abc import Sequence

from duly.delivery.port import Answer, Outcome
from duly.delivery.smpp import pdu
from duly.delivery.smpp.receipts import Ids, id_of_answer
from duly.delivery.smpp.session import NOT_WRITTEN, Ended

#: Which outcome of a part tells for its message, where not all were accepted.
_GRAVEST: tuple[Outcome, ...] = ("unknown", "refused", "throttled", "not_sent")
#: Not now. An error of the center's own is answered before it took anything, too.
_THROTTLED = (pdu.RTHROTTLED, pdu.RMSGQFUL, pdu.RSYSERR)


def outcome_of(ended: Ended) -> Outcome:
    """Return how one part ended."""
    if isinstance(ended, str):
        return "not_sent" if ended == NOT_WRITTEN else "unknown"
    if ended.status == pdu.ROK and ended.command == pdu.SUBMIT_SM_RESP:
        return "accepted"
    return "throttled" if ended.status in _THROTTLED else "refused"


def answer_of(message_id: str, parts: Sequence[Ended], *, ids: Ids, retry_seconds: float) -> Answer:
    """Return the answer to a message.

    Accepted are all parts or none: a text of which some parts were taken and others surely not
    does not arrive whole, is `refused` with the code `DULY:partial …` and is not sent again. The
    ids of its parts are left out, lest a receipt for a fragment count as delivery. One part
    whose end is not known makes the message unknown, for the same reason without ids.
    """
    outcomes = [outcome_of(one) for one in parts]
    if all(one == "accepted" for one in outcomes):
        names = (
            id_of_answer(pdu.read_message_id(one.body), ids)
            for one in parts
            if not isinstance(one, str)
        )
        provider_ids = tuple(name for name in names if name)
        return Answer(
            message_id=message_id,
            outcome="accepted",
            provider_ids=provider_ids,
            code="" if provider_ids else "DULY:no_id",
        )
    outcome = next(one for one in _GRAVEST if one in outcomes)
    code = _code(parts[outcomes.index(outcome)])
    if outcome != "unknown" and "accepted" in outcomes:
        outcome, code = "refused", f"DULY:partial {code}"
    retry = max(1, round(retry_seconds)) if outcome == "throttled" else None
    return Answer(message_id=message_id, outcome=outcome, code=code, retry_after_seconds=retry)


def _code(ended: Ended) -> str:
    return ended if isinstance(ended, str) else pdu.status_name(ended.status)
