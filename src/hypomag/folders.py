"""A folder written whole or not at all: beside its place first, then exchanged with what was there."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from hypomag.errors import InputError


@contextmanager
def replaced(out: Path) -> Iterator[Path]:
    """Give a new folder to write to; it takes the place of `out` when the block ends well, else nothing has changed.

    Raises:
        InputError: it cannot be written; what was there is as it was.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=_prefix(out) + f"{os.getpid()}-", dir=out.parent))
    except OSError as error:
        raise InputError(f"{out}: cannot be written: {error.strerror}", "choose another folder with -o") from None
    try:
        yield aside
        aside.chmod(0o777 & ~_mask())
        _swap(aside, out)
    except OSError as error:
        raise InputError(
            f"{out}: could not be written whole: {error.strerror}", "free some space; what was there before is as it was"
        ) from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def recover(out: Path) -> None:
    """Undo what a killed process left: bring back an earlier folder, drop half-written ones."""
    earlier = out.with_name(f".{out.name}.old")
    if earlier.is_dir() and not out.exists():
        earlier.rename(out)
    if not out.parent.is_dir():
        return
    for left in out.parent.glob(_prefix(out) + "*"):
        pid = left.name.removeprefix(_prefix(out)).split("-")[0]
        if pid.isdigit() and not running(int(pid)):
            shutil.rmtree(left, ignore_errors=True)


def write(out: Path, files: dict[str, bytes]) -> None:
    """Write a folder that holds exactly these files, scripts (`.sh`) as executable; an earlier one of the same names is replaced.

    Raises:
        InputError: there is something else in the folder, or it cannot be written.
    """
    out = out.resolve()
    recover(out)
    check(out, files)
    with replaced(out) as aside:
        for name, content in files.items():
            place = aside / name
            place.parent.mkdir(exist_ok=True)
            place.write_bytes(content)
            if name.endswith(".sh"):
                place.chmod(0o755)


def check(out: Path, names: Collection[str]) -> None:
    """Refuse a place where a folder of these files could not be written, or that holds something else.

    Raises:
        InputError: so it is.
    """
    out = out.resolve()
    if not out.name or (out.exists() and not out.is_dir()):
        raise InputError(f"{out}: is no folder that could be replaced", "name a new or empty folder with -o")
    try:
        foreign = sorted(_foreign(out, names)) if out.is_dir() else []
    except OSError as error:
        raise InputError(f"{out}: {error.strerror}", "choose another folder with -o") from None
    if foreign:
        raise InputError(f"{out}: holds something other than an earlier export: {foreign[0]}", "name a new or empty folder with -o")


def _foreign(out: Path, files: Collection[str]) -> Iterator[str]:
    ours = {parent.as_posix() for name in files for parent in (Path(name), *Path(name).parents)}
    for place in out.rglob("*"):
        name = place.relative_to(out).as_posix()
        if name not in ours or place.is_dir() is (name in files):
            yield name


def _mask() -> int:
    """What the user's umask takes away; it can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _prefix(out: Path) -> str:
    return f".{out.name}.new-"


def _swap(aside: Path, out: Path) -> None:
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


def running(pid: int) -> bool:
    """Whether a process of this machine still runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
