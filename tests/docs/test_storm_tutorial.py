"""The page "Storm in an existing Django site in ten minutes", followed to the letter: files, commands and outputs.

Its file is storm-in-ten-minutes.md.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.doc_pages import ROOT, Block, blocks

PAGE = "docs/tutorial/storm-in-ten-minutes.md"
TEXT = (ROOT / PAGE).read_text().splitlines()
DONE_ALREADY = ("sudo ", "python3 -m venv", ". .venv/", "pip install")
"""Commands that prepare the environment: that of the tests has what they bring."""
SECONDS = re.compile(r"\d+\.\d+s")


class Reader:
    """Somebody who does what the page says, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server: subprocess.Popen[bytes] | None = None
        self.log = folder / "server.log"
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("DJANGO", "PYTEST", "DB"))}
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        self.environment = {
            **kept,
            "PATH": path,
            "PYTHONPATH": str(ROOT),
            "no_proxy": "127.0.0.1",
            "CURL_HOME": str(folder),
        }
        (folder / ".curlrc").write_text("silent\n")  # no progress meter among the output

    def read(self, block: Block) -> None:
        if block.language == "console":
            for command in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
                self.type(*command.split("\n", 1))
        elif block.language == "python":
            self.write(block)
        else:
            assert block.text.strip() in self.log.read_text()

    def type(self, command: str, output: str) -> None:
        if command.startswith(DONE_ALREADY):
            assert not output
            return
        if command.startswith("cd "):
            self.folder = self.folder / command[3:]
            return
        if command.endswith("runserver"):
            self.serve()
            return
        if "manage.py test" in command:
            self.stop()  # as the page said before
        done = subprocess.run(
            command.replace(":8000/", f":{self.port}/"),
            shell=True, cwd=self.folder, env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}"
        if output:
            # With the end of its line, or else the next prompt would be on the same one.
            assert SECONDS.sub("…", done.stdout) == SECONDS.sub("…", output.rstrip("\n") + "\n"), command

    def serve(self) -> None:
        command = [sys.executable, "manage.py", "runserver", "--noreload", str(self.port)]
        with self.log.open("wb") as log:
            self.server = subprocess.Popen(command, cwd=self.folder, env=self.environment, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.server.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        pytest.fail(self.log.read_text())

    def stop(self) -> None:
        if self.server is not None:
            self.server.terminate()
            self.server.wait()

    def write(self, block: Block) -> None:
        """Puts the block into the file that the text before it names."""
        before = "\n".join(TEXT[: block.line - 1])
        name = re.findall(r"`([\w/]+\.py)`", before)[-1]
        file = self.folder / name
        if name.endswith("settings.py"):
            file.write_text(changed(file.read_text(), block))
        elif name.endswith("models.py") and "storm" not in name and "Sale" in block.text:
            file.write_text(f"{file.read_text()}\n\n{block.text}")
        else:
            file.write_text(block.text)


def changed(settings: str, block: Block) -> str:
    """The settings, with those of the block in the place of the old ones; `# …` is the rest of a list as it was."""
    for key, value in re.findall(r"^([A-Z_]+) = ([\[{].*?^[\]}])$", block.text, re.MULTILINE | re.DOTALL):
        old = re.search(rf"^{key} = ([\[{{].*?^[\]}}])$", settings, re.MULTILINE | re.DOTALL)
        if old is None:
            settings += f"\n{key} = {value}\n"
        else:
            # Of a list, what the block repeats is left out of the rest.
            lines = [line for line in old[1].splitlines()[1:-1] if line.strip().replace("'", '"') not in value]
            rest = "\n".join(lines)
            settings = settings.replace(old[0], f"{key} = " + re.sub(r"    # … .*", lambda match: rest, value))  # noqa: B023
    return settings


@pytest.fixture
def reader(tmp_path: Path, db_kind: str) -> Iterator[Reader]:
    if db_kind != "sqlite":
        pytest.skip("The tutorial's site is on SQLite.")
    if not shutil.which("curl"):
        pytest.skip("The tutorial wants curl. On Debian, as root: apt-get install curl")
    reader = Reader(tmp_path)
    try:
        yield reader
    finally:
        reader.stop()


def test_every_step_does_what_the_page_says(reader: Reader) -> None:
    for block in blocks(PAGE):
        reader.read(block)
