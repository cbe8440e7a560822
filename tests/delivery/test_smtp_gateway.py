"""Goal: the SMTP gateway keeps to the port, and a mail says what it should and no more.

Method: the conformance suite and one fault each, against aiosmtpd.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import hashlib
import shutil
import ssl
import subprocess
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import dkim
import pytest
from conformance import PATIENCE_SECONDS, SLOW_SECONDS, Conformance, Rig, read, within
from mail_server import MailServer, ScriptedServer

from duly.core.errors import Refused
from duly.delivery import Outgoing
from duly.delivery.smtp import DkimKey, Letterhead, SmtpGateway, SmtpSettings

HEAD = Letterhead(sender="service@lender.example", sender_name="示例消金")
AT = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)


def outgoing(n: int, want: str = "accepted", text: str = "您好。\n\n请核对。") -> Outgoing:
    return Outgoing(
        message_id=f"m{n:04}", channel="email", address=f"{want}{n}@borrower.example", text=text,
        message_class="dunning", template="overdue", locale="zh-CN",
    )  # fmt: skip


def gateway(server: MailServer, *, clock=None, **given) -> SmtpGateway:
    settings = SmtpSettings(
        host="127.0.0.1", port=server.port, letterhead=HEAD, connect_seconds=1.0,
        response_seconds=PATIENCE_SECONDS, close_seconds=2.0, retry_seconds=0.05,
    )  # fmt: skip
    return SmtpGateway("mail", replace(settings, **given), clock=clock)


def parsed(envelope):
    return email.message_from_bytes(envelope.content, policy=email.policy.default)


def body(envelope, kind: str) -> str:
    return parsed(envelope).get_body((kind,)).get_content().replace("\r\n", "\n").rstrip("\n")


class TestConformance(Conformance):
    bad_addresses = (
        "", "nobody", "@x.example", "a@", "a b@x.example", "a@x.example\r\nBcc: b@x.example",
        "a@x.example,b@x.example", "<a@x.example>", '"a"@x.example', "a@-x.example",
        "用户@x.example", "a..b@x.example", "a" * 65 + "@x.example", "a@x.example\0",
    )  # fmt: skip

    @asynccontextmanager
    async def rig(self, *, window=20):
        async with MailServer(slow_seconds=SLOW_SECONDS) as server:

            def arrived(address: str) -> str:
                (envelope,) = [one for one in server.mails if one.rcpt_tos == [address]]
                return body(envelope, "plain")

            yield Rig(
                gateway=gateway(server, window=window),
                outgoing=outgoing,
                reached=lambda: [one.rcpt_tos[0] for one in server.mails],
                text_of=arrived,
                most_open=lambda: server.most_open,
                die=server.stop,
                revive=server.start,
                key=lambda one: one.address,
            )
            server.hold.set()

    def told(self, text):
        return "\n".join(text.replace("\r\n", "\n").split("\n")).rstrip("\n")


def with_server(test, *, server: MailServer | None = None, **given) -> None:
    async def whole() -> None:
        async with server or MailServer() as peer:
            mine = gateway(peer, **given)
            await mine.open()
            async with read(mine):
                await test(peer, mine)
            peer.hold.set()

    asyncio.run(asyncio.wait_for(whole(), 20))


class TestLetters:
    def test_a_mail_says_from_whom_to_whom_about_what_and_when(self):
        async def test(server, mine):
            (answer,) = await mine.submit([outgoing(1)])
            assert answer.provider_ids == ("m0001@lender.example",)
            assert answer.code == "250 2.0.0 queued as Q1"
            (envelope,) = server.mails
            assert (envelope.mail_from, envelope.rcpt_tos) == (
                "bounces@lender.example", ["accepted1@borrower.example"],
            )  # fmt: skip
            mail = parsed(envelope)
            assert str(mail["From"]) == "示例消金 <service@lender.example>"
            assert str(mail["To"]) == "accepted1@borrower.example"
            assert str(mail["Subject"]) == "关于您账户的通知"
            assert str(mail["Message-ID"]) == "<m0001@lender.example>"
            assert str(mail["Date"]) == "Tue, 10 Mar 2026 02:00:00 +0000"
            assert str(mail["Auto-Submitted"]) == "auto-generated"
            assert mail["List-Unsubscribe"] is None
            assert mail.get_content_type() == "multipart/alternative"
            assert body(envelope, "plain") == "您好。\n\n请核对。"
            page = body(envelope, "html")
            assert "<p>您好。</p>\n<p>请核对。</p>" in page
            assert '<html lang="zh-CN">' in page

        with_server(test, envelope="bounces@lender.example", clock=lambda: AT)

    def test_without_a_clock_the_date_is_the_servers_to_say(self):
        async def test(server, mine):
            await mine.submit([outgoing(1)])
            assert parsed(server.mails[0])["Date"] is None

        with_server(test)

    def test_every_line_is_short_ascii_and_ends_properly(self):
        async def test(server, mine):
            await mine.submit([outgoing(1, text="逾期" * 700 + "\r\n.\r\n" + "x" * 2000)])
            content = server.mails[0].original_content
            lines = content.split(b"\r\n")
            assert max(len(line) for line in lines) <= 998
            assert content.isascii()
            assert b"\n" not in content.replace(b"\r\n", b"")
            assert b"\r" not in content.replace(b"\r\n", b"")

        with_server(test)

    def test_the_page_shows_a_text_and_runs_nothing(self):
        async def test(server, mine):
            await mine.submit([outgoing(1, text="<script>x</script> & <b>\nhttps://example.com")])
            page = body(server.mails[0], "html")
            assert "&lt;script&gt;x&lt;/script&gt; &amp; &lt;b&gt;<br>" in page
            assert "<script" not in page
            assert "<a" not in page

        with_server(test)

    def test_a_way_out_is_named_for_people_and_for_programs(self):
        head = replace(HEAD, unsubscribe_url="https://lender.example/stop/{message_id}?" + "k" * 90,
                       unsubscribe_mail="stop@lender.example")  # fmt: skip

        async def test(server, mine):
            await mine.submit([replace(outgoing(1), message_id="m 1>")])
            mail = parsed(server.mails[0])
            assert " ".join(str(mail["List-Unsubscribe"]).split()) == (
                f"<https://lender.example/stop/m%201%3E?{'k' * 90}>,"
                " <mailto:stop@lender.example?subject=unsubscribe%20m%201%3E>"
            )
            assert str(mail["List-Unsubscribe-Post"]) == "List-Unsubscribe=One-Click"

        with_server(test, letterhead=head)

    @pytest.mark.parametrize("subject", ["a\r\nBcc: b@x.example", "a\nb", "a\0", "a\x1b[31m"])
    def test_a_subject_that_would_begin_a_header_is_refused(self, subject):
        async def test(server, mine):
            (answer,) = await mine.submit([replace(outgoing(1), subject=subject)])
            assert (answer.outcome, answer.code) == ("refused", "DULY:subject")
            assert server.mails == []
            (answer,) = await mine.submit([replace(outgoing(2), subject="您的还款计划 🙂")])
            assert str(parsed(server.mails[0])["Subject"]) == "您的还款计划 🙂"

        with_server(test)


class TestAnswers:
    @pytest.mark.parametrize(
        ("refuses", "outcome"),
        [
            ("550 5.1.1 no such person", "refused"),
            ("553 5.1.3 bad address", "refused"),
            ("421 4.3.2 shutting down", "throttled"),
            ("450 4.2.1 mailbox busy", "throttled"),
            ("452 4.2.2 over quota", "throttled"),
            ("432 4.7.12 a transition is needed", "refused"),
        ],
    )
    def test_each_code_leads_to_its_outcome_and_is_kept_raw(self, refuses, outcome):
        async def test(server, mine):
            answers = await mine.submit([outgoing(1, "refused"), outgoing(2)])
            assert [one.outcome for one in answers] == [outcome, "accepted"]
            assert answers[0].code == refuses
            assert (answers[0].retry_after_seconds == 60) is (outcome == "throttled")
            assert len(server.mails) == 1

        with_server(test, server=MailServer(refuses=refuses))

    def test_a_text_that_is_refused_after_it_was_sent_is_refused(self):
        async def test(server, mine):
            answers = await mine.submit([outgoing(1, "filtered"), outgoing(2)])
            assert [one.outcome for one in answers] == ["refused", "accepted"]
            assert answers[0].code == "554 5.7.1 not this text"

        with_server(test)

    def test_a_connection_lost_before_the_text_is_not_sent_and_after_it_unknown(self):
        async def test(server, mine):
            (before,) = await within(mine.submit([outgoing(1, "cut-before")]))
            assert (before.outcome, before.code) == ("not_sent", "DULY:connection_lost")
            assert server.mails == []
            while not mine.ready:
                await asyncio.sleep(0.01)
            (after,) = await within(mine.submit([outgoing(2, "cut-after")]))
            assert (after.outcome, after.code) == ("unknown", "DULY:connection_lost")
            assert len(server.mails) == 1

        with_server(test)

    def test_an_idle_connection_that_the_server_ends_is_opened_again(self):
        async def test(server, mine):
            server.cut()
            await asyncio.sleep(0.05)
            (answer,) = await mine.submit([outgoing(1)])
            assert answer.outcome == "accepted"
            assert server.connections == 2

        with_server(test)


class TestStrangeServers:
    def run(self, answers, test, **given):
        async def whole() -> None:
            async with ScriptedServer(answers) as server:
                mine = gateway(server, **given)
                await mine.open()
                async with read(mine):
                    await within(test(server, mine))

        asyncio.run(whole())

    def test_bounces_are_asked_for_where_a_server_can_give_them(self):
        async def test(server, mine):
            await mine.submit([replace(outgoing(1), message_id="a+b=c")])
            name = hashlib.sha256(b"a+b=c").hexdigest()
            assert server.commands[1:3] == [
                f"MAIL FROM:<service@lender.example> ENVID={name}@lender.example RET=HDRS",
                "RCPT TO:<accepted1@borrower.example> NOTIFY=FAILURE,DELAY",
            ]

        self.run({}, test)

    @pytest.mark.parametrize(
        ("answers", "outcome"),
        [
            ({".": b"what?\r\n"}, "unknown"),
            ({".": b"\xff\xfe\r\n"}, "unknown"),
            ({".": b""}, "unknown"),
            ({".": b"250-a\r\n250 b\r\n"}, "accepted"),
            ({"DATA": b"503 no\r\n", ".": b""}, "refused"),
            ({"RCPT": b"what?\r\n"}, "not_sent"),
            ({"MAIL": b"what?\r\n"}, "not_sent"),
        ],
    )
    def test_an_answer_that_is_none_counts_by_what_it_may_have_meant(self, answers, outcome):
        async def test(server, mine):
            (answer,) = await mine.submit([outgoing(1)])
            assert answer.outcome == outcome

        self.run(answers, test, response_seconds=0.2)


class TestSigningIn:
    def test_a_wrong_password_is_refused_and_never_shown(self):
        async def whole() -> None:
            async with MailServer(password="right") as server:
                with pytest.raises(Refused) as refused:
                    await gateway(server, user="duly", password="wr0ng").open()
                text = refused.value.diagnostics[0].render("en")
                assert "route mail is not let in" in text
                assert "535" in text
                assert "wr0ng" not in text

        asyncio.run(whole())

    def test_the_right_password_lets_in(self):
        async def test(server, mine):
            (answer,) = await mine.submit([outgoing(1)])
            assert answer.outcome == "accepted"

        with_server(test, server=MailServer(password="right"), user="duly", password="right")

    def test_nobody_at_the_port_is_refused(self):
        async def whole() -> None:
            async with MailServer() as server:
                mine = gateway(server)
            with pytest.raises(Refused, match="smtp_refused"):
                await mine.open()

        asyncio.run(whole())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate and its key for 127.0.0.1, made on the spot."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("skipped: no openssl")
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key,
         "-out", cert, "-subj", "/CN=mail.example", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


class TestEncryption:
    def server(self, certificate) -> MailServer:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        return MailServer(tls=context, require_starttls=True)

    def test_a_connection_is_encrypted_where_the_server_offers_it(self, certificate):
        async def test(server, mine):
            (answer,) = await mine.submit([outgoing(1)])
            assert answer.outcome == "accepted"

        context = ssl.create_default_context(cafile=certificate[0])
        with_server(test, server=self.server(certificate), context=context)

    def test_a_certificate_that_nobody_vouches_for_is_refused(self, certificate):
        async def whole() -> None:
            async with self.server(certificate) as server:
                with pytest.raises(Refused, match=r"(?i)certificate"):
                    await within(gateway(server).open())

        asyncio.run(whole())

    def test_a_server_without_encryption_is_refused_where_it_is_required(self):
        async def whole() -> None:
            async with MailServer() as server:
                with pytest.raises(Refused, match="STARTTLS"):
                    await within(gateway(server, tls="required").open())
                assert server.mails == []

        asyncio.run(whole())


class TestSignature:
    def key(self, certificate) -> DkimKey:
        return DkimKey(domain="lender.example", selector="s1",
                       private_key=certificate[1].read_bytes())  # fmt: skip

    def test_a_signed_mail_is_verified_with_the_published_key_and_no_other(self, certificate):
        public = subprocess.run(
            ["openssl", "pkey", "-in", certificate[1], "-pubout", "-outform", "DER"],
            check=True, capture_output=True,
        ).stdout  # fmt: skip
        import base64

        record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)

        def published(name, timeout=5):
            assert name == b"s1._domainkey.lender.example."
            return record

        async def test(server, mine):
            await mine.submit([outgoing(1)])
            mail = server.mails[0].original_content
            assert dkim.verify(mail, dnsfunc=published)
            signed = mail.split(b"\r\n\r\n")[0].lower()
            assert b"list-unsubscribe" in signed.split(b"h=")[1].split(b";")[0].replace(b" ", b"")
            changed = mail.replace(b"accepted1@", b"accepted2@")
            assert not dkim.verify(changed, dnsfunc=published)

        head = replace(HEAD, unsubscribe_url="https://lender.example/stop")
        with_server(test, dkim=self.key(certificate), letterhead=head)

    def test_a_key_that_is_none_is_refused_before_anything_is_sent(self):
        async def whole() -> None:
            async with MailServer() as server:
                key = DkimKey(domain="lender.example", selector="s1", private_key=b"none")
                with pytest.raises(Refused) as refused:
                    await gateway(server, dkim=key).open()
                assert refused.value.diagnostics[0].code == "dkim_bad_key"
                assert server.connections == 0

        asyncio.run(whole())
