"""Puts Dojo from the npm registry into a folder, whole or not at all: pinned versions, each checked by its hash.

Knows nothing of Django. What was downloaded once is kept, and then no network is needed.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import http.client
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

REGISTRY = "https://registry.npmjs.org/"
MARK = "djintegrate.json"
"""The file that tells an installation of ours from other folders; it lists the versions."""
SECONDS = 60

Progress = Callable[[str], None]


class InstallError(Exception):
    """Nothing was installed, and what was there before is there still."""


@dataclass(frozen=True)
class Package:
    """`integrity` is what the registry says for the version, in npm's own notation."""

    name: str
    version: str
    integrity: str
    folder: str

    @property
    def path(self) -> str:
        return f"{self.name}/-/{self.name}-{self.version}.tgz"

    @property
    def file(self) -> str:
        return f"{self.name}-{self.version}.tgz"


PACKAGES = (
    Package(
        "dojo",
        "1.17.3",
        "sha512-iWDx1oSfCEDnIrs8cMW7Zh9Fbjgxu8iRagFz+Qi2eya3MXIAxFXKhv2A7dpi+bfpMpFozLwcsLV8URLw6BsHsA==",
        "dojo",
    ),
    Package(
        "dijit",
        "1.17.3",
        "sha512-QS+1bNhPT+BF9E+iomQSi5qI+o3oUNSx1r5TF8WlGH4LybGZP+IIGJBOO5/41YduBPljVXhY7vaPsgrycxC6UQ==",
        "dijit",
    ),
    Package(
        "dojox",
        "1.17.3",
        "sha512-n2SvGoVTZlOQUQmoqEfW6oGAfmyBtjl4DzWkxoojdTxBq8O0r7pDKBrW3nRrpQW9uZFHfB1XIA3BXS0cnrue/Q==",
        "dojox",
    ),
    Package(
        "dojo-util",
        "1.17.3",
        "sha512-3hZMwVh9XmofCJh3v3epTlODTnk3FJoGHZiZKVlbhvYLtRC8pkLg6zitOpT2Zg4Jn5URYmPrMmAdwxRHrG736A==",
        "util",
    ),
    Package(
        "dgrid",
        "1.3.3",
        "sha512-k7k8w/WTXf2I0soYX/MwcieAelxQHhxlxqfDdTcIf1+9dLm1dYUyARmJhO/eEZSI1Ee2zTZzMHADC0MghZOZfg==",
        "dgrid",
    ),
    # Which of npm's two dstores it is, the name does not tell.
    Package(
        "dojo-dstore",
        "1.2.1",
        "sha512-xOgHXNGEdRn+cNvHK6Mf9gU07YPy8MXwZ74Nd7rKVMFxu0/uZOThGljWBdU3bJvhRMzI4IPVTTAOXv/FGGKC4g==",
        "dstore",
    ),
    # Dojo's build system minifies with this one, where Node's own rules find it.
    Package(
        "uglify-js",
        "2.8.29",
        "sha512-qLq/4y2pjcU3vhlhseXGGJ7VbFO4pBANu0kwl8VCa9KEI0V8VfZIx2Fy3w01iSTA/pGwKZSmu/+I4etLNDdt5w==",
        "node_modules/uglify-js",
    ),
    Package(
        "source-map",
        "0.5.7",
        "sha512-LbrmJOMUSdEVxIKvdcJzQC+nQhe8FUZQTXQy6+I75skNgn3OoQ0DZA8YnFa7gp8tqtL3KPf1kmo0R5DoApeSGQ==",
        "node_modules/source-map",
    ),
)


def installed(root: Path) -> bool:
    """Whether this folder has these versions already."""
    try:
        return bool(json.loads((root / MARK).read_text()) == _versions())
    except (OSError, ValueError):
        return False


def install(root: Path, cache: Path, say: Progress, registry: str = "") -> None:
    """Dojo under `root`. Raises InstallError, and then `root` is as it was."""
    if root.exists() and not (root / MARK).exists() and any(root.iterdir()):
        raise InstallError(
            f"{root} has something in it that dojo_install did not put there, and would replace. Move it away, or name "
            "another folder in DOJO_ROOT."
        )
    try:
        with workshop(root, "install") as folder:
            new, old = folder / "new", folder / "old"
            for package in PACKAGES:
                _unpack(_archive(package, cache, say, registry), new / package.folder)
            (new / MARK).write_text(json.dumps(_versions(), indent=1))
            replace(root, new, old)
    except OSError as error:
        raise InstallError(f"Dojo could not be installed in {root}: {error}. Nothing was changed.") from error


@contextmanager
def workshop(target: Path, work: str) -> Iterator[Path]:
    """A folder on the target's own file system, for one such work at a time, that is gone afterwards."""
    target.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{target.name}-{work}-"
    with open(target.parent / f".{target.name}.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OSError(f"another {work} into {target} is running, which is to be waited for") from error
        # What is left of one that was killed.
        for stale in target.parent.glob(prefix + "*"):
            shutil.rmtree(stale, ignore_errors=True)
        try:
            with tempfile.TemporaryDirectory(prefix=prefix, dir=target.parent) as folder:
                yield Path(folder)
        finally:
            Path(lock.name).unlink(missing_ok=True)


def replace(target: Path, new: Path, old: Path) -> None:
    """`new` takes the place of `target`, which goes to `old`. All are on one file system."""
    if target.exists():
        target.rename(old)
    try:
        new.rename(target)
    except BaseException:
        if old.exists():
            old.rename(target)
        raise


def default_registry() -> str:
    """As npm is configured: its environment variable, else what it says itself, where it is installed."""
    for name in ("npm_config_registry", "NPM_CONFIG_REGISTRY"):
        if os.environ.get(name):
            return os.environ[name]
    if npm := shutil.which("npm"):
        done = subprocess.run([npm, "config", "get", "registry"], capture_output=True, text=True)
        if done.returncode == 0 and done.stdout.startswith("http"):
            return done.stdout.strip()
    return REGISTRY


def _versions() -> dict[str, str]:
    return {package.name: package.version for package in PACKAGES}


def _archive(package: Package, cache: Path, say: Progress, registry: str) -> Path:
    """The package's archive, checked. Only one whose hash is right is ever in the cache."""
    archive = cache / package.file
    if archive.exists():
        if _integrity(archive) == package.integrity:
            say(f"{package.name} {package.version}: from {cache}\n")
            return archive
        say(f"{package.name} {package.version}: {archive} is damaged, and is fetched anew\n")
    url = (registry or default_registry()).rstrip("/") + "/" + package.path
    cache.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{package.name}-", dir=cache)
    os.close(handle)
    partial = Path(name)
    try:
        _download(url, partial, lambda text: say(f"\r{package.name} {package.version}: {text}"))
        say("\n")
        found = _integrity(partial)
        if found != package.integrity:
            raise InstallError(
                f"What {url} gave is not {package.name} {package.version}: its hash is {found}, and should be "
                f"{package.integrity}. Nothing was installed. Is a proxy or a registry of your own in between?"
            )
        partial.replace(archive)
    finally:
        partial.unlink(missing_ok=True)
    return archive


def _download(url: str, target: Path, say: Progress) -> None:
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as response, open(target, "wb") as file:
            size = int(response.headers.get("Content-Length") or 0)
            done = 0
            while chunk := response.read(256 * 1024):
                file.write(chunk)
                done += len(chunk)
                share = f" of {size / 1e6:.1f}" if size else ""
                say(f"{done / 1e6:.1f}{share} MB")
            if done < size:
                raise http.client.IncompleteRead(b"", size - done)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise InstallError(
            f"{url} could not be fetched: {error}. Nothing was installed. Without a network, copy the cache of a "
            "machine that has one and name it with --cache; behind a mirror, export npm_config_registry."
        ) from error


def _integrity(path: Path) -> str:
    digest = hashlib.sha512()
    with open(path, "rb") as file:
        while chunk := file.read(1024 * 1024):
            digest.update(chunk)
    return "sha512-" + base64.b64encode(digest.digest()).decode()


def _unpack(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as tar:
        for member in tar:
            # npm puts everything below one folder, mostly `package`. Links and the like do not occur in these.
            parts = PurePosixPath(member.name).parts[1:]
            source = tar.extractfile(member) if member.isfile() else None
            if source is None or not parts or ".." in parts:
                continue
            target = folder.joinpath(*parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            with source, open(target, "wb") as file:
                shutil.copyfileobj(source, file)
