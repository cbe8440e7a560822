"""The editable install of `make setup` starts in any locale, wherever the checkout lies."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import editables
import pytest

ROOT = Path(__file__).parents[2]
_BUILD = "import sys; from hatchling.build import build_editable; build_editable(sys.argv[1])"
_START = """
import site, sys
site.addsitedir(sys.argv[1])
import duly
print(ascii(duly.__file__))
"""


@pytest.mark.parametrize("locale", ["C", "POSIX", "C.UTF-8"])
def test_a_checkout_whose_path_is_not_ascii_starts_in_any_locale(tmp_path, locale):
    checkout = tmp_path / "催收 répo"
    (checkout / "src" / "duly").mkdir(parents=True)
    for name in ("pyproject.toml", "README.md", "LICENSE", "src/duly/__init__.py"):
        shutil.copy(ROOT / name, checkout / name)
    site = tmp_path / "site"
    run = {"capture_output": True, "text": True, "encoding": "utf-8", "check": False}
    built = subprocess.run([sys.executable, "-c", _BUILD, str(tmp_path)], cwd=checkout, **run)
    assert built.returncode == 0, built.stderr
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        wheel.extractall(site)
    # The hook's package alone: beside it stands the hook of this environment's own install.
    shutil.copytree(Path(editables.__file__).parent, site / "editables")
    command = [sys.executable, "-I", "-S", "-c", _START, str(site)]
    started = subprocess.run(command, cwd=tmp_path, env={"LC_ALL": locale}, **run)
    assert started.returncode == 0, started.stderr
    assert started.stdout.strip() == ascii(str(checkout / "src" / "duly" / "__init__.py"))
