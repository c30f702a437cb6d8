"""What a dead process has left: completed or undone by whoever comes next. Processes are real, and are killed."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import transaction
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.db.transaction import atomic

from djintegrate import files
from djintegrate.files import Undecided, upkeep, world
from djintegrate.files.core import decisions
from djintegrate.files.core.changes import Change
from djintegrate.files.core.journal import Journal
from djintegrate.files.core.locks import digest_of
from djintegrate.files.core.places import PathPlace
from djintegrate.files.core.unit import Unit
from tests.support.files import FILES, Site
from tests.support.files import decisions as rows_of_decisions
from tests.support.files import site as site
from tests.support.helpers import Oops

pytest_plugins = ["tests.support.fixtures"]
pytestmark = FILES


class Dies(BaseException):
    """What stands for a kill, in this process: nothing after it is run, and its locks are gone."""


@pytest.fixture
def dies(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str], None]:
    """Have a step of the protocol be the last thing that this process does to files."""

    def dies_at(owner: Any, name: str) -> None:
        def die(*args: Any, **kwargs: Any) -> None:
            raise Dies

        def lets_go(unit: Unit) -> None:
            # As the kernel does.
            if unit._journal is not None:
                unit._journal.leave()
            unit._paths.leave()

        monkeypatch.setattr(owner, name, die)
        for callback in ("rolled_back", "aborted", "in_doubt"):
            monkeypatch.setattr(Unit, callback, lambda unit, *args: lets_go(unit))
        monkeypatch.setattr(Unit, "committed", committed_or_lets_go(lets_go))

    def committed_or_lets_go(lets_go: Callable[[Unit], None]) -> Callable[[Unit], None]:
        original = Unit.committed

        def committed(unit: Unit) -> None:
            try:
                original(unit)
            except Dies:
                lets_go(unit)

        return committed

    return dies_at


def recovered() -> list[str]:
    out = StringIO()
    call_command("files_recover", stdout=out)
    return [line.split(": ", 1)[1] for line in out.getvalue().splitlines()]


def change_everything(site: Site) -> None:
    with atomic(site.alias):
        site.save("new")
        site.storage.delete("replaced")
        site.save("replaced")
        site.storage.delete("deleted")


BEFORE = {"replaced": "old", "deleted": "old"}
AFTER = {"new": "new", "replaced": "new"}


def put_everything(site: Site) -> None:
    site.put("replaced")
    site.put("deleted")


def test_what_was_not_committed_is_undone(site: Site, dies: Any, monkeypatch: Any) -> None:
    put_everything(site)
    dies(decisions, "record")
    with pytest.raises(Dies):
        change_everything(site)
    monkeypatch.undo()
    assert len(list(site.journal.glob("*.journal"))) == 1
    assert recovered() == ["undone, 4 changes"]
    assert site.files == BEFORE
    assert recovered() == []


def test_what_was_committed_is_completed(site: Site, dies: Any, monkeypatch: Any) -> None:
    put_everything(site)
    dies(Change, "complete")
    change_everything(site)
    monkeypatch.undo()
    assert site.files["deleted"] == "old"
    assert rows_of_decisions() == 1
    assert recovered() == ["completed, 4 changes"]
    assert site.files == AFTER
    assert rows_of_decisions() == 0


def test_recovery_can_be_interrupted_and_run_again(site: Site, dies: Any, monkeypatch: Any) -> None:
    put_everything(site)
    dies(Change, "complete")
    change_everything(site)
    monkeypatch.undo()
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "finish", lambda self: (_ for _ in ()).throw(Oops()))
        with pytest.raises(Oops):
            recovered()
    world.current().folder.locks._owners.clear()
    assert site.files == AFTER
    assert recovered() == ["completed, 4 changes"]
    assert site.files == AFTER


def test_the_first_use_of_files_recovers(
    site: Site, dies: Any, monkeypatch: Any, settings: Any, tmp_path: Path
) -> None:
    put_everything(site)
    dies(Change, "complete")
    change_everything(site)
    monkeypatch.undo()
    world.recovery_of(Path(settings.FILES_JOURNAL))._next = 0
    assert site.storage.open("replaced").read() == b"new"
    assert site.files == AFTER
    recovered()


def test_who_takes_the_lock_of_a_dead_process_recovers_first(site: Site, dies: Any, monkeypatch: Any) -> None:
    put_everything(site)
    dies(Change, "complete")
    change_everything(site)
    monkeypatch.undo()
    with atomic(site.alias):
        site.storage.delete("replaced")
        assert site.files == AFTER
    assert site.files == {"new": "new"}
    recovered()


def test_a_journal_of_a_process_that_lives_is_left_alone(site: Site) -> None:
    site.put("one")
    with atomic(site.alias):
        site.storage.delete("one")
        assert recovered() == []
        assert site.in_thread(lambda: list(upkeep.recover())) == []
    assert site.files == {}


def test_a_dry_run_changes_nothing(site: Site, dies: Any, monkeypatch: Any) -> None:
    put_everything(site)
    dies(decisions, "record")
    with pytest.raises(Dies):
        change_everything(site)
    monkeypatch.undo()
    before, out = site.files, StringIO()
    call_command("files_recover", dry_run=True, stdout=out)
    assert "create " in out.getvalue()
    assert site.files == before
    recovered()


def test_a_storage_that_nobody_knows_any_more_leaves_the_journal(site: Site, dies: Any, monkeypatch: Any) -> None:
    from djintegrate.files import identities

    put_everything(site)
    dies(Change, "complete")
    change_everything(site)
    monkeypatch.undo()
    known = dict(identities._made)
    identities._made.clear()
    out = StringIO()
    with pytest.raises(CommandError, match="1 transactions are left"):
        call_command("files_recover", stdout=out)
    assert "is not known here" in out.getvalue()
    identities._made.update(known)
    recovered()


def test_a_line_that_was_not_finished_is_no_change(site: Site, dies: Any, monkeypatch: Any) -> None:
    put_everything(site)
    dies(decisions, "record")
    with pytest.raises(Dies):
        change_everything(site)
    monkeypatch.undo()
    (journal,) = site.journal.glob("*.journal")
    with journal.open("ab") as opened:
        opened.write(b'{"change": "cre')
    assert recovered() == ["undone, 4 changes"]
    assert site.files == BEFORE


def test_an_empty_journal_is_nothing(site: Site) -> None:
    site.journal.mkdir(exist_ok=True)
    (site.journal / "abc.journal").touch()
    assert list(upkeep.waiting()) == []
    assert recovered() == []
    assert not (site.journal / "abc.journal").exists()


def test_a_journal_that_cannot_be_read_keeps_nobody_else_waiting(site: Site) -> None:
    world.current().folder.make()
    (site.journal / "a.journal").write_text("no JSON\n")
    path = site.put("new")
    entries = [{"version": 2, "id": "e" * 32, "journal": "b", "using": site.alias},
               {"change": "create", "place": {"path": str(path)}}]  # fmt: skip
    (site.journal / "b.journal").write_text(f"{json.dumps(entries)}\n")
    outcomes = {outcome.name: outcome.left for outcome in upkeep.recover()}
    assert "JSON" in outcomes.pop("a") and outcomes == {"e" * 32: ""}
    upkeep.sweep()
    assert site.files == {}
    # Somebody may still find out what it was.
    (site.journal / "a.journal").unlink()


def test_a_journal_of_the_last_version_is_recovered(site: Site) -> None:
    """It was named after its one transaction, and had a line for each entry."""
    world.current().folder.make()
    path, name = site.put("new"), "e" * 32
    entries = [
        {"version": 1, "id": name, "using": site.alias},
        {"change": "create", "place": {"path": str(path)}},
    ]
    text = "".join(f"{json.dumps(entry)}\n" for entry in entries)
    (site.journal / f"{name}.journal").write_text(text)
    os.link(site.journal / f"{name}.journal", site.journal / "paths" / digest_of(PathPlace(path).key))
    with files.transaction(site.alias) as t:
        t.add_file(path)
        assert site.files == {}
    assert site.files == {}


@pytest.mark.skipif(os.environ["DB"] == "sqlite", reason="SQLite has one writer: the other one would have to wait.")
def test_a_transaction_that_may_still_commit_is_left(site: Site) -> None:
    done, go_on = threading.Event(), threading.Event()

    def other() -> None:
        with atomic("default"):
            decisions.record("default", "abc", "x")
            done.set()
            go_on.wait(30)

    thread = threading.Thread(target=lambda: (other(), connection.close()))
    thread.start()
    done.wait(30)
    try:
        with pytest.raises(Undecided, match="cannot say yet"), decisions.verdict("default", "abc", "x"):
            pass
    finally:
        go_on.set()
        thread.join()
    with decisions.verdict("default", "abc", "x") as committed:
        assert committed


def test_rows_that_are_no_longer_needed_are_deleted_in_time(site: Site, monkeypatch: Any) -> None:
    monkeypatch.setattr(decisions, "AT_ONCE", 3)
    monkeypatch.setattr(decisions, "_through", {})
    for number in range(7):
        with atomic(site.alias):
            site.save(f"{number}")
        assert rows_of_decisions() == (number + 1) % 3
    recovered()
    assert rows_of_decisions() == 0


def test_an_error_after_the_commit_leaves_the_rest_to_recovery(
    site: Site, monkeypatch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    site.put("one")
    monkeypatch.setattr(site.storage.inner, "delete", lambda name: (_ for _ in ()).throw(PermissionError("no")))
    with atomic(site.alias):
        site.storage.delete("one")
    assert "PermissionError" in caplog.text
    monkeypatch.undo()
    assert recovered() == ["completed, 1 change"]
    assert site.files == {}


def test_a_savepoint_that_cannot_be_undone_is_undone_at_the_end(site: Site, monkeypatch: Any) -> None:
    with atomic(site.alias):
        with monkeypatch.context() as patch:
            patch.setattr(site.storage.inner, "delete", lambda name: (_ for _ in ()).throw(PermissionError("no")))
            with pytest.raises(Oops), atomic(site.alias):
                site.save("one")
                raise Oops
        assert site.files == {"one": "new"}
    assert site.files == {}


def test_a_commit_in_doubt_asks_the_database(site: Site, monkeypatch: Any) -> None:
    from django.db import OperationalError

    connection_class = type(connections[site.alias])
    original = connection_class._commit

    def commits_and_fails(self: Any) -> None:
        original(self)
        raise OperationalError("the answer was lost")

    put_everything(site)
    monkeypatch.setattr(connection_class, "_commit", commits_and_fails)
    with pytest.raises(OperationalError):
        change_everything(site)
    monkeypatch.undo()
    assert site.files == AFTER

    def fails(self: Any) -> None:
        raise OperationalError("no")

    monkeypatch.setattr(connection_class, "_commit", fails)
    with pytest.raises(OperationalError), atomic(site.alias):
        site.storage.delete("new")
        site.save("other")
    monkeypatch.undo()
    assert site.files == AFTER


@pytest.mark.parametrize("commits", [True, False])
def test_a_native_alias_in_zopes_transaction_needs_no_row(
    site: Site, dies: Any, monkeypatch: Any, commits: bool
) -> None:
    if site.alias == "default":
        pytest.skip("The engine's statements are part of Zope's transaction.")
    site.put("one")
    dies(Change, "complete")
    transaction.begin()
    site.save("two")
    site.storage.delete("one")
    (transaction.commit if commits else transaction.abort)()
    monkeypatch.undo()
    assert rows_of_decisions() == 0
    assert recovered() == ([f"{'completed' if commits else 'undone'}, 2 changes"])
    assert site.files == ({"two": "new"} if commits else {"one": "old"})


def test_with_fsync_files_and_journal_are_on_the_disk_before_the_commit(
    site: Site, settings: Any, monkeypatch: Any
) -> None:
    settings.FILES_FSYNC = True
    synced: list[str] = []
    before: list[str] = []
    fsync, record = os.fsync, decisions.record

    def noted_fsync(descriptor: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        fsync(descriptor)

    def noted_record(*args: Any) -> None:
        before.extend(synced)
        record(*args)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(decisions, "record", noted_record)
    site.put("folder/one")
    put_everything(site)
    with files.transaction(site.alias) as t:
        t.copy_file(site.media / "folder", site.media / "copy")
        change_everything(site)
    assert site.files == {**AFTER, "folder/one": "old", "copy/one": "old"}
    names = [Path(path).name for path in before]
    assert {"new", "one", "copy", "media", "journal"} <= set(names)
    assert any(name.startswith(".files-") for name in names)
    assert [name for name in names if name.endswith(".journal")]


def test_without_fsync_nothing_waits_for_the_disk(site: Site, monkeypatch: Any) -> None:
    def no_fsync(descriptor: int) -> None:
        raise AssertionError("fsync")

    monkeypatch.setattr(os, "fsync", no_fsync)
    put_everything(site)
    change_everything(site)
    assert site.files == AFTER
