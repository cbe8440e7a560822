"""Goal: nobody is written to whose certificate has run out, though its signer is trusted.

Method: one server that says what came to it, under a certificate of ours made for the day.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from conformance import within
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from duly.core.errors import Refused
from duly.delivery import Outgoing
from duly.delivery.http import HttpGateway, HttpSettings
from duly.delivery.smpp import SmppGateway, SmppSettings
from duly.delivery.smtp import Letterhead, SmtpGateway, SmtpSettings

AT = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
ONE = Outgoing(
    message_id="m1", channel="sms", address="+8613800000001", text="您好", message_class="receipt",
    template="receipt", locale="zh-CN",
)  # fmt: skip


def certificate(folder, *, ended: bool):
    """Return a certificate of 127.0.0.1 and its key, one file: its own signer, in force or over."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gateway.example")])
    now = datetime.now(UTC)
    since, until = (now - timedelta(days=9), now - timedelta(days=1)) if ended else (
        now - timedelta(days=1), now + timedelta(days=9))  # fmt: skip
    place = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(7).not_valid_before(since).not_valid_after(until)
        .add_extension(place, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path = folder / "certificate.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


def smpp(port, trust):
    settings = SmppSettings(host="127.0.0.1", port=port, system_id="duly", password="s3cr3t",
                            source="1069", connect_seconds=0.5, tls=trust)  # fmt: skip
    return SmppGateway("carrier-a", settings, label="w1")


def http(port, _trust):
    settings = HttpSettings(url=f"https://127.0.0.1:{port}/send", secret=b"a secret of ours",
                            connect_seconds=0.5, response_seconds=0.5)  # fmt: skip
    return HttpGateway("gateway-b", settings, clock=lambda: AT)


def smtp(port, trust):
    letterhead = Letterhead(sender="service@lender.example", sender_name="示例消金")
    settings = SmtpSettings(host="127.0.0.1", port=port, letterhead=letterhead, tls="implicit",
                            context=trust, connect_seconds=0.5, response_seconds=0.5)  # fmt: skip
    return SmtpGateway("mail", settings, clock=lambda: AT)


async def written_to(made, path, trust) -> tuple[bytes, str]:
    """Open a route and send one message; return what the server read, and what we were told."""
    heard = bytearray()

    async def serve(reader, writer):
        writer.write(b"220 ready\r\n")
        try:
            while octets := await reader.read(4096):
                heard.extend(octets)
        finally:
            writer.close()

    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(path)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=own)
    gateway = made(server.sockets[0].getsockname()[1], trust)
    try:
        async with asyncio.timeout(2):
            await gateway.open()
            (answer,) = await gateway.submit([ONE])
            told = f"{answer.outcome} {answer.code}"
    except (Refused, TimeoutError) as refused:
        told = str(refused)
    finally:
        await within(gateway.close())
        server.close()
        await within(server.wait_closed())
        await asyncio.sleep(0.05)  # A handshake that failed ends by itself.
    return bytes(heard), told


@pytest.mark.parametrize("made", [smpp, http, smtp])
@pytest.mark.parametrize("ended", [False, True], ids=["in force", "over"])
def test_nothing_is_said_under_a_certificate_that_is_over(tmp_path, monkeypatch, made, ended):
    path = certificate(tmp_path, ended=ended)
    trust = ssl.create_default_context(cafile=path)
    monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", trust)
    heard, told = asyncio.run(written_to(made, path, trust))
    if not ended:
        assert heard, "the same certificate in force lets in: it is the date that does not"
    else:
        assert heard == b""
        assert "ertificate" in told
        assert made is not http or told.startswith("not_sent")
