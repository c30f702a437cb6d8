"""Files of packages from npm that the tests need beside Dojo: pinned, checked by their hash, and kept."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import pytest

CACHE = Path(__file__).parent.parent.parent / ".cache" / "npm"


def text(package: str, integrity: str, file: str) -> str:
    """A file of `name@version`. Skips the test where npm cannot get it, and fails it in CI."""
    archive = CACHE / f"{package.replace('@', '-')}.tgz"
    if not archive.is_file():
        _fetch(package, archive)
    digest = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    assert digest == integrity, f"{archive} is not {package}"
    with tarfile.open(archive) as tar:
        member = tar.extractfile(f"package/{file}")
        assert member is not None
        return member.read().decode()


def _fetch(package: str, archive: Path) -> None:
    npm = shutil.which("npm")
    said = "there is no npm in PATH"
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        if npm:
            done = subprocess.run([npm, "pack", "--silent", package], cwd=folder, capture_output=True, text=True)
            said = done.stderr
        for made in Path(folder).glob("*.tgz"):
            made.replace(archive)
            return
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(f"npm has no {package}: {said}")
    pytest.skip(f"npm has no {package}: {said}")
