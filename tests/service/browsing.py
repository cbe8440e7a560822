"""A borrower's browser without JavaScript: cookies, forms as they stand, and what a page lacks."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from serving import Reply, Served

_VOID = frozenset("br hr img input link meta source".split())
#: Elements that close by themselves where the next begins are written out in our pages.
_FIELDS = ("input", "select", "textarea")


@dataclass
class Element:
    """One element with its attributes and the text inside it."""

    tag: str
    attributes: dict[str, str]
    text: str = ""
    path: tuple[str, ...] = ()


class Page(HTMLParser):
    """A page as it was sent; refuses one whose elements are not closed."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.forms: list[tuple[Element, list[Element]]] = []
        self.feed(text)
        assert not self._open, [one.tag for one in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        assert len(given) == len(attrs), (tag, attrs)
        path = tuple(one.tag for one in self._open)
        one = Element(tag, given, path=path)
        self.elements.append(one)
        if tag == "form":
            self.forms.append((one, []))
        if "form" in path and tag in (*_FIELDS, "button"):
            self.forms[-1][1].append(one)
        if tag not in _VOID:
            self._open.append(one)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, tag
        assert self._open[-1].tag == tag, (tag, [one.tag for one in self._open])
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for one in self._open:
            one.text += data

    def all(self, tag: str, **attributes: str) -> list[Element]:
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [
            one
            for one in self.elements
            if one.tag == tag
            and all(one.attributes.get(name) == value for name, value in wanted.items())
        ]

    def one(self, tag: str, **attributes: str) -> Element:
        (found,) = self.all(tag, **attributes)
        return found

    @property
    def text(self) -> str:
        return " ".join(self.all("main")[0].text.split())


def lacks(page: Page) -> list[str]:
    """Return what a reader with a screen reader, a keyboard or large letters would miss."""
    found = []
    html = page.one("html")
    if html.attributes.get("lang") not in ("zh-CN", "en"):
        found.append("lang")
    if not page.one("title").text.strip() or len(page.all("h1")) != 1 or len(page.all("main")) != 1:
        found.append("title, h1 and main, one each")
    ids = [one.attributes["id"] for one in page.elements if "id" in one.attributes]
    if len(ids) != len(set(ids)):
        found.append(f"id twice: {ids}")
    levels = [int(one.tag[1]) for one in page.elements if one.tag in ("h1", "h2", "h3", "h4")]
    if any(next_ > level + 1 for level, next_ in itertools.pairwise(levels)):
        found.append(f"headings leap: {levels}")
    labelled = {one.attributes.get("for") for one in page.all("label")}
    for one in (one for one in page.elements if one.tag in _FIELDS):
        if one.attributes.get("type") == "hidden":
            continue
        named = one.attributes.get("id") in labelled or "label" in one.path
        if not named:
            found.append(f"no label: {one.attributes}")
        for name in one.attributes.get("aria-describedby", "").split():
            if name not in ids:
                found.append(f"describes nothing: {name}")
    for one in page.elements:
        if one.tag in ("a", "button", "summary", "legend", "h1", "h2", "h3") and not (
            one.text.strip() or one.attributes.get("aria-label")
        ):
            found.append(f"empty {one.tag}")
        if one.tag == "nav" and not one.attributes.get("aria-label"):
            found.append("nav without a name")
        if int(one.attributes.get("tabindex", "0")) > 0:
            found.append("order of tabs")
        loads = one.tag == "script" and one.attributes.get("src") and not one.text.strip()
        if (one.tag in ("script", "style", "iframe", "object", "embed") and not loads) or any(
            name == "style" or name.startswith("on") for name in one.attributes
        ):
            found.append(f"inline: {one.tag} {one.attributes}")
        outside = one.tag == "a" and one.attributes.get("rel") == "external noreferrer"
        for name in ("src", "href", "action"):
            if "//" in one.attributes.get(name, "") and not outside:
                found.append(f"from elsewhere: {one.attributes[name]}")
    viewport = page.one("meta", name="viewport").attributes["content"]
    if "maximum-scale" in viewport or "user-scalable" in viewport:
        found.append("no zoom")
    if any(
        one.attributes.get("method", "").lower() == "post"
        and not any(field.attributes.get("name") == "csrfmiddlewaretoken" for field in fields)
        for one, fields in page.forms
    ):
        found.append("a form without its mark")
    return found


@dataclass
class Browser:
    """Goes through pages as a person does; every page it sees is looked at for what it lacks."""

    served: Served
    language: str = "en"
    cookies: dict[str, str] = field(default_factory=dict)
    at: str = "/"
    page: Page | None = None
    reply: Reply | None = None

    def go(self, path: str, *, method: str = "GET", body: bytes | None = None,
           kind: str = "", follow: bool = True, **headers: str) -> Reply:  # fmt: skip
        sent = {"Accept": "text/html", "Accept-Language": self.language, **headers}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        where = urljoin(self.at, path)
        found = self.served.ask(method, where, body, key=None, kind=kind, **sent)
        assert found.status < 500, (method, where, found.body)
        for one in found.cookies:
            name, _, rest = one.partition("=")
            value = rest.partition(";")[0]
            if value and "max-age=0" not in one.lower():
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        self.at, self.reply = urlsplit(where).path, found
        if follow and found.status in (302, 303):
            return self.go(found.headers["location"])
        if found.body and found.headers.get("content-type", "").startswith("text/html"):
            self.page = Page(found.body.decode())
            assert lacks(self.page) == [], where
        return found

    def form(self, action: str) -> dict[str, str]:
        """Return the fields of the form on this page that goes to an address."""
        assert self.page is not None
        for one, fields in self.page.forms:
            if urlsplit(urljoin(self.at, one.attributes.get("action", self.at))).path == action:
                return {
                    each.attributes["name"]: each.attributes.get("value", "")
                    for each in fields
                    if "name" in each.attributes
                    and each.attributes.get("type") not in ("radio", "checkbox", "file")
                }
        raise AssertionError(f"no form to {action} on {self.at}")

    def submit(self, action: str, *, follow: bool = True, **given: str) -> Reply:
        """Fill in the form that goes to an address and send it."""
        return self.post(action, self.form(action) | given, follow=follow)

    def post(self, path: str, fields: dict[str, str], *, follow: bool = True,
             **headers: str) -> Reply:  # fmt: skip
        return self.go(path, method="POST", body=urlencode(fields).encode(), follow=follow,
                       kind="application/x-www-form-urlencoded", **headers)  # fmt: skip

    @property
    def text(self) -> str:
        assert self.page is not None
        return self.page.text


def shown(served: Served, path: str, **given: Any) -> Browser:
    """Open a page in a browser of its own."""
    browser = Browser(served, **given)
    browser.go(path)
    return browser
