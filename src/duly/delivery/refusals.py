"""What a gateway's no is about: the moment, the route, the number, the words, or nothing we know.

Only what was certainly not taken is asked about here: a text that may be on its way has no second
try. What is not known to be about the moment or the route is taken to be about the message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, TypeAlias

from duly.delivery.codes import meaning_of
from duly.delivery.port import Answer

#: `later`: not now. `frequency`: not so often to this person. `route`: this way out cannot carry
#: it, another might. `number`: nobody is to be written to there. `text`: these words. `partial`:
#: a piece of it was taken. `unclear`: no, and we do not know why.
About: TypeAlias = Literal["later", "frequency", "route", "number", "text", "partial", "unclear"]

#: Outcomes after which the other side certainly does not have the message.
CERTAIN = ("refused", "throttled", "not_sent")
_PARTIAL = "DULY:partial"
_OURS: Mapping[str, About] = {
    "DULY:address": "number",
    "DULY:glyph": "route",
    "DULY:typesetting": "route",
    "DULY:text_control": "text",
    "DULY:no_template_code": "route",
    "DULY:subject": "text",
    "DULY:text_empty": "text",
    "DULY:text_too_long": "text",
    "DULY:text_unpaired_surrogate": "text",
}
_SMPP: Mapping[str, About] = {
    "ESME_RINVDSTADR": "number",
    **dict.fromkeys(
        (
            "ESME_RINVBNDSTS", "ESME_RINVSRCADR", "ESME_RBINDFAIL", "ESME_RINVPASWD",
            "ESME_RINVSYSID", "ESME_RINVSYSTYP", "ESME_RINVESMCLASS", "ESME_RINVCMDID",
            "ESME_RINVCMDLEN", "ESME_RINVEXPIRY",
        ),
        "route",
    ),
    "ESME_RINVMSGLEN": "text",
}  # fmt: skip
#: HTTP: who we are, what we owe the gateway, where it is; all of it about the route.
_HTTP: Mapping[int, About] = dict.fromkeys((401, 402, 403, 404, 405, 407, 410), "route")
#: SMTP, RFC 5321 and 4954: the mailbox, and who may send.
_SMTP: Mapping[int, About] = {
    **dict.fromkeys((550, 551, 553), "number"),
    **dict.fromkeys((503, 504, 530, 534, 535, 538), "route"),
    552: "number",
    554: "text",
}
_MEANT: Mapping[str, About] = {
    "blocked": "number",
    "no_such_number": "number",
    "content": "text",
    "frequency": "frequency",
}
_HTTP_CODE = re.compile(r"HTTP (\d{3})(?: (.*))?", re.DOTALL)
_SMTP_CODE = re.compile(r"([45]\d\d)\b")


def about_of(answer: Answer) -> About | None:
    """Return what a certain no is about; None where the message may have been taken.

    >>> about_of(Answer(message_id="m", outcome="refused", code="0x0000000B ESME_RINVDSTADR"))
    'number'
    """
    if answer.outcome not in CERTAIN:
        return None
    if answer.code.startswith(_PARTIAL):
        return "partial"
    http = _HTTP_CODE.fullmatch(answer.code)
    # A gateway that names the number or the words is believed, whatever else it says.
    words = (http[2] or "").split() if http else answer.code.split()
    for word in words:
        meant = _MEANT.get(meaning_of(word))
        if meant is not None:
            return meant
    if answer.outcome in ("throttled", "not_sent"):
        return "later"
    if answer.code in _OURS:
        return _OURS[answer.code]
    if http:
        return _HTTP.get(int(http[1]), "unclear")
    named = next((_SMPP[word] for word in words if word in _SMPP), None)
    if named is not None:
        return named
    smtp = _SMTP_CODE.match(answer.code)
    return _SMTP.get(int(smtp[1]), "unclear") if smtp else "unclear"
