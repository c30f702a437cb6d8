"""Puts Dojo into a folder by npm, whole or not at all: the versions and hashes are those of the lock file beside this.

Knows nothing of Django, nor of networks: proxies, mirrors and downloads that are kept are npm's own business.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

from . import workshop

LOCKED = Path(__file__).parent / "npm"
"""The folder with package.json and package-lock.json."""
FOLDERS = {
    "dojo": "dojo", "dijit": "dijit", "dojox": "dojox", "dojo-util": "util", "dgrid": "dgrid", "dojo-dstore": "dstore"
}  # fmt: skip
"""Where Dojo expects its packages, by npm's names. Which of npm's two dstores it is, the name does not tell."""
MARK = "djintegrate.json"
"""The file that tells an installation of ours from other folders; it names the lock file."""
SECONDS = 900


class InstallError(Exception):
    """Nothing was installed, and what was there before is untouched."""


def installed(root: Path) -> bool:
    """Whether this folder has what the lock file says."""
    try:
        return bool(json.loads((root / MARK).read_text()) == _mark())
    except (OSError, ValueError):
        return False


def versions() -> dict[str, str]:
    """The versions of the folders."""
    wanted = json.loads((LOCKED / "package.json").read_text())["dependencies"]
    return {folder: wanted[name] for name, folder in FOLDERS.items() if name in wanted}


def install(root: Path, say: Callable[[str], None]) -> None:
    """Dojo under `root`. Raises InstallError, and then `root` is as it was."""
    if root.exists() and not (root / MARK).exists() and any(root.iterdir()):
        raise InstallError(
            f"{root} has something in it that dojo_install did not put there, and would replace. Move it away, or name "
            "another folder in DOJO_ROOT."
        )
    npm = shutil.which("npm")
    if not npm:
        raise InstallError(
            "dojo_install runs npm, and there is no `npm` in PATH. Install it (`apt-get install npm`), "
            "or install on another machine, and copy the folder."
        )
    try:
        with workshop.workshop(root, "install") as folder:
            _fetch(npm, folder, say)
            new = folder / "new"
            _arrange(folder / "node_modules", new)
            (new / MARK).write_text(json.dumps(_mark(), indent=1))
            workshop.replace(root, new, folder / "old")
    except OSError as error:
        raise InstallError(f"Dojo could not be installed in {root}: {error}. Nothing was changed.") from error


def _mark() -> dict[str, str]:
    return {"lock": hashlib.sha256((LOCKED / "package-lock.json").read_bytes()).hexdigest(), **versions()}


def _fetch(npm: str, folder: Path, say: Callable[[str], None]) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(LOCKED / name, folder / name)
    say("npm ci")
    done = workshop.run(
        [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"],
        folder, SECONDS, say,
    )  # fmt: skip
    if done.code:
        told = "\n".join(done.lines[-15:])
        raise InstallError(
            f"npm could not install Dojo:\n{told}\nNothing was changed. Behind a proxy or a mirror, configure npm "
            "itself, for instance by npm_config_registry or a file .npmrc. Without a network, npm takes what its cache "
            "has: copy that of another machine, and name it in npm_config_cache."
        )


def _arrange(fetched: Path, new: Path) -> None:
    """Dojo's packages where Dojo expects them, and what they need where Node's own rules find it."""
    new.mkdir()
    for name, folder in FOLDERS.items():
        if (fetched / name).is_dir():
            (fetched / name).rename(new / folder)
    # Declarations for TypeScript, which are twice as large as Dojo.
    shutil.rmtree(fetched / "@types", ignore_errors=True)
    fetched.rename(new / "node_modules")
