"""Every text of the app is in every language that it ships, and what is compiled is what is written.

After a change: django-admin makemessages --all --no-location --no-obsolete, translate, django-admin compilemessages; in
djintegrate/openid_auth.
"""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

import djintegrate.openid_auth
from tests.openid_auth.site import set_up

APP = Path(djintegrate.openid_auth.__file__).parent
LANGUAGES = ["de", "es", "fr"]
TEXT = r'((?:\s*"(?:[^"\\]|\\.)*")+)'


def in_python(source: str) -> Iterator[str]:
    for texts in re.findall(rf"\b(?:_|ngettext)\({TEXT}(?:,{TEXT})?", source):
        yield from (ast.literal_eval(f"({text})") for text in texts if text)


def in_template(source: str) -> Iterator[str]:
    yield from re.findall(r'{% translate "([^"]*)" %}', source)
    for block in re.findall(r"{% blocktranslate[^%]*%}(.*?){% endblocktranslate %}", source, re.DOTALL):
        yield re.sub(r"{{ (\w+) }}", r"%(\1)s", block)


TEXTS = {text for file in APP.rglob("*.py") for text in in_python(file.read_text())} | {
    text for file in APP.rglob("*.html") for text in in_template(file.read_text())
}


def written(language: str) -> dict[str, str]:
    """The .po file: all msgid and msgstr, a plural's too."""
    source = (APP / "locale" / language / "LC_MESSAGES" / "django.po").read_text()
    entries: dict[str, str] = {}
    for block in source.split("\n\n"):
        one, many, *translations = (
            ast.literal_eval(f"({found[1]})") if (found := re.search(rf"^{key}{TEXT}", block, re.MULTILINE)) else None
            for key in ("msgid", "msgid_plural", "msgstr", r"msgstr\[0\]", r"msgstr\[1\]")
        )
        if one and many:
            entries |= {one: translations[1] or "", many: translations[2] or ""}
        elif one:
            entries[one] = translations[0] or ""
    return entries


def compiled(language: str) -> dict[str, str]:
    with (APP / "locale" / language / "LC_MESSAGES" / "django.mo").open("rb") as file:
        catalog: dict[Any, str] = vars(gettext.GNUTranslations(file))["_catalog"]
    # A plural's key is the singular and a number.
    return {
        key if isinstance(key, str) else key[0]: text
        for key, text in catalog.items()
        if key and not (isinstance(key, tuple) and key[1])
    }


def test_texts_are_found() -> None:
    assert {"Sign in", "Try again", "%d expired nonces removed", "Authentication cancelled"} <= TEXTS


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated(language: str) -> None:
    entries = written(language)
    assert {text for text in TEXTS if not entries.get(text)} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_inserted_is_the_same_in_every_language(language: str) -> None:
    inserted = re.compile(r"%\(\w+\)s|%[sd]")
    for text, translation in written(language).items():
        assert sorted(inserted.findall(text)) == sorted(inserted.findall(translation)), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_compiled_is_what_is_written(language: str) -> None:
    entries = written(language)
    for text, translation in compiled(language).items():
        assert entries[text] == translation
    singular = {text for text in entries if not text.endswith(("nonces removed", "associations removed"))}
    assert set(compiled(language)) == singular


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "title", "button"),
    [
        ("de", "<title>Anmelden</title>", "Mit Launchpad anmelden"),
        ("es", "<title>Iniciar sesión</title>", "Iniciar sesión con Launchpad"),
        ("fr", "<title>Se connecter</title>", "Se connecter avec Launchpad"),
    ],
)
def test_the_pages_speak_it(client: Client, settings: Any, language: str, title: str, button: str) -> None:
    set_up(settings)
    settings.LANGUAGE_CODE = language
    page = client.get("/openid/login/").content.decode()
    assert title in page
    assert button in page
    assert f'<html lang="{language}"' in page
