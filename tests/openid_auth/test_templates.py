"""Templates of a site in place of the app's: block by block, whole, and those made for django-openid-auth."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

import djintegrate.openid_auth
from djintegrate.openid_auth.site import pages
from tests.openid_auth.site import set_up

pytestmark = pytest.mark.django_db

TEMPLATES = Path(djintegrate.openid_auth.__file__).parent / "templates/openid"
HOW_TO = (Path(__file__).resolve().parents[2] / "docs/how-to/openid-pages-and-providers.md").read_text()


@pytest.fixture
def write(settings: Any, tmp_path: Path) -> Any:
    """Puts a template before the app's own."""
    set_up(settings)
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [str(tmp_path)]}]

    def write_template(name: str, text: str) -> None:
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)

    return write_template


def test_a_block_is_changed_and_the_rest_stays(write: Any, client: Client) -> None:
    blocks = re.findall(r"^```html\+django\n(.*?)^```$", HOW_TO, re.MULTILINE | re.DOTALL)
    write("openid/login.html", blocks[0])
    page = client.get("/openid/login/").content.decode()
    assert "<h1>Welcome to the club</h1>" in page
    assert "Not a member yet?" in page
    assert "Sign in with Launchpad" in page


def test_the_frame_of_the_site_is_put_around_every_page(write: Any, client: Client) -> None:
    blocks = re.findall(r"^```html\+django\n(.*?)^```$", HOW_TO, re.MULTILINE | re.DOTALL)
    write("site.html", "<i>the club</i>{% block css %}{% endblock %}{% block body %}{% endblock %}")
    write("openid/base.html", blocks[1])
    for path in ("/openid/login/", "/openid/complete/"):
        page = client.get(path).content.decode()
        assert page.startswith("<i>the club</i>")
        assert "openid/openid.css" in page
        assert "<h1>" in page


def test_the_input_names_what_describes_it_where_that_is_in_the_page(write: Any, client: Client) -> None:
    page = client.post("/openid/login/", {"openid_identifier": ""}).content.decode()
    named = re.findall(r'aria-describedby="([^"]+)"', page)[0].split()
    assert named and all(f'id="{each}"' in page for each in named)


def test_in_a_template_of_the_sites_own_it_names_nothing_that_may_be_missing(write: Any, client: Client) -> None:
    write("openid/login.html", "{{ form.openid_identifier }}")
    assert "aria-describedby" not in client.post("/openid/login/", {"openid_identifier": ""}).content.decode()


def test_templates_made_for_django_openid_auth_work(write: Any, client: Client) -> None:
    write(
        "openid/login.html",
        """<img src="{% url 'openid-logo' %}"><form action="{{ action }}" method="post">{% csrf_token %}
        {% if form.errors %}{{ form.openid_identifier.errors|join:", " }}{% endif %}
        {{ form.openid_identifier }}{% if next %}<input type="hidden" name="next" value="{{ next }}">{% endif %}""",
    )
    write("openid/failure.html", "<p>{{ message|escape }}</p>")
    page = client.get("/openid/login/?next=/here/").content.decode()
    assert 'name="openid_identifier"' in page
    assert 'name="next" value="/here/"' in page
    logo = re.search(r'src="([^"]+)"', page)
    assert logo
    assert client.get(logo[1])["Location"] == "/static/openid/openid.svg"
    assert client.get("/openid/complete/").content.decode() == "<p>This is an OpenID relying party endpoint.</p>"


def test_every_block_is_documented() -> None:
    for template in TEMPLATES.glob("*.html"):
        row = re.search(rf"^\| `openid/{template.name}` \|(.*)$", HOW_TO, re.MULTILINE)
        assert row, template.name
        blocks = set(re.findall(r"{% block (\w+) %}", template.read_text()))
        if template.name != "base.html":
            blocks -= {"content", "title", "scripts"}
        assert blocks == set(re.findall(r"`(\w+)`", row[1].partition("|")[0])), template.name


def test_icons_are_static_files_or_addresses(settings: Any) -> None:
    icons = {"": "/static/openid/openid.svg", "club/key.svg": "/static/club/key.svg", "/key.svg": "/key.svg"}
    icons["https://cdn.example/key.svg"] = "https://cdn.example/key.svg"
    settings.OPENID_PROVIDERS = [{"name": "x", "url": "https://op.example/", "icon": icon} for icon in icons]
    assert [provider.icon for provider in pages.providers()] == list(icons.values())


def test_without_providers_there_is_the_field_alone(settings: Any, client: Client) -> None:
    set_up(settings)
    settings.OPENID_PROVIDERS = []
    page = client.get("/openid/login/").content.decode()
    assert "openid-providers" not in page
    assert 'name="openid_identifier"' in page


def test_the_ready_made_providers_have_icons_that_exist() -> None:
    names = [provider.name for provider in pages.providers()]
    assert names == ["Launchpad", "Ubuntu One"]
    for provider in pages.providers():
        assert (TEMPLATES.parent.parent / provider.icon.lstrip("/")).is_file()


def test_the_script_has_the_nonce_that_django_gives(rf: Any, settings: Any) -> None:
    csp = pytest.importorskip("django.middleware.csp", reason="Django has policies for content from 6.0 on.")
    settings.SECURE_CSP = {"script-src": ["<CSP_NONCE_SENTINEL>"]}

    def view(request: Any) -> Any:
        return pages.send_by_form(request, "https://op.example/", [("openid.mode", "checkid_setup")])

    response = csp.ContentSecurityPolicyMiddleware(view)(rf.get("/"))
    nonce = re.search(r'<script[^>]* nonce="([^"]+)"', response.content.decode())
    assert nonce
    assert response["Content-Security-Policy"] == f"script-src 'nonce-{nonce[1]}'"
