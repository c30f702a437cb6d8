"""dojo_install against a registry of the tests' own: whole, from the cache, or not at all."""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from djintegrate.dojo.build import install
from djintegrate.dojo.build.install import Package


class Registry:
    """Serves what `answers` says for a path, and notes what it was asked for."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {}
        self.short = False
        self.asked: list[str] = []
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                registry.asked.append(self.path)
                body = registry.answers.get(self.path)
                self.send_response(404 if body is None else 200)
                body = body or b""
                self.send_header("Content-Length", str(len(body) + 10 * registry.short))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/npm"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """Two small packages take the place of Dojo's."""
    registry = Registry()
    packages = []
    for name, folder in (("dojo", "dojo"), ("dojo-util", "util")):
        archive = packed({"package/main.js": name, "package/deep/er.js": "x"})
        integrity = "sha512-" + base64.b64encode(hashlib.sha512(archive).digest()).decode()
        packages.append(Package(name, "1.0.0", integrity, folder))
        registry.answers[f"/npm/{name}/-/{name}-1.0.0.tgz"] = archive
    monkeypatch.setattr(install, "PACKAGES", tuple(packages))
    monkeypatch.setenv("npm_config_registry", registry.url + "/")
    yield registry
    registry.server.shutdown()
    registry.server.server_close()


def packed(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


@pytest.fixture
def run(tmp_path: Path, settings: Any) -> Any:
    settings.DOJO_ROOT = tmp_path / "site" / "dojo"
    settings.DOJO_CACHE = tmp_path / "cache"

    def run(**options: Any) -> str:
        out = io.StringIO()
        call_command("dojo_install", stdout=out, **options)
        return out.getvalue()

    return run


def tree(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file() and p.name != install.MARK
    }


FILES = {"dojo/main.js": "dojo", "dojo/deep/er.js": "x", "util/main.js": "dojo-util", "util/deep/er.js": "x"}


def test_packages_go_into_their_folders(registry: Registry, run: Any, tmp_path: Path) -> None:
    out = run()
    assert tree(tmp_path / "site" / "dojo") == FILES
    assert "dojo 1.0.0: 0.0 of 0.0 MB\n" in out and out.endswith("has dojo 1.0.0, util 1.0.0.\n")
    assert [p.name for p in (tmp_path / "site").iterdir()] == ["dojo"]


def test_what_is_installed_is_left_alone(registry: Registry, run: Any) -> None:
    run()
    registry.asked.clear()
    assert "already" in run()
    assert registry.asked == []


def test_once_downloaded_no_network_is_needed(registry: Registry, run: Any, tmp_path: Path) -> None:
    run()
    registry.answers.clear()
    (tmp_path / "site" / "dojo" / "dojo" / "main.js").write_text("changed")
    assert "from " in run(force=True)
    assert tree(tmp_path / "site" / "dojo") == FILES


def test_a_damaged_download_in_the_cache_is_fetched_anew(registry: Registry, run: Any, tmp_path: Path) -> None:
    run()
    (tmp_path / "cache" / "dojo-1.0.0.tgz").write_bytes(b"half")
    assert "damaged" in run(force=True)
    assert tree(tmp_path / "site" / "dojo") == FILES


def test_a_wrong_hash_installs_nothing(registry: Registry, run: Any, tmp_path: Path) -> None:
    registry.answers["/npm/dojo-util/-/dojo-util-1.0.0.tgz"] = packed({"package/evil.js": "evil"})
    with pytest.raises(CommandError, match=r"is not dojo-util 1.0.0: its hash is sha512-.* Nothing was installed"):
        run()
    assert list((tmp_path / "site").iterdir()) == []
    assert [p.name for p in (tmp_path / "cache").iterdir()] == ["dojo-1.0.0.tgz"]


@pytest.mark.parametrize("how", ["offline", "missing", "cut off"])
def test_without_the_registry_the_old_installation_stays(
    registry: Registry, run: Any, tmp_path: Path, how: str
) -> None:
    run()
    for file in (tmp_path / "cache").iterdir():
        file.unlink()
    if how == "offline":
        registry.server.shutdown()
        registry.server.server_close()
    registry.short = how == "cut off"
    if how == "missing":
        registry.answers.clear()
    with pytest.raises(CommandError, match=r"could not be fetched: .* Nothing was installed.* --cache"):
        run(force=True)
    assert tree(tmp_path / "site" / "dojo") == FILES
    assert list((tmp_path / "cache").iterdir()) == []
    assert [p.name for p in (tmp_path / "site").iterdir()] == ["dojo"]


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


def test_an_archive_cannot_write_outside(tmp_path: Path) -> None:
    archive = tmp_path / "evil.tgz"
    archive.write_bytes(packed({"package/../../evil.js": "evil", "package/good.js": "good", "/abs/olute.js": "in"}))
    install._unpack(archive, tmp_path / "to" / "here")
    assert tree(tmp_path / "to") == {"here/good.js": "good", "here/abs/olute.js": "in"}


def test_the_real_thing_is_in_place(dojo_root: Path) -> None:
    for name in ("dojo/dojo.js", "dijit/themes/claro/claro.css", "dojox/main.js", "util/build/main.js"):
        assert (dojo_root / name).is_file(), name
    assert install.installed(dojo_root)


def test_with_verbosity_0_nothing_is_said(dojo_root: Path) -> None:
    said = io.StringIO()
    call_command("dojo_install", root=dojo_root, verbosity=0, stdout=said)
    assert said.getvalue() == ""
