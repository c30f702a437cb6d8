"""dojo_build and dojo_install that end before they are done: what was there before is there still, and nothing else."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from djintegrate.dojo.build import build, install, served, workshop
from tests.dojo.test_build_command import site_settings, tree  # noqa: F401
from tests.dojo.test_install import FILES, Registry, registry, run  # noqa: F401
from tests.dojo.test_install import tree as texts
from tests.support.processes import heed_interrupts


def failing(error: BaseException) -> Callable[..., Any]:
    def fail(*args: Any, **options: Any) -> Any:
        raise error

    return fail


def rename_of(name: str, error: BaseException) -> Callable[..., Any]:
    rename = Path.rename

    def fail(self: Path, target: Path) -> Path:
        if self.name == name:
            raise error
        return rename(self, target)

    return fail


FULL = OSError(errno.ENOSPC, "No space left on device")
ERRORS = pytest.mark.parametrize(
    ("error", "said"), [(FULL, "No space left on device"), (KeyboardInterrupt(), "Interrupted")], ids=["full", "Ctrl-C"]
)


class TestBuild:
    """Node's part, which tests/dojo/test_build_command.py ends in many ways, is done: what it made is there."""

    @pytest.fixture
    def release(self, site_settings: Any, release: Path, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: F811
        def done(node: str, order: Any, made: Path, folder: Path, say: Any) -> None:
            shutil.copytree(release, made)

        monkeypatch.setattr(build, "_run", done)
        monkeypatch.setattr(build, "_minify", lambda *arguments: None)
        return Path(site_settings.DOJO_BUILD_ROOT)

    def test_without_a_fault_it_is_replaced(self, release: Path) -> None:
        (release / "old").touch()
        call_command("dojo_build")
        assert not (release / "old").exists()
        assert [path.name for path in release.parent.iterdir()] == [release.name]

    @ERRORS
    @pytest.mark.parametrize("step", ["copy", "_gzip", "_brotli"])
    def test_at_each_step_the_old_build_stays(
        self, release: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException, said: str
    ) -> None:
        before = tree(release)
        monkeypatch.setattr(served, step, failing(error))
        with pytest.raises(CommandError, match=rf"(?s){said}.* was changed"):
            call_command("dojo_build")
        assert tree(release) == before
        assert [path.name for path in release.parent.iterdir()] == [release.name]

    @ERRORS
    def test_when_the_new_one_cannot_take_its_place_the_old_one_comes_back(
        self, release: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, said: str
    ) -> None:
        before = tree(release)
        monkeypatch.setattr(Path, "rename", rename_of("new", error))
        with pytest.raises(CommandError, match=rf"(?s){said}.* was changed"):
            call_command("dojo_build")
        assert tree(release) == before
        assert [path.name for path in release.parent.iterdir()] == [release.name]

    def test_while_another_one_is_running_it_is_refused(self, release: Path) -> None:
        before = tree(release)
        with (
            workshop.workshop(release, "build"),
            pytest.raises(CommandError, match=r"another build into .* is running.* was changed"),
        ):
            call_command("dojo_build")
        assert tree(release) == before

    def test_with_a_node_that_is_too_old_it_is_refused(
        self, release: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        before = tree(release)
        node = tmp_path / "bin" / "node"
        node.parent.mkdir()
        node.write_text("#!/bin/sh\necho v6.17.1\n")
        node.chmod(0o755)
        monkeypatch.setenv("PATH", f"{node.parent}:{os.environ['PATH']}")
        with pytest.raises(CommandError, match=r"node is version v6\.17\.1\. dojo_build needs Node 16 or later"):
            call_command("dojo_build")
        assert tree(release) == before


class TestInstall:
    @pytest.fixture(scope="class")
    def installed(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """Where the first of these tests leaves what it has installed, for the others to copy."""
        return tmp_path_factory.mktemp("installed") / "dojo"

    @pytest.fixture
    def root(self, registry: Registry, run: Any, tmp_path: Path, installed: Path) -> Path:  # noqa: F811
        root = tmp_path / "site" / "dojo"
        if installed.exists():
            shutil.copytree(installed, root, symlinks=True)
        else:
            run()
            shutil.copytree(root, installed, symlinks=True)
        return root

    @ERRORS
    @pytest.mark.parametrize("step", ["_arrange", "rename"])
    def test_at_each_step_the_old_installation_stays(
        self,
        root: Path,
        run: Any,  # noqa: F811
        monkeypatch: pytest.MonkeyPatch,
        step: str,
        error: BaseException,
        said: str,
    ) -> None:
        if step == "rename":
            monkeypatch.setattr(Path, "rename", rename_of("new", error))
        else:
            monkeypatch.setattr(install, step, failing(error))
        with pytest.raises(CommandError, match=rf"{said}.*(?:Nothing was changed|is as it was)"):
            run(force=True)
        assert texts(root) == FILES
        assert [path.name for path in root.parent.iterdir()] == [root.name]

    def test_while_another_one_is_running_it_is_refused(self, root: Path, run: Any) -> None:  # noqa: F811
        with (
            workshop.workshop(root, "install"),
            pytest.raises(CommandError, match=r"another install into .* is running.* Nothing was changed"),
        ):
            run(force=True)
        assert texts(root) == FILES

    def test_what_a_killed_one_left_is_tidied_up(self, root: Path, run: Any) -> None:  # noqa: F811
        (root.parent / ".dojo-install-x" / "new").mkdir(parents=True)
        (root.parent / ".dojo-release-build-x").mkdir()
        run(force=True)
        assert {path.name for path in root.parent.iterdir()} == {"dojo", ".dojo-release-build-x"}

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_a_signal_amid_a_download_leaves_the_old_installation(
        self, root: Path, stalling: Stalling, tmp_path: Path, number: int
    ) -> None:
        command = [sys.executable, "-m", "django", "dojo_install", f"--root={root}", "--force",
                   "--settings=tests.dojo.build_settings"]  # fmt: skip
        environment = {**os.environ, "BUILD_ROOT": str(tmp_path / "none"), "npm_config_registry": stalling.url,
                       "npm_config_cache": str(tmp_path / "another-cache")}  # fmt: skip
        process = subprocess.Popen(
            command, env=environment, stderr=subprocess.PIPE, text=True, preexec_fn=heed_interrupts
        )
        assert stalling.was_asked.wait(60)
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
        assert process.returncode != 0
        assert texts(root) == FILES
        assert [path.name for path in root.parent.iterdir()] == [root.name]
        if number == signal.SIGINT:
            assert "Interrupted." in said and "Traceback" not in said


class Stalling:
    """A registry that begins each answer, and never ends it."""

    def __init__(self) -> None:
        self.was_asked, self.is_over = threading.Event(), threading.Event()
        stalling = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", "10000000")
                self.end_headers()
                self.wfile.write(b"x" * 1_000_000)
                stalling.was_asked.set()
                stalling.is_over.wait(60)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


@pytest.fixture
def stalling() -> Iterator[Stalling]:
    stalling = Stalling()
    yield stalling
    stalling.is_over.set()
    stalling.server.shutdown()
    stalling.server.server_close()
