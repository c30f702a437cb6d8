"""The settings of the OpenID app, declared in one place, with their types and defaults.

They are read anew at each use and are never changed here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from djintegrate.common.settings import Declared, Setting
from djintegrate.common.types import (
    Type,
    boolean,
    dictionary,
    function,
    number,
    one_of,
    optional,
    pair,
    record,
    sequence,
    text,
    texts,
    unfit,
    whole_number,
)

LAUNCHPAD = "https://login.launchpad.net/"
UBUNTU_ONE = "https://login.ubuntu.com/"
PROVIDERS = (
    {"name": "Launchpad", "url": LAUNCHPAD, "icon": "openid/launchpad.svg"},
    {"name": "Ubuntu One", "url": UBUNTU_ONE, "icon": "openid/ubuntu-one.svg"},
)

FIELDS = "a list of names of simple registration fields"
TEAMS = "a list of team names"
SECONDS = "a whole number of seconds, 0 or more, or None"
BUTTON = 'a dictionary, {"name": …, "url": …, "icon": …}, of which the icon may be left out'
CONNECT = 'a dictionary, {"name": …, "issuer": …, "client_id": …, "client_secret": …} and more for OpenID Connect'
SECRET = ("client_secret", "private_key")
SLUG = re.compile(r"[a-zA-Z0-9_-]{1,60}")


def optional_text(should_be: str) -> Type[str | None]:
    """An empty text, as an environment variable may give it, says as much as None."""
    return lambda value: optional(text(should_be))(value) or None


def optional_boolean(value: Any) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise unfit(value, "True, False or None")
    return value


def slug(value: Any) -> str:
    found = text("letters, digits, hyphens and underscores")(value)
    if not SLUG.fullmatch(found):
        raise unfit(value, "letters, digits, hyphens and underscores", "")
    return found


def icon(value: Any) -> str | None:
    return optional(text("the URL of a picture, its path among the static files, or None"))(value)


_button = record(BUTTON, {"name": text("the text of a button"), "url": text("the URL of a provider")}, icon=icon)
_connect = record(
    CONNECT,
    {"name": text("the text of a button"), "issuer": text("the provider's issuer"), "client_id": text("a client's id")},
    icon=icon,
    key=slug,
    client_secret=text("the client's secret"),
    private_key=text("a private key in PEM"),
    auth_method=one_of("client_secret_basic", "client_secret_post", "private_key_jwt", "none"),
    scope=text("scopes, with spaces between"),
    groups_claim=text("a claim's name"),
    trust_groups=boolean,
    trust_email=boolean,
)


def provider(value: Any) -> dict[str, Any]:
    """One of OPENID_PROVIDERS. What is said of a wrong one shows no secret."""
    if not isinstance(value, Mapping) or "issuer" not in value:
        return _button(value)
    secrets = {name: value[name] for name in SECRET if name in value}
    hidden = {name: "********" if isinstance(secret, str) else type(secret) for name, secret in secrets.items()}
    return {**_connect({**value, **hidden}), **secrets}


class OpenIDSettings:
    """Every setting as an attribute: `config.create_users`."""

    create_users = Setting("OPENID_CREATE_USERS", boolean, False)
    update_details = Setting("OPENID_UPDATE_DETAILS_FROM_SREG", boolean, False)
    sso_server_url = Setting("OPENID_SSO_SERVER_URL", optional_text("the URL of a provider, or None"), None)
    trust_root = Setting("OPENID_TRUST_ROOT", optional_text("the URL that the provider is to trust, or None"), None)
    teams_mapping = Setting(
        "OPENID_LAUNCHPAD_TEAMS_MAPPING",
        dictionary("a dictionary from a team's name to a group's", text("a team's name"), text("a group's name")),
        {},
    )
    teams_mapping_auto = Setting("OPENID_LAUNCHPAD_TEAMS_MAPPING_AUTO", boolean, False)
    teams_mapping_auto_blacklist = Setting(
        "OPENID_LAUNCHPAD_TEAMS_MAPPING_AUTO_BLACKLIST", texts("a list of group names"), ()
    )
    teams_required = Setting("OPENID_LAUNCHPAD_TEAMS_REQUIRED", texts(TEAMS), ())
    staff_teams = Setting("OPENID_LAUNCHPAD_STAFF_TEAMS", optional(texts(f"{TEAMS}, or None")), None)
    email_whitelist = Setting(
        "OPENID_EMAIL_WHITELIST_REGEXP_LIST", texts("a list of regular expressions for e-mail addresses"), ()
    )
    redirect_domains = Setting("ALLOWED_EXTERNAL_OPENID_REDIRECT_DOMAINS", texts("a list of host names"), ())
    use_as_admin_login = Setting("OPENID_USE_AS_ADMIN_LOGIN", boolean, False)
    user_admin = Setting("OPENID_USER_ADMIN", boolean, False)
    follow_renames = Setting("OPENID_FOLLOW_RENAMES", boolean, False)
    strict_usernames = Setting("OPENID_STRICT_USERNAMES", boolean, False)
    physical_multifactor_required = Setting("OPENID_PHYSICAL_MULTIFACTOR_REQUIRED", boolean, False)
    render_failure = Setting("OPENID_RENDER_FAILURE", optional(function("a function, its dotted path, or None")), None)
    use_email_for_username = Setting("OPENID_USE_EMAIL_FOR_USERNAME", boolean, False)
    verification_schemes = Setting(
        "OPENID_VALID_VERIFICATION_SCHEMES",
        dictionary(
            "a dictionary from a provider's URL, or None, to a list",
            optional(text("a provider's URL, or None")),
            texts("a list of ways to verify an account"),
        ),
        {},
    )
    sreg_required_fields = Setting("OPENID_SREG_REQUIRED_FIELDS", texts(FIELDS), ())
    sreg_extra_fields = Setting("OPENID_SREG_EXTRA_FIELDS", texts(FIELDS), ())
    disallow_inames = Setting("OPENID_DISALLOW_INAMES", boolean, False)
    user_group_model = Setting("AUTH_USER_GROUP_MODEL", optional_text('"app_label.ModelName", or None'), None)
    teams_trusted_endpoints = Setting(
        "OPENID_TEAMS_TRUSTED_ENDPOINTS", optional(texts("a list of URLs, or None")), None
    )
    allow_unsolicited = Setting("OPENID_ALLOW_UNSOLICITED", boolean, False)
    fetch_allowed_hosts = Setting("OPENID_FETCH_ALLOWED_HOSTS", texts("a list of hosts, as host or host:port"), ())
    fetch_timeout = Setting("OPENID_FETCH_TIMEOUT", number("a number of seconds, above 0", above=0), 10)
    fetch_max_bytes = Setting("OPENID_FETCH_MAX_BYTES", whole_number("a number of bytes", least=0), 1024 * 1024)
    fetch_max_redirects = Setting("OPENID_FETCH_MAX_REDIRECTS", whole_number("a whole number, 0 or more", least=0), 5)
    login_throttle = Setting(
        "OPENID_LOGIN_THROTTLE",
        optional(pair("(times, seconds), each a whole number of 1 or more, or None", least=1)),
        (30, 60),
    )
    providers = Setting(
        "OPENID_PROVIDERS",
        sequence("a list of dictionaries with name, url and icon, or with name, issuer and client_id", provider),
        PROVIDERS,
    )
    throttle_proxies = Setting(
        "OPENID_THROTTLE_PROXIES", optional(whole_number("a number of proxies, 0 or more, or None", least=0)), None
    )
    fetcher = Setting(
        "OPENID_FETCHER", optional(function("a function that makes a fetcher, its dotted path, or None")), None
    )
    notify = Setting("OPENID_NOTIFY", optional_boolean, None)
    confirm_seconds = Setting("OPENID_CONFIRM_SECONDS", optional(whole_number(SECONDS, least=0)), 600)
    link = Setting("OPENID_LINK", optional(function("a function, its dotted path, or None")), None)
    recheck_seconds = Setting("OPENID_RECHECK_SECONDS", optional(whole_number(SECONDS, least=0)), None)


config = OpenIDSettings()
DECLARED = Declared("openid_auth", "OPENID_", vars(OpenIDSettings))
