"""Two commands that start at once on a new machine hold the same keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from duly.cli import settings
from duly.cli.audit import signing_key


@pytest.fixture
def looked_too_early(tmp_path, monkeypatch):
    """Give a home whose files another process writes after we looked for them."""
    monkeypatch.setenv("DULY_HOME", str(tmp_path))
    monkeypatch.delenv("DULY_SECRET_KEYS", raising=False)
    monkeypatch.setattr(Path, "exists", lambda _: False)
    return tmp_path


def test_the_signing_key_of_whoever_was_quicker_is_ours(looked_too_early):
    (looked_too_early / "signing_key").write_text("5a" * 32 + "\n", encoding="utf-8")
    made = signing_key(make=True)
    assert made is not None
    assert made.seed == b"\x5a" * 32


def test_so_is_the_key_of_the_codes_and_it_is_not_said_to_be_made(looked_too_early, capsys):
    (looked_too_early / "secret_keys").write_text("k1:" + "5a" * 32 + "\n", encoding="utf-8")
    assert settings.keys(make=True).first.secret == b"5a" * 32
    assert capsys.readouterr().err == ""
