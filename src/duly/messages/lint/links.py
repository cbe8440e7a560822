"""Links of any form, and hosts that the lender does not own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from duly.messages.lint.judging import Reading
from duly.messages.lint.known import Known
from duly.messages.lint.model import Hit

_ENDS = (
    "com|cn|net|org|io|co|me|ly|link|top|vip|cc|tv|xyz|info|site|shop|club|online|app|example"
    "|test|invalid|im|gg|to|ru|us|uk|hk|tw|in|biz|fun|live|ink|wang|pro|work|loan|finance|money"
    "|click|icu|pw|tk|ml|ga|eu|de|gl|gd|is|la|st|be|ws|win|bid|men|page|dev|mobi|asia|name|support"
    "|help|pay|cash|credit|bank|law|legal"
)
_REST = r"(?:/[^\s,。;!【】()]{0,200})?"
_LINK = re.compile(
    r"(?<![a-z0-9_@.-])(?:h(?:tt|xx)ps?:/{0,2}[^\s,。;!【】()]{3,200}"
    r"|www[.][^\s,。;!【】()]{3,200}"
    rf"|(?:[a-z0-9](?:[a-z0-9-]{{0,40}})[.]){{1,5}}(?:{_ENDS})(?![a-z0-9])(?::\d{{2,5}})?{_REST}"
    r"|[a-z0-9-]{1,30}[.][a-z]{2,6}/[a-z0-9][^\s,。;!【】()]{0,200}"
    rf"|(?:\d{{1,3}}[.]){{3}}\d{{1,3}}(?::\d{{2,5}})?{_REST})"
)
#: A link whose dots were taken apart: t。cn/abc, bit [.] ly, t点cn.
_BROKEN = re.compile(
    r"(?<=[a-z0-9])(?: ?[\[(]? ?(?:[.。·]|dot|点) ?[\])]? ?)"
    r"(?=(?:cn|com|ly|cc|top|xyz|me|net|link|vip|im)(?:/|斜杠|\b|(?=[一-鿿])))"
)
#: An address of the Indian payment system, a person's or a company's: name@bank.
_HANDLE = re.compile(
    r"(?:upi|vpa|gpay|phonepe|paytm|bhim)[^。!?;\n]{0,24}?"
    r"(?<![\w.])([a-z0-9._-]{2,40}@[a-z]{2,20})(?![\w]|[.]\w)"
)
#: Where the wallets of persons have their addresses, and no company's cash desk.
_WALLET = re.compile(r"@(?:ok(?:axis|hdfcbank|icici|sbi)|ybl|ibl|axl|apl)$")
_AGENT = re.compile(r"\b(?:my|agent|personal|officer|executive|sir|madam)\b")
_SCHEME = re.compile(r"h(?:tt|xx)ps?:/*")
#: The end of what names the host; a dot that ends the sentence is none of it.
_HOST_END = re.compile(r"[.?]*(?:[/?#\\]|$)")
_RULE = "CN-SMS-4"


def linked(reading: Reading, known: Known, raw: Callable[[int, int], str]) -> Iterator[Hit]:
    """Give the links of a text that lead to hosts which the facts do not name.

    Links are found in the folded text, but a host is compared as it was written (`raw` gives the
    characters of the original): one look-alike letter in it leads to somebody else.
    """
    text = reading.text
    for found in _LINK.finditer(text):
        start, end = _host(found[0])
        host = raw(found.start() + start, found.start() + end).lower()
        if any(host == own or host.endswith("." + own) for own in known.hosts):
            continue
        if _is_number(found[0]) or reading.denied(found):
            continue
        yield Hit("suspicious_link", _RULE, "A link", found.start(), found.end())
    yield from _handles(text, known)
    broken = _BROKEN.search(text)
    if broken is not None and not any(True for _ in _LINK.finditer(text)):
        start = text.rfind(" ", 0, broken.start()) + 1
        yield Hit("suspicious_link", _RULE, "A link", start, broken.end())


def _handles(text: str, known: Known) -> Iterator[Hit]:
    """Give payment addresses that are not among the facts', where these name any, or an agent's."""
    for found in _HANDLE.finditer(text):
        if found[1] in known.accounts:
            continue
        persons = _WALLET.search(found[1]) or found[1] in known.disowned_accounts
        if known.accounts or persons or _AGENT.search(text):
            yield Hit("suspicious_link", _RULE, "A payment address of a person", *found.span(1))


def _host(link: str) -> tuple[int, int]:
    """Return where the host of a link stands: after the scheme and a user's name (me@host)."""
    scheme = _SCHEME.match(link)
    start = scheme.end() if scheme is not None else 0
    ended = _HOST_END.search(link, start)
    end = ended.start() if ended is not None else len(link)
    start = max(start, link.rfind("@", start, end) + 1)
    if link.startswith("www.", start):
        start += len("www.")
    port = link.find(":", start, end)
    return start, port if port >= 0 else end


def _is_number(link: str) -> bool:
    """Return whether the words are a figure or an abbreviation rather than a link."""
    return link.count(".") == 1 and link.partition(".")[0].isdigit() and "/" not in link
