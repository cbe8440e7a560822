"""What the tests of risk share: a book of random lives and a model that learnt from it."""

from __future__ import annotations

from pathlib import Path

import pytest
import risk_books

from duly.cli.main import run


@pytest.fixture(scope="session")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return risk_books.write(risk_books.lives(3, 160), tmp_path_factory.mktemp("lives") / "book")


@pytest.fixture(scope="session")
def trained(book: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trained") / "model"
    until = risk_books.UNTIL.isoformat()
    assert run(["risk", "train", str(book), "--until", until, "--out", str(out)]) == 0
    return out
