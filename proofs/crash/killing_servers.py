"""Processes whose database server crashes at a certain step of their two-phase commit, for proofs.crash.

Only servers that tools.servers has started are ever crashed.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import traceback
from collections.abc import Callable, Mapping
from typing import NamedTuple

from proofs.crash.killing import Steps
from tools.servers import Server

# The server stays down; or is up again when the process goes on; or the process is killed with it.
CRASHES = STAYS_DOWN, RESTARTS, WITH_PROCESS = "stays down", "restarts", "takes the process with it"
COMMITTED, FAILED, KILLED = "committed", "failed", "killed"


class Story(NamedTuple):
    """The step at which the servers crashed, and what the transaction told its process in the end."""

    step: str
    told: str


def crash_at_step(servers: Mapping[str, Server], crash: str, steps: Steps, write: Callable[[], None]) -> Story:
    """Run `write` in a process of its own, and have `servers` crash at one of its steps. Afterwards they are up."""
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        ours.close()
        _work(theirs, list(servers), crash, steps, write)
    theirs.close()
    try:
        said = _serve(ours, servers)
    finally:
        os.waitpid(child, 0)
        ours.close()
        for server in servers.values():
            server.kill()
            server.start()
    if not said:
        raise RuntimeError("A process failed; its traceback is above.")
    return Story(said[0], said[1] if len(said) > 1 else KILLED)


def _work(parent: socket.socket, names: list[str], crash: str, steps: Steps, write: Callable[[], None]) -> None:
    """In the process itself, which this ends."""
    logging.disable()

    def tell(text: str) -> None:
        parent.sendall(f"{text}\n".encode())
        # An answer says that it is done.
        parent.recv(1)

    def act() -> None:
        for verb in ("kill", "start") if crash == RESTARTS else ("kill",):
            for name in names:
                tell(f"{verb} {name}")
        if crash == WITH_PROCESS:
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        steps.watch(tell, act)
        try:
            write()
        except Exception:
            tell(FAILED)
        else:
            tell(COMMITTED)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)


def _serve(child: socket.socket, servers: Mapping[str, Server]) -> list[str]:
    """Do what the process asks for, until it ends; what else it said."""
    said: list[str] = []
    with child.makefile("r") as lines:
        for line in lines:
            verb, _, name = line.strip().partition(" ")
            if verb in ("kill", "start") and name in servers:
                getattr(servers[name], verb)()
            else:
                said.append(line.strip())
            child.sendall(b".")
    return said
