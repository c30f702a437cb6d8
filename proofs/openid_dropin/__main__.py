"""The command behind the drop-in proof: `python -m proofs.openid_dropin`.

Downloads django-openid-auth 0.17, runs its own tests against djintegrate.openid_auth, and compares what fails with
`known_differences.toml`: each that is listed must fail, each other must pass.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found, unused-ignore]

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CACHE = ROOT / ".cache" / "openid-dropin"
ORIGINAL = "django-openid-auth==0.17"
PACKAGE = "openid_dropin_tests"
SERIALIZER = "django.contrib.sessions.serializers.JSONSerializer"
"""In place of the one for pickles, which Django does not have any more."""


def main() -> int:
    prepare()
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "proofs.openid_dropin.settings"}
    environment["PYTHONPATH"] = os.pathsep.join((str(ROOT), str(CACHE)))
    command = [sys.executable, "-W", "ignore", "-m", "django", "test", "--verbosity", "2", PACKAGE]
    done = subprocess.run(command, env=environment, cwd=CACHE, capture_output=True, text=True, timeout=600)
    (CACHE / "output.txt").write_text(done.stderr)
    outcomes = read(done.stderr)
    if not outcomes:
        print(done.stderr[-3000:])
        return 1
    known = tomllib.loads((HERE / "known_differences.toml").read_text())
    listed = {name for difference in known.values() for name in difference["tests"]}
    failed = {name for name, passed in outcomes.items() if not passed}
    print(f"{len(outcomes)} tests: {len(outcomes) - len(failed)} pass, {len(failed)} do not, {len(listed)} are listed.")
    for name in sorted(failed - listed):
        print(f"Fails, and is not listed: {name}")
    for name in sorted(listed - failed):
        print(f"Is listed, and does not fail: {name}")
    print(f"What each said is in {CACHE / 'output.txt'}.")
    return int(failed != listed)


def prepare() -> None:
    """The original's tests as a package of their own, with our app's name in place of the original's."""
    target = CACHE / PACKAGE
    if target.exists():
        return
    print(f"Fetching {ORIGINAL} ...", flush=True)
    unpacked = CACHE / "unpacked"
    shutil.rmtree(CACHE, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--no-binary", ":all:", "--dest", str(CACHE), ORIGINAL], check=True)
    shutil.unpack_archive(next(CACHE.glob("*.tar.gz")), unpacked)
    tests = next(unpacked.glob("*/django_openid_auth/tests"))
    for file in tests.glob("*.py"):
        text = file.read_text()
        text = text.replace("django_openid_auth.tests", PACKAGE).replace("'tests.UserGroup'", f"'{PACKAGE}.UserGroup'")
        text = re.sub(r"\bdjango_openid_auth\b", "djintegrate.openid_auth", text)
        # In the database and in permissions it is the app's label that counts.
        text = text.replace("djintegrate.openid_auth.account_verified", "openid_auth.account_verified")
        text = text.replace("django.contrib.sessions.serializers.PickleSerializer", SERIALIZER)
        file.write_text(text)
    (tests / "__init__.py").write_text("")
    tests.rename(target)


def read(output: str) -> dict[str, bool]:
    """Each test by its name, and whether it passed. Some print lines of their own before they say so."""
    outcomes: dict[str, bool] = {}
    # From Python 3.11 on the test's own name is in the brackets too.
    pattern = r"^(test_\w+) \((?:\w+\.)*?(\w+)(?:\.\1)?\)(?:\n.*?)*? \.\.\. (?:.*?\n)*?.*?(ok|FAIL|ERROR|skipped)"
    for match in re.finditer(pattern, output, re.MULTILINE):
        outcomes[f"{match[2]}.{match[1]}"] = match[3] in ("ok", "skipped")
    return outcomes


if __name__ == "__main__":
    sys.exit(main())
