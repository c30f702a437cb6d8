"""dojo_install runs npm, against a registry of the tests' own: what the lock file says, or nothing."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import shutil
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from djintegrate.dojo.build import install

pytestmark = pytest.mark.skipif(not shutil.which("npm"), reason="There is no npm in PATH.")


class Registry:
    """Serves what `answers` says for a path, and notes what it was asked for."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {}
        self.asked: list[str] = []
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                registry.asked.append(self.path)
                body = registry.answers.get(self.path)
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/npm"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def offer(self, name: str, archive: bytes) -> str:
        """A package of version 1.0.0; returns what npm calls its integrity."""
        integrity = "sha512-" + base64.b64encode(hashlib.sha512(archive).digest()).decode()
        dist = {"tarball": f"{self.url}/{name}/-/{name}-1.0.0.tgz", "integrity": integrity}
        about = {"name": name, "dist-tags": {"latest": "1.0.0"},
                 "versions": {"1.0.0": {"name": name, "version": "1.0.0", "dist": dist}}}  # fmt: skip
        self.answers[f"/npm/{name}"] = json.dumps(about).encode()
        self.answers[f"/npm/{name}/-/{name}-1.0.0.tgz"] = archive
        return integrity


NAMES = ("dojo", "dojo-util", "terser")


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Registry]:
    """Three small packages take the place of Dojo's, in a lock file beside them."""
    registry = Registry()
    locked: dict[str, Any] = {"": {"name": "test", "dependencies": dict.fromkeys(NAMES, "1.0.0")}}
    for name in NAMES:
        integrity = registry.offer(name, packed(name, {"main.js": name, "deep/er.js": "x"}))
        locked[f"node_modules/{name}"] = {"version": "1.0.0", "integrity": integrity}
    folder = tmp_path / "locked"
    folder.mkdir()
    (folder / "package.json").write_text(json.dumps(locked[""]))
    lock = {"name": "test", "lockfileVersion": 3, "requires": True, "packages": locked}
    (folder / "package-lock.json").write_text(json.dumps(lock))
    monkeypatch.setattr(install, "LOCKED", folder)
    monkeypatch.setenv("npm_config_registry", registry.url + "/")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    yield registry
    registry.server.shutdown()
    registry.server.server_close()


def packed(name: str, files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    about = json.dumps({"name": name, "version": "1.0.0", "scripts": {"postinstall": "touch ../../../ran"}})
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for path, text in {"package.json": about, **files}.items():
            member = tarfile.TarInfo(f"package/{path}")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


@pytest.fixture
def run(tmp_path: Path, settings: Any) -> Any:
    settings.DOJO_ROOT = tmp_path / "site" / "dojo"

    def run(**options: Any) -> str:
        out = io.StringIO()
        call_command("dojo_install", stdout=out, **options)
        return out.getvalue()

    return run


def tree(folder: Path) -> dict[str, str]:
    """The texts of all files, but for what npm writes for itself."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in (install.MARK, "package.json")]
    return {str(path.relative_to(folder)): path.read_text() for path in files if not path.name.startswith(".")}


FILES = {"dojo/main.js": "dojo", "dojo/deep/er.js": "x", "util/main.js": "dojo-util", "util/deep/er.js": "x",
         "node_modules/terser/main.js": "terser", "node_modules/terser/deep/er.js": "x"}  # fmt: skip


def test_packages_go_into_their_folders_and_no_script_of_theirs_is_run(
    registry: Registry, run: Any, tmp_path: Path
) -> None:
    out = run()
    assert tree(tmp_path / "site" / "dojo") == FILES
    assert "npm ci" in out and out.endswith("has dojo 1.0.0, util 1.0.0.\n")
    assert [path.name for path in (tmp_path / "site").iterdir()] == ["dojo"]
    assert not list(tmp_path.rglob("ran"))


def test_what_is_installed_is_left_alone_until_the_lock_file_changes(registry: Registry, run: Any) -> None:
    run()
    registry.asked.clear()
    assert "already" in run()
    assert registry.asked == []
    with open(install.LOCKED / "package-lock.json", "a") as file:
        file.write("\n")
    assert "already" not in run()


def test_once_downloaded_no_network_is_needed(
    registry: Registry, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    registry.answers.clear()
    (tmp_path / "site" / "dojo" / "dojo" / "main.js").write_text("changed")
    monkeypatch.setenv("npm_config_prefer_offline", "true")
    run(force=True)
    assert tree(tmp_path / "site" / "dojo") == FILES


def test_an_archive_of_another_hash_installs_nothing(registry: Registry, run: Any, tmp_path: Path) -> None:
    registry.offer("dojo-util", packed("dojo-util", {"evil.js": "evil"}))
    with pytest.raises(CommandError, match=r"(?s)EINTEGRITY.*Nothing was changed"):
        run()
    assert list((tmp_path / "site").iterdir()) == []


@pytest.mark.parametrize("how", ["offline", "missing"])
def test_without_the_registry_the_old_installation_stays(
    registry: Registry, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    run()
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "another-cache"))
    if how == "offline":
        registry.server.shutdown()
        registry.server.server_close()
    else:
        registry.answers.clear()
    with pytest.raises(CommandError, match=r"(?s)npm could not install Dojo:.*Nothing was changed.* npm_config_cache"):
        run(force=True)
    assert tree(tmp_path / "site" / "dojo") == FILES
    assert [path.name for path in (tmp_path / "site").iterdir()] == ["dojo"]


def test_without_npm_the_remedy_is_said(registry: Registry, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CommandError, match=r"there is no `npm` in PATH. Install it"):
        run()


def test_a_folder_of_somebody_elses_is_not_replaced(registry: Registry, run: Any, tmp_path: Path) -> None:
    (tmp_path / "site" / "dojo").mkdir(parents=True)
    (tmp_path / "site" / "dojo" / "thesis.txt").write_text("all of it")
    with pytest.raises(CommandError, match="has something in it that dojo_install did not put there"):
        run()
    assert tree(tmp_path / "site" / "dojo") == {"thesis.txt": "all of it"}


def test_a_folder_that_cannot_be_written_is_said(registry: Registry, run: Any, tmp_path: Path) -> None:
    (tmp_path / "site").write_text("a file, where a folder should be")
    with pytest.raises(CommandError, match=r"Dojo could not be installed in .* Nothing was changed"):
        run()


def test_no_root_is_said(registry: Registry, run: Any, settings: Any) -> None:
    settings.DOJO_ROOT = None
    with pytest.raises(CommandError, match="DOJO_ROOT is None"):
        run()


def test_every_package_of_the_lock_file_has_a_version_and_a_hash() -> None:
    packages = json.loads((install.LOCKED / "package-lock.json").read_text())["packages"]
    wanted = packages.pop("")["dependencies"]
    assert all(one["version"] and one["integrity"].startswith("sha512-") for one in packages.values())
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    assert json.loads((install.LOCKED / "package.json").read_text())["dependencies"] == wanted
    assert set(install.FOLDERS) <= set(wanted)


def test_the_real_thing_is_in_place(dojo_root: Path) -> None:
    for name in ("dojo/dojo.js", "dijit/themes/claro/claro.css", "dojox/main.js", "util/build/main.js"):
        assert (dojo_root / name).is_file(), name
    assert install.installed(dojo_root)


def test_with_verbosity_0_nothing_is_said(dojo_root: Path) -> None:
    said = io.StringIO()
    call_command("dojo_install", root=dojo_root, verbosity=0, stdout=said)
    assert said.getvalue() == ""
