"""Goal: the sandbox is a gateway like the others.

Method: the conformance suite, with messages whose ids have the fate that is asked for.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from itertools import count

from conformance import Conformance, Rig

from duly.delivery import Outgoing
from duly.delivery.sandbox import Sandbox, fate_of

SEED = 7
FATES = {
    "accepted": "delivered", "refused": "refused", "throttled": "throttled",
    "unknown": "no_answer",
}  # fmt: skip


def outgoing(n: int, want: str) -> Outgoing:
    name = next(
        name for k in count() if fate_of(name := f"m{n}-{k}", SEED) == FATES[want]
    )  # fmt: skip
    return Outgoing(
        message_id=name, channel="sms", address="+8613800000001", text="您好",
        message_class="dunning", template="overdue", locale="zh-CN",
    )  # fmt: skip


class TestConformance(Conformance):
    def extra(self):
        return ()

    @asynccontextmanager
    async def rig(self, *, window=20):
        reached: list[str] = []

        class Watched(Sandbox):
            async def submit(self, batch):
                reached.extend(one.message_id for one in batch)
                return await super().submit(batch)

        yield Rig(
            gateway=Watched("box", seed=SEED, window=window),
            outgoing=outgoing,
            reached=lambda: reached,
        )
