"""Read a report back as a person would: its tables by section, its charts, what it loads."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

VOID = {"meta", "input", "br", "path", "link", "img"}


class Page(HTMLParser):
    """A report as sections of tables of rows of cell texts."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: dict[str, list[list[list[str]]]] = {}
        self.texts: dict[str, str] = {}
        self.attributes: list[tuple[str, str, str]] = []
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self.json = ""
        self._section, self._tags, self._script = "", [], {}
        self.feed(text)
        assert not self._tags, f"unclosed: {self._tags}"

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        found = dict(attrs)
        if tag == "section":
            self._section = found["id"]
        if tag == "table":
            self.tables.setdefault(self._section, []).append([])
        if tag == "tr":
            self.tables[self._section][-1].append([])
        if tag in ("td", "th"):
            self.tables[self._section][-1][-1].append("")
        if tag == "script":
            self._script = found
        if tag in ("small", "span"):  # An element of its own is read apart from what precedes it.
            self.handle_data(" ")
        if tag not in VOID:
            self._tags.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag):
        assert self._tags.pop() == tag, f"</{tag}> closes another element"
        if tag == "section":
            self._section = ""

    def handle_data(self, data):
        if self._tags and self._tags[-1] == "script":
            if self._script.get("id") == "charts":
                self.json += data
            else:
                self.scripts.append(data)
            return
        if self._tags and self._tags[-1] == "style":
            self.styles.append(data)
            return
        self.texts[self._section] = self.texts.get(self._section, "") + data
        if "table" in self._tags and {"td", "th"} & set(self._tags):
            self.tables[self._section][-1][-1][-1] += data

    @property
    def charts(self):
        return json.loads(self.json)


def read_page(path: Path) -> Page:
    """Return the report at `path`, refusing one whose elements do not nest."""
    return Page(path.read_text(encoding="utf-8"))
