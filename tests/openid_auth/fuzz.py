"""The command behind `make fuzz-openid`: what strangers send, mutated, guided by the code that it reaches (atheris).

Pages, documents, direct answers, associations, completions, cookies and charsets; of OpenID Connect descriptions, keys,
tokens, signed claims, userinfo, answers and logout tokens. None may be a 500, begin a line of the log, or take more
than a second of CPU. The seeds are those of test_fuzz and fuzz_connect; without atheris the mutations are blind.
"""

from __future__ import annotations

import argparse
import logging
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.openid_auth import fuzz_connect

try:
    import atheris
except ImportError:
    atheris = None  # type: ignore[assignment]

SECONDS = 1.0
CHARSETS = ["utf-8", "utf-7", "utf-16", "latin-1", "unicode_escape", "raw_unicode_escape", "cp037", "idna", "no-such"]
PREFIX = "\x02"
"""Begins each record of the log here, so that a line without it is one that somebody else has written."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.openid_auth.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if atheris is None:
        set_up()
        blindly(options.cases, options.seed)
        return
    with atheris.instrument_imports(include=["djintegrate.openid_auth", "openid", "authlib", "joserfc"]):
        set_up()
    corpus = tempfile.mkdtemp(prefix="openid-fuzz-")
    for number, seed in enumerate(seeds()):
        (Path(corpus) / str(number)).write_bytes(seed)
    print(f"{options.cases:,} cases, guided by coverage; the corpus is in {corpus}", flush=True)
    flags = [
        f"-runs={options.cases}",
        f"-seed={options.seed}",
        "-max_len=4096",
        "-timeout=20",
        f"-artifact_prefix={corpus}/",
    ]
    atheris.Setup([sys.argv[0], *flags, corpus], one)
    atheris.Fuzz()


def set_up() -> None:
    import django
    from django.conf import settings

    settings.configure(
        SECRET_KEY="fuzz",
        ALLOWED_HOSTS=["*"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.messages",
            "django.contrib.sessions",
            "djintegrate.openid_auth",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "djintegrate.openid_auth.middleware.OpenIDSessionMiddleware",
        ],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
        ROOT_URLCONF="tests.openid_auth.urls",
        STATIC_URL="static/",
        SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
        AUTHENTICATION_BACKENDS=["djintegrate.openid_auth.auth.OpenIDBackend"],
        LOGIN_REDIRECT_URL="/",
        USE_TZ=True,
        OPENID_CREATE_USERS=True,
        OPENID_UPDATE_DETAILS_FROM_SREG=True,
        OPENID_FOLLOW_RENAMES=True,
        OPENID_LOGIN_THROTTLE=None,
        OPENID_LAUNCHPAD_TEAMS_MAPPING={"team": "group"},
        OPENID_TEAMS_TRUSTED_ENDPOINTS=["http://provider.example/endpoint"],
        OPENID_FETCHER="tests.openid_auth.fuzz.canned",
        OPENID_PROVIDERS=[
            {
                "name": "op",
                "issuer": fuzz_connect.ISSUER,
                "client_id": "site",
                "client_secret": "x",
                "trust_groups": True,
            }
        ],
        LOGGING_CONFIG=None,
    )
    django.setup()
    # Here, so that its code counts among what is reached.
    from django.core.management import call_command

    import djintegrate.openid_auth.oidc.views  # noqa: F401

    call_command("migrate", verbosity=0)
    root = logging.getLogger()
    root.handlers[:] = [LOG]
    root.setLevel(logging.DEBUG)
    logging.getLogger("django").setLevel(logging.ERROR)
    logging.getLogger("asyncio").setLevel(logging.ERROR)


class Log(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter(f"{PREFIX}%(levelname)s %(name)s: %(message)s"))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith(("openid", "djintegrate")):
            self.lines += self.format(record).splitlines()


LOG = Log()


def canned() -> Any:
    from tests.openid_auth.test_fuzz import Canned

    return Canned


def seeds() -> list[bytes]:
    from tests.openid_auth.test_fuzz import DOCUMENTS, PIECES

    kinds = [bytes([number]) for number in range(len(KINDS))]
    documents = [*DOCUMENTS, *PIECES, b"a=b&openid.mode=id_res"]
    ours = [kind + document for kind in kinds[: -len(fuzz_connect.KINDS)] for document in documents]
    return [*ours, *(kind + seed for kind in kinds[-len(fuzz_connect.KINDS) :] for seed in fuzz_connect.SEEDS)]


def one(data: bytes) -> None:
    """One case: its first byte says of what kind."""
    if not data:
        return
    LOG.lines.clear()
    began = time.process_time()
    status = KINDS[data[0] % len(KINDS)](data[1:])
    seconds = time.process_time() - began
    assert status < 500, status
    assert seconds < SECONDS, f"{seconds:.2f} s"
    foreign = [line for line in LOG.lines if not line.startswith(PREFIX)]
    assert not foreign, foreign
    tidy()


def tidy() -> None:
    from django.contrib.auth.models import User

    from djintegrate.openid_auth.models import Association, Nonce

    for model in (User, Nonce, Association):
        if random.random() < 0.01:
            model.objects.all().delete()


# The kinds of cases


def document(kind: str) -> Callable[[bytes], int]:
    """What discovery finds: a page, an XRDS document."""

    def case(data: bytes) -> int:
        from openid.fetchers import HTTPResponse

        from tests.openid_auth.test_fuzz import IDENTITY, Canned

        Canned.hold(HTTPResponse(None, 200, {"content-type": kind}, data))
        return posted("login/", {"openid_identifier": IDENTITY})

    return case


def direct(data: bytes) -> int:
    """What an endpoint answers to the request for an association."""
    from openid.fetchers import HTTPResponse

    from tests.openid_auth.test_fuzz import DOCUMENTS, IDENTITY, Canned

    found = HTTPResponse(None, 200, {"content-type": "application/xrds+xml"}, DOCUMENTS[0])
    Canned.hold(found, HTTPResponse(None, 400 if data[:1] > b"\x80" else 200, {}, data))
    return posted("login/", {"openid_identifier": IDENTITY})


def checked(data: bytes) -> int:
    """What an endpoint answers to the question whether it signed."""
    from openid.fetchers import HTTPResponse

    from tests.openid_auth.test_fuzz import Canned

    Canned.hold(HTTPResponse(None, 200, {}, data))
    return completed({"openid.assoc_handle": "unknown"}, b"")


def completion(data: bytes) -> int:
    """A genuine answer, some fields of which are changed before it is signed."""
    from tests.openid_auth.test_fuzz import EXTENSIONS, KEYS

    fields = dict(EXTENSIONS)
    for piece in data.split(b"&")[:8]:
        if piece:
            fields[KEYS[piece[0] % len(KEYS)]] = piece[1:].decode("utf-8", "surrogateescape")
    return completed(fields, b"")


def tail(data: bytes) -> int:
    """A genuine answer with anything after it."""
    return completed({}, b"&" + data)


def cookie(data: bytes) -> int:
    client = browser()
    client.cookies["sessionid"] = client.cookies["sessionid-openid-x"] = data.decode("latin-1")
    return int(client.get("/openid/complete/?openid.mode=id_res&openid_state=x").status_code)


def charset(data: bytes) -> int:
    name = CHARSETS[data[0] % len(CHARSETS)] if data else "utf-8"
    field = ("openid_identifier", "openid.mode", "next")[len(data) % 3].encode()
    body = b'--x\r\nContent-Disposition: form-data; name="' + field + b'"\r\n\r\n' + data[1:] + b"\r\n--x--\r\n"
    kind = f"multipart/form-data; boundary=x; charset={name}"
    path = ("login/", "complete/", "complete/?posted_again=1")[len(data) % 3]
    return int(browser().generic("POST", f"/openid/{path}", body, content_type=kind).status_code)


def posted(path: str, form: dict[str, str]) -> int:
    return int(browser().post(f"/openid/{path}", form).status_code)


def completed(changes: dict[str, str], more: bytes) -> int:
    from openid.association import Association
    from openid.store.nonce import mkNonce

    from djintegrate.openid_auth.store import DjangoOpenIDStore
    from tests.openid_auth.test_fuzz import ENDPOINT, IDENTITY, SECRET, Canned, cookies_and_return_to, encoded, signed

    if changes.get("openid.assoc_handle") != "unknown":
        Canned.hold()
        DjangoOpenIDStore().storeAssociation(ENDPOINT, Association.fromExpiresIn(1000, "handle", SECRET, "HMAC-SHA256"))
    cookies, return_to = cookies_and_return_to("claimed")
    fields = {
        "openid.ns": "http://specs.openid.net/auth/2.0", "openid.mode": "id_res", "openid.op_endpoint": ENDPOINT,
        "openid.claimed_id": IDENTITY, "openid.identity": IDENTITY, "openid.return_to": return_to,
        "openid.response_nonce": mkNonce(), "openid.assoc_handle": "handle", **changes,
    }  # fmt: skip
    fields["openid.signed"] = ",".join([*(name[7:] for name in fields if name.startswith("openid.")), "signed"])
    client = browser()
    client.cookies.update(cookies)
    query = return_to.partition("?")[2]
    try:
        body = encoded(signed(fields)).encode() + more
    except UnicodeEncodeError:
        return 0
    address = f"/openid/complete/?{query}"
    return int(client.generic("POST", address, body, content_type="application/x-www-form-urlencoded").status_code)


def browser() -> Any:
    from django.test import Client

    return Client(raise_request_exception=True)


KINDS: list[Callable[[bytes], int]] = [
    document("text/html"), document("application/xrds+xml"), direct, checked, completion, tail, cookie, charset,
    *fuzz_connect.KINDS,
]  # fmt: skip


def blindly(cases: int, seed: int) -> None:
    """Without atheris: seeds with pieces cut out, doubled and changed."""
    generator = random.Random(seed)
    corpus = seeds()
    print(f"{cases:,} cases, without the guidance of coverage: atheris is not installed", flush=True)
    for _ in range(cases):
        data = bytearray(generator.choice(corpus))
        for _ in range(generator.randrange(5)):
            at = generator.randrange(1, len(data) + 1)
            data[at : at + generator.randrange(20)] = generator.choice(corpus)[1:] or bytes([generator.randrange(256)])
        one(bytes(data[:4096]))
    print("None of them was a 500, wrote a line into the log, or took longer than a second.")


if __name__ == "__main__":
    main()
