"""What the doctor is told of Dojo: whether the pages' files are there and complete, and what this machine can build."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static

from djintegrate.common.examination import Finding, ill
from djintegrate.common.types import did_you_mean

from . import conf, places
from .build import build, discovery, install
from .page import names, release

REBUILD = "Run: python manage.py dojo_build"
COLLECT = "python manage.py collectstatic"


def examine() -> Iterator[Finding]:
    if not conf.enabled():
        yield Finding("dojo", "DOJO_ENABLED is False: forms are plain HTML.")
        return
    if not places.found(places.OWN):
        yield ill("dojo", f"{places.OWN} is not among the static files: no page gets a dijit.", places.remedy_for_own())
    url = conf.url()
    name = places.static_name(url)
    if name is None:
        yield Finding("dojo", f"{url}/dojo.js is for another server to serve, or for another part of this site.")
        return
    yield from _pages(url, f"{name}/dojo.js")
    yield from _workshop(places.addresses().get(url))


def _pages(url: str, name: str) -> Iterator[Finding]:
    """What the pages ask for."""
    path, folder = places.found(name), places.addresses().get(url)
    if path:
        yield Finding("dojo", f"Pages ask for {url}/dojo.js: {path}")
        older = None if settings.DEBUG else places.older_copy(name)
        if older:
            # What it lacks, the build may have.
            yield ill("dojo", f"{older} was collected from another build than {path}.", f"Run: {COLLECT}")
            return
        yield from _lacking()
        if not settings.DEBUG:
            yield from _collected(name)
    elif folder is None:
        yield ill(
            "dojo", f"DOJO_URL is {url}, and there is no {name} among the static files that this machine knows.",
            _misspelt_folder(name)
            or f"Correct DOJO_URL, or the folders: {places.FINDER!r} in STATICFILES_FINDERS, or STATICFILES_DIRS.",
        )  # fmt: skip
    elif conf.root.is_given and folder == conf.root().absolute():
        yield ill("dojo", f"Dojo's sources are not in {folder}.", "Run: python manage.py dojo_install")
    else:
        yield ill("dojo", f"The build is not in {folder}.", _misspelt_folder(name) or REBUILD)


def _misspelt_folder(name: str) -> str:
    """Where DOJO_BUILD_ROOT is nearly called as DOJO_URL says, a build would go where no page looks for it."""
    folder, asked = conf.given_build_root(), PurePosixPath(name).parent.parent.name
    if not folder or folder.name == asked or not did_you_mean(folder.name, [asked]):
        return ""
    return f"DOJO_BUILD_ROOT is {folder}, and DOJO_URL says {asked!r}. Correct the one that is misspelt; or: {REBUILD}"


def _lacking() -> Iterator[Finding]:
    """A build is as old as it is; forms have had new fields since."""
    made = release.release()
    if made:
        found = discovery.discover()
        lacking = {name for name in found.modules - made.modules if names.is_dojos(name)}
        misspelt = _misspelt(found, lacking)
        for line in misspelt.values():
            yield ill("dojo", line, "Correct the name: no build can have it.")
        older = sorted(lacking - misspelt.keys())
        if older:
            remedy = REBUILD if settings.DEBUG else f"{REBUILD}, and {COLLECT}"
            yield ill("dojo", f"The build is older than the forms. It lacks {', '.join(older)}.", remedy)
        elif not misspelt:
            yield Finding("dojo", f"The build has all {len(made.modules)} modules that the forms need.")


def _misspelt(found: discovery.Found, lacking: set[str]) -> dict[str, str]:
    """Of those, what Dojo's sources do not have either. A server without sources cannot tell."""
    root = conf.root().absolute() if conf.root.is_given else None
    if not lacking or root is None or not install.installed(root):
        return {}
    return {name: line for name, line in found.nowhere(root).items() if name in lacking}


def _collected(name: str) -> Iterator[Finding]:
    """With DEBUG off, whatever serves the files has what collectstatic collected."""
    try:
        static(name)
        stored = getattr(staticfiles_storage, "hashed_files", {}).get(name, name)
        is_there = staticfiles_storage.exists(stored)
    except (ValueError, ImproperlyConfigured) as error:
        yield ill("dojo", error, f"Run: {COLLECT}")
        return
    if not is_there:
        where = settings.STATIC_ROOT or type(staticfiles_storage).__name__
        yield ill("dojo", f"{name} has not been collected: it is not in {where}.", f"Run: {COLLECT}")


def _workshop(served: Path | None) -> Iterator[Finding]:
    """What this machine can make. One that has a build and no sources only serves."""
    if not conf.root.is_given:
        yield Finding("dojo", "DOJO_ROOT is not set: this site fetches and builds nothing itself.")
        return
    root, made = conf.root().absolute(), conf.build_root().absolute()
    if install.installed(root):
        yield Finding("dojo", f"Dojo's sources: {root}")
    elif (made / release.MARK).exists():
        yield Finding(
            "dojo", f"Dojo's sources are not in {root}. This machine has a build, and needs neither them nor Node."
        )
        return
    elif served != root:
        yield ill("dojo", f"Dojo's sources are not in {root}.", "Run: python manage.py dojo_install")
    try:
        yield Finding("dojo", f"Node is {build.find_node()}.")
    except build.BuildError as error:
        yield ill("dojo", error, "Without it, pages work from what is there, and nothing can be built.")
