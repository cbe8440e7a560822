"""The wheel, installed alone into an empty environment, does the main job outside the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: What a wheel must carry beside the code; licences of others go with their files.
DATA = ("yaml", "toml", "sql", "txt", "css", "html", "js", "typed")
_LONGEST = 600  #: seconds

pytestmark = pytest.mark.slow


def _run(*command: object, cwd: Path, **extra: str) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    plain.pop("VIRTUAL_ENV", None)
    return subprocess.run(
        [str(part) for part in command], cwd=cwd, env={**plain, **extra}, capture_output=True,
        stdin=subprocess.DEVNULL, text=True, encoding="utf-8", timeout=_LONGEST, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the wheel of this checkout."""
    out = tmp_path_factory.mktemp("dist")
    built = _run(
        sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT, cwd=out
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return next(out.glob("*.whl"))


def _install(folder: Path, wheel: Path) -> None:
    """Install the wheel with what it asks for, from the package index of this machine.

    Without an index its dependencies are those of this environment; `duly` is the wheel's alone.
    """
    pip = (folder / "venv" / "bin" / "python", "-m", "pip", "install", "--quiet", "--retries", "1")
    if _run(*pip, wheel, cwd=folder).returncode == 0:
        return
    installed = _run(*pip, "--no-deps", "--no-index", wheel, cwd=folder)
    assert installed.returncode == 0, installed.stderr
    here, there = (
        Path(sysconfig.get_path("purelib", vars={"base": str(base), "platbase": str(base)}))
        for base in (sys.prefix, folder / "venv")
    )
    (there / "dependencies.pth").write_text(f"{here}\n", encoding="utf-8")


def test_it_carries_every_file_of_the_package(wheel):
    source = ROOT / "src"
    wanted = {
        path.relative_to(source).as_posix()
        for path in (source / "duly").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    assert wanted - held == set()
    for suffix in DATA:
        assert any(name.endswith(f".{suffix}") for name in held), suffix
    assert {name.rpartition("/")[2] for name in held if "LICENSE" in name} >= {
        "LICENSE", "LICENSE.echarts", "LICENSE.d3",
    }  # fmt: skip


def test_installed_alone_it_runs_the_demo_anywhere(wheel, tmp_path):
    venv.create(tmp_path / "venv", with_pip=True)
    _install(tmp_path, wheel)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    ran = _run(tmp_path / "venv" / "bin" / "duly", "demo", cwd=elsewhere, LC_ALL="C")
    assert ran.returncode == 0, ran.stderr
    assert "Three of the " in ran.stdout
    assert (elsewhere / ".duly" / "demo" / "report.html").stat().st_size > 100_000
