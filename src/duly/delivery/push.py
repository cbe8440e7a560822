"""What is pushed to a borrower's phone: that a message waits, and nothing of what it says.

A push is shown on a locked phone, to whoever holds it. Title and preview are the route's own and
name no debt; the text goes beside them, for the app to show to who has signed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import quote

from duly.core.words import say
from duly.delivery.port import Outgoing

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class LockScreen:
    """What a locked phone shows, by locale; `{message_id}` in the link is filled for each."""

    titles: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    previews: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    link: str = ""

    def title(self, locale: str) -> str:
        """Return the title in a locale."""
        return self.titles.get(locale) or say("service", "push_title", locale)

    def preview(self, locale: str) -> str:
        """Return the line below it."""
        return self.previews.get(locale) or say("service", "push_preview", locale)

    def tell(self, one: Outgoing) -> Mapping[str, object]:
        """Return what a push says beside its address: the two apart, and where it leads."""
        told: dict[str, object] = {
            "notification": {"title": self.title(one.locale), "body": self.preview(one.locale)},
            "message": {"text": one.text},
        }
        if self.link:
            told["link"] = self.link.replace("{message_id}", quote(one.message_id, safe=""))
        return told
