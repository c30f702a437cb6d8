"""The command: `python -m proofs.openid_discovery`. Downloads python3-openid's sdist for the data of its tests.

Each document is served as a page and as an XRDS document, of an identity over http and over https. What both find must
be the same, but where `reason` knows why. The spoofs among the documents are of i-names, and those must lead nowhere.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.conf import settings
from openid import fetchers
from openid.consumer import discover as library
from openid.fetchers import HTTPFetcher, HTTPResponse

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "openid-discovery"
KINDS = ("text/html", "application/xrds+xml")
Found = list[tuple[Any, ...]]


class Serving(HTTPFetcher):
    """A network with one document."""

    def __init__(self, body: bytes, kind: str) -> None:
        self._body, self._kind = body, kind

    def fetch(self, url: str, body: Any = None, headers: Any = None) -> HTTPResponse:
        return HTTPResponse(url, 200, {"content-type": self._kind}, self._body)


def main() -> int:
    settings.configure(USE_I18N=False)
    logging.disable()
    from djintegrate.openid_auth.protocol import discovery

    def ours(url: str, network: Serving) -> Any:
        return discovery.discover(url, network)

    compared, different, wrong = 0, 0, []
    for document in documents():
        for kind in KINDS:
            if found := look(ours, "=keturn*isDrummond", Serving(document.read_bytes(), kind)):
                wrong.append(f"{document.name} makes an i-name lead to {found}")
            for scheme in ("http", "https"):
                network = Serving(document.read_bytes(), kind)
                url = f"{scheme}://unittest.example/"
                mine, theirs = look(ours, url, network), look(its_own, url, network)
                compared += 1
                if mine == theirs:
                    continue
                different += 1
                if reason(document, kind, scheme, mine, theirs) is None:
                    wrong.append(f"{document.name} as {kind} over {scheme}:\n  ours   {mine}\n  theirs {theirs}")
    print(f"{compared} documents read both ways; {different} differ, all but {len(wrong)} for a reason that is known.")
    print(*wrong, sep="\n")
    return int(bool(wrong) or not compared)


def reason(document: Path, kind: str, scheme: str, mine: Found, theirs: Found) -> str | None:
    """Why ours is right to find something else."""
    body = document.read_bytes()
    if scheme == "https" and mine == [each for each in theirs if each[1].startswith("https:")]:
        return "An identity over https is not vouched for over http."
    if mine == [each for each in theirs if is_address(each[1])]:
        return "A browser is sent to web addresses only."
    if kind == KINDS[0] and b"<Service" in body and not mine:
        return "What is served as a page is not read as an XRDS document: others may have written into it."
    if b"<!DOCTYPE" in body.split(b"<html")[0] and kind == KINDS[1] and not mine:
        return "A document type may bring entities."
    return None


def is_address(url: str | None) -> bool:
    return bool(url) and str(url).startswith(("http://", "https://"))


def look(discover: Callable[[str, Serving], Any], url: str, network: Serving) -> Found:
    """The endpoints, in an order of their own: those of equal priority are shuffled. None where nothing is found."""
    try:
        _claimed, endpoints = discover(url, network)
    except library.DiscoveryFailure:
        return []
    found = [(each.type_uris, each.server_url, each.claimed_id, each.local_id or None) for each in endpoints]
    return sorted(found, key=repr)


def its_own(url: str, network: Serving) -> Any:
    fetchers.setDefaultFetcher(network, wrap_exceptions=False)
    try:
        return library.discover(url)
    except (KeyError, ValueError, AssertionError) as error:
        raise library.DiscoveryFailure(str(error), None) from error


def documents() -> list[Path]:
    """The data of the tests of discovery and of XRDS, spoofs among them."""
    target = CACHE / "data"
    if not target.exists():
        name = f"python3-openid=={version('python3-openid')}"
        print(f"Fetching {name} ...", flush=True)
        shutil.rmtree(CACHE, ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
        subprocess.run([*pip, "--no-binary", ":all:", "--dest", str(CACHE), name], check=True)
        shutil.unpack_archive(next(CACHE.glob("*.tar.gz")), CACHE / "unpacked")
        next((CACHE / "unpacked").glob("*/openid/test/data")).rename(target)
    folders = (target / "test_discover", target / "test_etxrd")
    return sorted(path for folder in folders for path in folder.iterdir() if path.suffix in (".html", ".xml", ".xrds"))


if __name__ == "__main__":
    sys.exit(main())
