"""Files that are there whole or not at all, whoever else writes them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from subprocess import run
from sys import executable

import pytest

from duly.core import files

_MAKES = """
import sys
from pathlib import Path
from duly.core import files
sys.stdin.read()
print(files.put_first(Path(sys.argv[1]), sys.argv[2]), end="")
"""


def test_a_file_is_put_whole_and_what_was_there_stays_where_it_cannot(tmp_path):
    path = tmp_path / "file"
    files.put(path, b"one")
    with pytest.raises(TypeError):
        files.put(path, None)
    assert path.read_bytes() == b"one"
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_the_first_is_kept_and_its_owner_alone_reads_it(tmp_path):
    path = tmp_path / "new" / "key"
    assert files.put_first(path, "mine\n") == "mine\n"
    assert files.put_first(path, "theirs\n") == "mine\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["key"]


def test_processes_that_make_one_at_once_all_hold_the_same(tmp_path):
    path = tmp_path / "key"

    def make(name: str) -> str:
        command = [executable, "-c", _MAKES, str(path), name]
        return run(command, input="", capture_output=True, text=True, check=True).stdout

    with ThreadPoolExecutor(4) as pool:
        held = set(pool.map(make, ("a", "b", "c", "d")))
    assert held == {path.read_text()}
