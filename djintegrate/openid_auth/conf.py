"""The settings of the OpenID app, read in one place, with their types and defaults.

They are read anew at each use and are never changed here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, overload

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

T = TypeVar("T")

LAUNCHPAD = "https://login.launchpad.net/"
UBUNTU_ONE = "https://login.ubuntu.com/"
PROVIDERS = (
    {"name": "Launchpad", "url": LAUNCHPAD, "icon": "openid/launchpad.svg"},
    {"name": "Ubuntu One", "url": UBUNTU_ONE, "icon": "openid/ubuntu-one.svg"},
)


@dataclass(frozen=True)
class Setting(Generic[T]):
    """One setting: reading it gives its value in the type it has here, or ImproperlyConfigured."""

    name: str
    default: Any
    read: Callable[[Any], T]
    must_be: str

    @overload
    def __get__(self, instance: None, owner: type) -> Setting[T]: ...

    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: object | None, owner: type) -> T | Setting[T]:
        return self if instance is None else self.value

    @property
    def value(self) -> T:
        value = getattr(settings, self.name, self.default)
        try:
            return self.read(value)
        except (TypeError, ValueError, KeyError, ImportError, AttributeError) as error:
            raise ImproperlyConfigured(f"{self.name} is {value!r}. Make it {self.must_be}.") from error


def _optional_text(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError
    return value or None


def _texts(value: Any) -> Collection[str]:
    if isinstance(value, str | Mapping) or not all(isinstance(item, str) for item in value):
        raise TypeError
    return tuple(value)


def _optional_texts(value: Any) -> Collection[str] | None:
    return None if value is None else _texts(value)


def _text_to_text(value: Any) -> Mapping[str, str]:
    if not all(isinstance(item, str) for pair in value.items() for item in pair):
        raise TypeError
    return dict(value)


def _schemes(value: Any) -> Mapping[str | None, Collection[str]]:
    return {None if url is None else str(url): _texts(schemes) for url, schemes in value.items()}


def _providers(value: Any) -> tuple[Mapping[str, str], ...]:
    entries = tuple(dict(entry) for entry in value)
    for entry in entries:
        _texts((entry["name"], entry["url"], entry.get("icon", "")))
    return entries


def _function(value: Any) -> Callable[..., Any] | None:
    found = import_string(value) if isinstance(value, str) else value
    if found is not None and not callable(found):
        raise TypeError
    return found


def _positive(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise TypeError
    return value


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TypeError
    return value


def _optional_count(value: Any) -> int | None:
    return None if value is None else _count(value)


def _optional_flag(value: Any) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise TypeError
    return value


def _throttle(value: Any) -> tuple[int, int] | None:
    if value is None:
        return None
    times, seconds = value
    if _count(times) < 1 or _count(seconds) < 1:
        raise ValueError
    return times, seconds


URLS = "a list of URLs"
TEAMS = "a list of team names"
FIELDS = "a list of names of simple registration fields"
FLAG = "True or False"


class OpenIDSettings:
    """Every setting as an attribute: `config.create_users`."""

    create_users = Setting("OPENID_CREATE_USERS", False, bool, FLAG)
    update_details = Setting("OPENID_UPDATE_DETAILS_FROM_SREG", False, bool, FLAG)
    sso_server_url = Setting("OPENID_SSO_SERVER_URL", None, _optional_text, "the URL of a provider, or None")
    trust_root = Setting("OPENID_TRUST_ROOT", None, _optional_text, "the URL that the provider is to trust, or None")
    teams_mapping = Setting(
        "OPENID_LAUNCHPAD_TEAMS_MAPPING", {}, _text_to_text, "a dictionary from a team's name to a group's"
    )
    teams_mapping_auto = Setting("OPENID_LAUNCHPAD_TEAMS_MAPPING_AUTO", False, bool, FLAG)
    teams_mapping_auto_blacklist = Setting(
        "OPENID_LAUNCHPAD_TEAMS_MAPPING_AUTO_BLACKLIST", (), _texts, "a list of group names"
    )
    teams_required = Setting("OPENID_LAUNCHPAD_TEAMS_REQUIRED", (), _texts, TEAMS)
    staff_teams = Setting[Collection[str] | None](
        "OPENID_LAUNCHPAD_STAFF_TEAMS",
        None,
        _optional_texts,
        f"{TEAMS}, or None",
    )
    email_whitelist = Setting(
        "OPENID_EMAIL_WHITELIST_REGEXP_LIST", (), _texts, "a list of regular expressions for e-mail addresses"
    )
    redirect_domains = Setting("ALLOWED_EXTERNAL_OPENID_REDIRECT_DOMAINS", (), _texts, "a list of host names")
    use_as_admin_login = Setting("OPENID_USE_AS_ADMIN_LOGIN", False, bool, FLAG)
    user_admin = Setting("OPENID_USER_ADMIN", False, bool, FLAG)
    follow_renames = Setting("OPENID_FOLLOW_RENAMES", False, bool, FLAG)
    strict_usernames = Setting("OPENID_STRICT_USERNAMES", False, bool, FLAG)
    physical_multifactor_required = Setting("OPENID_PHYSICAL_MULTIFACTOR_REQUIRED", False, bool, FLAG)
    render_failure = Setting("OPENID_RENDER_FAILURE", None, _function, "a function, its dotted path, or None")
    use_email_for_username = Setting("OPENID_USE_EMAIL_FOR_USERNAME", False, bool, FLAG)
    verification_schemes = Setting(
        "OPENID_VALID_VERIFICATION_SCHEMES", {}, _schemes, "a dictionary from a provider's URL, or None, to a list"
    )
    sreg_required_fields = Setting("OPENID_SREG_REQUIRED_FIELDS", (), _texts, FIELDS)
    sreg_extra_fields = Setting("OPENID_SREG_EXTRA_FIELDS", (), _texts, FIELDS)
    disallow_inames = Setting("OPENID_DISALLOW_INAMES", False, bool, FLAG)
    user_group_model = Setting("AUTH_USER_GROUP_MODEL", None, _optional_text, '"app_label.ModelName", or None')
    teams_trusted_endpoints = Setting[Collection[str] | None](
        "OPENID_TEAMS_TRUSTED_ENDPOINTS",
        None,
        _optional_texts,
        f"{URLS}, or None",
    )
    allow_unsolicited = Setting("OPENID_ALLOW_UNSOLICITED", False, bool, FLAG)
    fetch_allowed_hosts = Setting("OPENID_FETCH_ALLOWED_HOSTS", (), _texts, "a list of hosts, as host or host:port")
    fetch_timeout = Setting("OPENID_FETCH_TIMEOUT", 10, _positive, "a number of seconds")
    fetch_max_bytes = Setting("OPENID_FETCH_MAX_BYTES", 1024 * 1024, _count, "a number of bytes")
    fetch_max_redirects = Setting("OPENID_FETCH_MAX_REDIRECTS", 5, _count, "a whole number, 0 or more")
    login_throttle = Setting("OPENID_LOGIN_THROTTLE", (30, 60), _throttle, "(times, seconds), or None")
    providers = Setting("OPENID_PROVIDERS", PROVIDERS, _providers, 'a list of {"name": …, "url": …, "icon": …}')
    throttle_proxies = Setting[int | None](
        "OPENID_THROTTLE_PROXIES", None, _optional_count, "a number of proxies, 0 or more, or None"
    )
    fetcher = Setting("OPENID_FETCHER", None, _function, "a function that makes a fetcher, its dotted path, or None")
    notify = Setting[bool | None]("OPENID_NOTIFY", None, _optional_flag, "True, False or None")
    confirm_seconds = Setting[int | None](
        "OPENID_CONFIRM_SECONDS", 600, _optional_count, "a whole number of seconds, or None"
    )
    recheck_seconds = Setting[int | None](
        "OPENID_RECHECK_SECONDS", None, _optional_count, "a whole number of seconds, or None"
    )


config = OpenIDSettings()


def every_setting() -> Iterator[Setting[Any]]:
    return (setting for setting in vars(OpenIDSettings).values() if isinstance(setting, Setting))
