"""manage.py storm_schema status|apply|create|drop STORE: the schema of a store, from the package that SCHEMA names."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from storm.exceptions import StormError

from djintegrate.storm_backend import conf
from djintegrate.storm_backend.schema import SchemaError, StoreSchema


class Command(BaseCommand):
    help = "Shows, applies, creates or drops the schema of a Storm store, as the package in its SCHEMA setting has it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "action",
            choices=["status", "apply", "create", "drop"],
            help="status: list the patches. apply: run those that are pending, or create the schema if there is none. "
            "create: make a new schema. drop: remove it, with all that is in it.",
        )
        parser.add_argument("stores", metavar="STORE", nargs="*", help="A name in STORM_STORES.")
        parser.add_argument(
            "--all-stores",
            action="store_true",
            help="Instead of STORE: all that have a SCHEMA, one by one. Those that fail are told of in the end.",
        )
        parser.add_argument("--dry-run", action="store_true", help="apply: show the statements, and keep nothing.")
        parser.add_argument("--check", action="store_true", help="status: exit with 1 unless all is up to date.")
        parser.add_argument(
            "--noinput", "--no-input", action="store_false", dest="interactive", help="drop: do not ask."
        )

    def handle(self, *args: Any, action: str, stores: list[str], all_stores: bool, **options: Any) -> None:
        for option, its_action in (("dry_run", "apply"), ("check", "status")):
            # An option that is ignored would drop a schema for somebody who believes that this is a dry run.
            if options[option] and action != its_action:
                raise CommandError(f"--{option.replace('_', '-')} is for `{its_action}`, not for `{action}`.")
        if all_stores is bool(stores):
            raise CommandError("Say which store, or --all-stores.")
        if action == "drop" and len(stores) != 1:
            raise CommandError("`drop` is for one store at a time: say which.")
        if len(stores) == 1:
            self._handle(action, stores[0], "", options)
            return
        with_schema = sorted(name for name, settings in conf.stores().items() if settings.schema is not None)
        self._handle_several(action, with_schema if all_stores else list(dict.fromkeys(stores)), options)

    def _handle_several(self, action: str, names: list[str], options: dict[str, Any]) -> None:
        failed: dict[str, str] = {}
        for number, name in enumerate(names, start=1):
            try:
                self._handle(action, name, f"[{number}/{len(names)}] {name}: ", options)
            except CommandError as error:
                failed[name] = str(error)
                self._say(f"[{number}/{len(names)}] {name}: failed.")
        if failed:
            told = "\n".join(f"{name}: {error}" for name, error in failed.items())
            raise CommandError(f"{len(failed)} of {len(names)} stores failed, the others are done:\n{told}")

    def _handle(self, action: str, store: str, prefix: str, options: dict[str, Any]) -> None:
        def tell(line: str) -> None:
            self._say(prefix + line)

        say = tell if options["verbosity"] > 0 else lambda line: None
        try:
            schema = StoreSchema(store)
            if action == "status":
                self._status(schema, options["check"], prefix)
            elif action == "apply" and options["dry_run"]:
                schema.rehearse(tell)
            elif action == "apply":
                schema.apply(say)
            elif action == "create":
                schema.create(say)
            elif options["interactive"] and not _is_sure(store):
                say("Nothing was dropped.")
            else:
                schema.drop()
                say("Dropped the schema.")
        except (ImproperlyConfigured, SchemaError, StormError, DatabaseError) as error:
            raise CommandError(str(error)) from error

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def _status(self, schema: StoreSchema, check: bool, prefix: str) -> None:
        status = schema.status()
        self.stdout.write(f"{prefix}Store {schema.name!r}, schema {schema.package}:")
        if not status.created:
            self.stdout.write(" (no schema; `create` and `apply` make it, with all patches)")
        marks = {
            **dict.fromkeys(status.applied, "[X] {}"),
            **dict.fromkeys(status.pending, "[ ] {}"),
            **dict.fromkeys(status.unknown, "[?] {}  applied, but unknown to the code"),
        }
        for version in sorted(marks):
            self.stdout.write(f" {marks[version].format(version)}")
        if check and not status.up_to_date:
            raise CommandError(f"The store {schema.name!r} is not up to date.")


def _is_sure(store: str) -> bool:
    question = f"This drops the tables of the store {store!r}, with all that is in them."
    return input(f"{question}\nType 'yes' to go on, or 'no': ") == "yes"
