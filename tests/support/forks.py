"""Runs Python as `subprocess.run` does, in a copy of a process that has imported Django: half a second less each time.

For programs that do not care how Python began. What is to show which modules are imported, or how Python is started,
asks `subprocess`.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from functools import cache
from pathlib import Path

SERVER = Path(__file__).with_name("fork_server.py")


def python(
    *arguments: str | Path,
    cwd: Path | str | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 300,
    merged: bool = False,
    typed: str = "",
) -> subprocess.CompletedProcess[str]:
    """What `python ARGUMENTS` came to; `typed` is its input; `merged` has its errors among its output."""
    words = [str(argument) for argument in arguments]
    with ExitStack() as stack:
        given, out, error = (stack.enter_context(tempfile.TemporaryFile("w+")) for _ in range(3))
        given.write(typed)
        given.seek(0)
        ours, theirs = map(stack.enter_context, socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET))
        request = json.dumps([words, str(cwd or Path.cwd()), dict(os.environ if env is None else env)])
        files = [given, out, out if merged else error, theirs]
        socket.send_fds(_server(), [request.encode()], [file.fileno() for file in files])
        theirs.close()
        code = _outcome(ours, words, timeout)
        texts = []
        for file in (out, error):
            file.seek(0)
            texts.append(file.read())
    return subprocess.CompletedProcess([sys.executable, *words], code, *texts)


def _outcome(waiting: socket.socket, words: list[str], timeout: float) -> int:
    waiting.settimeout(timeout)
    process = int(waiting.recv(100))
    try:
        return int(waiting.recv(100))
    except TimeoutError:
        os.kill(process, signal.SIGKILL)
        raise subprocess.TimeoutExpired([sys.executable, *words], timeout) from None


@cache
def _server() -> socket.socket:
    """A line to the process, which ends with this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    number = theirs.fileno()
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO", "PYTHON"))}
    process = subprocess.Popen(
        [sys.executable, SERVER, str(number)], env=clean, pass_fds=[number], stdin=subprocess.DEVNULL
    )
    theirs.close()

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours
