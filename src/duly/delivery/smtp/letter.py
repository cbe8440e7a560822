"""A message as an e-mail: text and the same as HTML, its headers safe from whatever is in it."""

from __future__ import annotations

import hashlib
import html
import re
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import quote

from duly.core.words import say
from duly.delivery.port import Outgoing

_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_DOMAIN = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
_ADDRESS = re.compile(f"({_LOCAL})@({_DOMAIN})")
_LOCAL_MAX, _ADDRESS_MAX = 64, 254  #: octets (RFC 5321, 4.5.3.1)
_FOLD = "\r\n "
_PLAIN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class UnsendableError(ValueError):
    """The message cannot be written as a mail; the text of the error is the code of the answer."""


@dataclass(frozen=True, kw_only=True)
class Letterhead:
    """What every mail of a route says; `{message_id}` in the address is filled for each."""

    sender: str
    sender_name: str = ""
    subject: str = ""  #: where a message has none of its own
    unsubscribe_url: str = ""  #: https; takes a POST as RFC 8058 says
    unsubscribe_mail: str = ""


def is_address(text: str) -> bool:
    """Return whether a text is one plain address in ASCII, without a name, quotes or comments."""
    found = _ADDRESS.fullmatch(text)
    return found is not None and len(found[1]) <= _LOCAL_MAX and len(text) <= _ADDRESS_MAX


def name_of(message_id: str, sender: str) -> str:
    """Return the Message-ID of a message, without its brackets.

    >>> name_of("m1", "service@example.com")
    'm1@example.com'
    """
    left = message_id
    if not _PLAIN_ID.fullmatch(left) or ".." in left or left.strip(".") != left:
        left = hashlib.sha256(message_id.encode()).hexdigest()
    return f"{left}@{sender.rpartition('@')[2]}"


def compose(one: Outgoing, head: Letterhead, *, date: datetime | None) -> bytes:
    """Return a whole mail, its lines ended by CR LF; refuse (UnsendableError) what is unsafe.

    A line end in address or subject is refused: it would begin a header of its own.
    """
    if not is_address(one.address):
        raise UnsendableError("DULY:address")
    subject = one.subject or head.subject or say("service", "mail_subject", one.locale)
    if not subject.isprintable():
        raise UnsendableError("DULY:subject")
    if not one.text:
        raise UnsendableError("DULY:text_empty")
    if any("\ud800" <= character <= "\udfff" for character in one.text):
        raise UnsendableError("DULY:text_unpaired_surrogate")
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(head.sender_name, addr_spec=head.sender)
    mail["To"] = Address(addr_spec=one.address)
    mail["Subject"] = subject
    mail["Message-ID"] = f"<{name_of(one.message_id, head.sender)}>"
    if date is not None:
        mail["Date"] = format_datetime(date)
    mail["Auto-Submitted"] = "auto-generated"
    mail["Content-Language"] = re.sub(r"[^A-Za-z0-9-]", "", one.locale)
    if head.unsubscribe_url:
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(one.text, cte=_encoding(one.text))
    page = as_html(one.text, locale=one.locale, title=subject)
    mail.add_alternative(page, subtype="html", cte=_encoding(page))
    # "=_" stands in no body: both encodings write the equals sign otherwise.
    digest = hashlib.sha256(one.message_id.encode()).hexdigest()[:32]
    mail.set_boundary(f"=_{digest}")
    return _unsubscribe(one.message_id, head) + mail.as_bytes()


def as_html(text: str, *, locale: str, title: str) -> str:
    """Return a text as a page: its lines and nothing more, no image, no link, nothing to load."""
    blocks = re.split(r"(?:\r\n|\r|\n){2,}", text)
    lines = (html.escape(block) for block in blocks)
    shown = "\n".join(
        "<p>" + re.sub(r"\r\n|\r|\n", "<br>\n", line) + "</p>" for line in lines if line
    )
    return (
        f'<!DOCTYPE html>\n<html lang="{html.escape(locale)}"><head><meta charset="utf-8">'
        f"<title>{html.escape(title)}</title></head>\n<body>\n{shown}\n</body></html>\n"
    )


def _encoding(text: str) -> str:
    return "quoted-printable" if text.isascii() else "base64"


def _unsubscribe(message_id: str, head: Letterhead) -> bytes:
    """Return the header that names the ways out, one a line: a long address is not to be cut."""
    ways, name = [], quote(message_id, safe="")
    if head.unsubscribe_url:
        ways.append(f"<{head.unsubscribe_url.replace('{message_id}', name)}>")
    if head.unsubscribe_mail:
        ways.append(f"<mailto:{head.unsubscribe_mail}?subject=unsubscribe%20{name}>")
    return f"List-Unsubscribe: {f',{_FOLD}'.join(ways)}\r\n".encode("ascii") if ways else b""
