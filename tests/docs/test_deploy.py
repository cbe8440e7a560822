"""Goal: the shipped units and the compose file run commands that exist. Method: read them, ask."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from duly.cli.main import build

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = sorted(DEPLOY.glob("systemd/*.service"))


def understood(command: list[str]) -> None:
    """Let the command line be parsed, not run: a mistake in it raises."""
    build().parse_args(command, exit_on_error=False, print_error=False)


def unit(path: Path) -> configparser.ConfigParser:
    found = configparser.ConfigParser(strict=False, interpolation=None)
    found.optionxform = str
    found.read_string(path.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("path", UNITS, ids=lambda one: one.name)
def test_a_unit_runs_a_command_of_ours_with_little_power(path):
    found = unit(path)
    program, *command = shlex.split(found["Service"]["ExecStart"])
    assert program == "/opt/duly/.venv/bin/duly"
    understood(command)
    assert found["Service"]["NoNewPrivileges"] == "yes"
    assert found["Service"]["ProtectSystem"] == "strict"
    assert found["Service"]["User"] == "duly"


def test_systemd_itself_takes_the_units(tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("skipped: no systemd-analyze")
    copied = []
    for path in (*UNITS, *DEPLOY.glob("systemd/*.timer")):
        text = path.read_text(encoding="utf-8").replace("/opt/duly/.venv/bin/duly", "/bin/true")
        copied.append(tmp_path / path.name.replace("@", "@1"))
        copied[-1].write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, copied)], capture_output=True, text=True
    )
    ours = [one for one in done.stderr.splitlines() if "duly" in one and "/bin/true" not in one]
    assert ours == []


def test_the_compose_file_runs_commands_of_ours():
    found = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    for name in ("api", "daily", "worker"):
        service = found["services"][name]
        understood([str(one) for one in service["command"]])
        assert service["cap_drop"] == ["ALL"]
        assert service["read_only"] is True
        assert service["depends_on"]["database"] == {"condition": "service_healthy"}
    assert set(found["volumes"]) == {"database", "home"}
    assert found["services"]["api"]["ports"] == ["127.0.0.1:8000:8000"]


def test_settings_of_the_example_are_told_in_the_docs():
    told = (DEPLOY.parent / "docs" / "operations.md").read_text(encoding="utf-8")
    text = (DEPLOY / "duly.env.example").read_text(encoding="utf-8")
    names = re.findall(r"^([A-Z_]+)=", text, flags=re.MULTILINE)
    assert len(names) >= 6
    assert [name for name in names if f"`{name}`" not in told] == []
