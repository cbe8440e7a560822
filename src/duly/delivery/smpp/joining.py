"""Bring the pieces of a long reply together; what stays away for too long is done without."""

from __future__ import annotations

from dataclasses import dataclass, field

from duly.delivery.smpp.receipts import Said

_HELD_MAX = 1000  #: unfinished replies; the oldest goes first, so that a flood fills no memory
_MISSING = "[…]"


@dataclass(kw_only=True)
class _Held:
    since: float
    parts: int
    texts: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Joined:
    """One reply, whole or with `[…]` where a piece is missing."""

    address: str
    to: str
    text: str


class Joiner:
    """Pieces held until they are whole; instants are the caller's, in seconds of any clock."""

    def __init__(self, *, patience_seconds: float) -> None:
        self._patience = patience_seconds
        self._held: dict[tuple[str, str, int], _Held] = {}

    def add(self, said: Said, *, at: float) -> list[Joined]:
        """Return the replies that are ready now: this one, or others that waited long enough."""
        if said.piece is None or said.piece.parts == 1:
            return [Joined(address=said.address, to=said.to, text=said.text)]
        key = (said.address, said.to, said.piece.reference)
        ready: list[Joined] = []
        held = self._held.get(key)
        if held is not None and (
            held.parts != said.piece.parts
            or held.texts.get(said.piece.part, said.text) != said.text
        ):
            # The reference has come round: these are pieces of two texts.
            ready.append(self._give(key))
            held = None
        if held is None:
            held = self._held[key] = _Held(since=at, parts=said.piece.parts)
        held.texts[said.piece.part] = said.text
        if len(held.texts) == held.parts:
            ready.append(self._give(key))
        elif len(self._held) > _HELD_MAX:
            ready.append(self._give(next(iter(self._held))))
        return ready

    def overdue(self, *, at: float) -> list[Joined]:
        """Return what has waited for its missing pieces for long enough."""
        late = [key for key, one in self._held.items() if at - one.since >= self._patience]
        return [self._give(key) for key in late]

    def rest(self) -> list[Joined]:
        """Return all that is held, as it is."""
        return [self._give(key) for key in list(self._held)]

    def _give(self, key: tuple[str, str, int]) -> Joined:
        held = self._held.pop(key)
        text = "".join(held.texts.get(part, _MISSING) for part in range(1, held.parts + 1))
        return Joined(address=key[0], to=key[1], text=text)
