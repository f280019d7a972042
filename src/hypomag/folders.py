"""Folders that are made whole beside what they replace, then put in its place."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path


def beside(out: Path) -> Path:
    """Make an empty folder beside `out`, on the same disk, whose name tells whose it is.

    Raises:
        OSError: there is no room or no permission.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=_prefix(out) + f"{os.getpid()}-", dir=out.parent))
    made.chmod(0o755)
    return made


def swap(aside: Path, out: Path) -> None:
    """Put `aside` where `out` is; in one step where the system can exchange two folders."""
    if not out.exists():
        aside.rename(out)
        return
    try:
        import ctypes

        exchange = 2  # RENAME_EXCHANGE of renameat2(2)
        here = -100  # AT_FDCWD of openat(2)
        if ctypes.CDLL(None, use_errno=True).renameat2(here, os.fsencode(aside), here, os.fsencode(out), exchange) == 0:
            return
    except (AttributeError, OSError):
        pass
    earlier = out.with_name(f".{out.name}.old")
    shutil.rmtree(earlier, ignore_errors=True)
    out.rename(earlier)
    aside.rename(out)
    shutil.rmtree(earlier, ignore_errors=True)


def recover(out: Path) -> None:
    """Undo what a killed run left: bring back an earlier folder, drop half-written ones."""
    earlier = out.with_name(f".{out.name}.old")
    if earlier.is_dir() and not out.exists():
        earlier.rename(out)
    if not out.parent.is_dir():
        return
    for left in out.parent.glob(_prefix(out) + "*"):
        pid = left.name.removeprefix(_prefix(out)).split("-")[0]
        if pid.isdigit() and not _alive(int(pid)):
            shutil.rmtree(left, ignore_errors=True)


def _prefix(out: Path) -> str:
    return f".{out.name}.new-"


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
