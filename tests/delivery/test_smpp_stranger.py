"""Goal: a center of somebody else's making understands us, and we it.

Method: node's `smpp`, which shares no code with the client, reads texts and sends receipts.
"""

from __future__ import annotations

import asyncio

import pytest
from conformance import read, until, within
from node_center import NodeCenter, installed
from test_smpp_gateway import outgoing

from duly.core.errors import Refused
from duly.delivery import Receipt, Reply
from duly.delivery.smpp import SmppGateway, SmppSettings


@pytest.fixture(scope="module")
def center(tmp_path_factory):
    folder = installed(tmp_path_factory.mktemp("center"))
    found = NodeCenter(folder=folder, log=folder / "wire")
    found.start()
    yield found
    found.kill()


def gateway(center: NodeCenter, password: str = "s3cr3t") -> SmppGateway:
    settings = SmppSettings(host="127.0.0.1", port=center.port, system_id="duly",
                            password=password, source="1069000000")  # fmt: skip
    return SmppGateway("carrier-a", settings, label="w1")


TEXTS = {
    "中文短信，退订回TD。": ["中文短信，退订回TD。"],
    "Plain text of Latin, @£$ and [brackets] €": ["Plain text of Latin, @£$ and [brackets] €"],
    "逾" * 71: ["逾" * 67, "逾" * 4],
    "a" * 152 + "€" + "b" * 10: ["a" * 152, "€" + "b" * 10],
    "表情🙂": ["表情🙂"],
}


def test_texts_are_read_as_they_were_written(center):
    async def whole() -> None:
        mine = gateway(center)
        await mine.open()
        before = len(center.reached())
        async with read(mine) as found:
            batch = [outgoing(10 + n, text=text) for n, text in enumerate(TEXTS)]
            answers = await within(mine.submit(batch))
            assert [len(one.provider_ids) for one in answers] == [len(p) for p in TEXTS.values()]
            parts = sum(len(one) for one in TEXTS.values())
            await until(lambda: len(found) == parts)
            assert {(one.state, one.code) for one in found} == {("delivered", "DELIVRD")}
            named = sorted(name for one in answers for name in one.provider_ids)
            assert sorted(one.provider_id for one in found) == named
        arrived = center.reached()[before:]
        assert [one["text"] for one in arrived] == [part for one in TEXTS.values() for part in one]
        assert {one["from"] for one in arrived} == {"1069000000"}

    asyncio.run(asyncio.wait_for(whole(), 20))


def test_a_reply_comes_with_the_number_of_whoever_wrote_it(center):
    async def whole() -> None:
        mine = gateway(center)
        await mine.open()
        async with read(mine) as found:
            from dataclasses import replace

            one = replace(outgoing(1), address="+8613800000007")
            await within(mine.submit([one]))
            await until(lambda: len(found) == 2)
            (reply,) = [one for one in found if isinstance(one, Reply)]
            assert (reply.address, reply.to, reply.text) == ("+8613800000007", "1069000000", "TD")
            assert len([one for one in found if isinstance(one, Receipt)]) == 1

    asyncio.run(asyncio.wait_for(whole(), 20))


def test_a_wrong_password_is_refused_with_its_status(center):
    with pytest.raises(Refused, match="0x0000000e ESME_RINVPASWD"):
        asyncio.run(gateway(center, password="wrong").open())
