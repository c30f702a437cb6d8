"""The process that `tests.support.forks` starts: it imports what every site imports, and from then on only forks.

It is run as a file, so that it has nothing of the project. What it imports reads no settings, and is a dependency that
no test takes away: drivers of databases and libraries of single apps are each program's own to find, or to miss.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import signal
import socket
import sys
import threading
import types
import warnings
from contextlib import suppress
from dataclasses import dataclass

EVERY_SITES = (
    "asgiref.sync", "django.contrib.admin.options", "django.contrib.auth.middleware", "django.contrib.messages.api",
    "django.contrib.sessions.middleware", "django.contrib.staticfiles.handlers", "django.core.cache.backends.locmem",
    "django.core.checks", "django.core.management.commands.check", "django.core.management.commands.makemigrations",
    "django.core.management.commands.migrate", "django.core.management.commands.runserver",
    "django.core.management.commands.test", "django.core.servers.basehttp", "django.db.backends.sqlite3.base",
    "django.db.migrations.autodetector", "django.db.migrations.executor", "django.forms", "django.http",
    "django.middleware.common", "django.middleware.csrf", "django.template.backends.django",
    "django.template.defaulttags", "django.template.loader_tags", "django.test", "django.urls",
    "django.utils.translation.trans_real", "django.views.generic", "sqlparse", "storm.locals", "storm.references",
    "transaction",
)  # fmt: skip
VARIABLES = {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONUNBUFFERED"}
"""Those that Python reads at its start, and `become` heeds instead."""


@dataclass
class Request:
    """A program to be: Python's arguments, the folder and the environment; its input, its outputs, and who waits."""

    arguments: list[str]
    folder: str
    environment: dict[str, str]
    files: list[int]
    waiting: socket.socket


def main() -> None:
    request = serve(socket.socket(fileno=int(sys.argv[1])))
    if request is not None:
        run(*become(request))


def serve(channel: socket.socket) -> Request | None:
    """A request in the process that is to be its program; None in this one, once nobody can ask any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in EVERY_SITES:
        # Some are models' modules with settings, in some release of Django.
        with suppress(Exception):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()
    while True:
        message, files, _, _ = socket.recv_fds(channel, 1 << 18, 4)
        if not message:
            return None
        if not os.fork():
            channel.close()
            return _watched(Request(*json.loads(message), files[:3], socket.socket(fileno=files[3])))
        for file in files:
            os.close(file)
        _bury()


def _watched(request: Request) -> Request:
    """Forks again: this process tells how the program ends, which so can be waited for from outside."""
    program = os.fork()
    if not program:
        return request
    request.waiting.send(str(program).encode())
    for file in request.files:
        os.close(file)
    _, status = os.waitpid(program, 0)
    request.waiting.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _bury() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def become(request: Request) -> tuple[list[str], str]:
    """Makes this process what Python's start would have made it; the arguments that are left, and the folder."""
    request.waiting.close()
    for number, file in enumerate(request.files):
        os.dup2(file, number)
        os.close(file)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(request.folder)
    os.environ.clear()
    os.environ.update(request.environment)
    unknown = {name for name in request.environment if name.startswith("PYTHON")} - VARIABLES
    assert not unknown, f"Python reads {unknown} when it starts; use subprocess."
    if request.environment.get("PYTHONUNBUFFERED"):
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    sys.dont_write_bytecode = bool(request.environment.get("PYTHONDONTWRITEBYTECODE"))
    path = [each for each in request.environment.get("PYTHONPATH", "").split(os.pathsep) if each]
    sys.path[:1] = [os.path.abspath(each) for each in path]
    importlib.invalidate_caches()
    arguments = request.arguments
    while arguments[0] == "-W":
        warnings.simplefilter(arguments[1])  # type: ignore[arg-type]
        sys.warnoptions.append(arguments[1])
        arguments = arguments[2:]
    return arguments, request.folder


def run(arguments: list[str], folder: str) -> None:
    """As `python -m …`, `python -c …` or `python FILE …`, in this process."""
    sys.path_importer_cache.pop(folder, None)
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        sys.path.insert(0, folder)
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    elif arguments[0] == "-c":
        sys.argv = ["-c", *arguments[2:]]
        sys.path.insert(0, "")
        sys.modules["__main__"] = module = types.ModuleType("__main__")
        exec(compile(arguments[1], "<string>", "exec"), module.__dict__)
    else:
        sys.argv = arguments
        sys.path.insert(0, os.path.dirname(os.path.abspath(arguments[0])))
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    assert threading.active_count() == 1
    main()
