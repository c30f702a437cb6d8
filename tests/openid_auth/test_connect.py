"""OpenID Connect with a certified provider: people sign in, link identities, change groups, and sign out."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache

from djintegrate.openid_auth.models import UserOpenID
from tests.openid_auth.certified import Browser, Certified
from tests.openid_auth.site import Visitor, local, set_up

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def site(settings: Any, certified: Certified) -> None:
    cache.clear()
    set_up(settings, certified.host)
    settings.OPENID_PROVIDERS = [certified.register()]


class Person(Visitor):
    """Somebody with a browser that both the site and the provider know."""

    def __init__(self, provider: Certified, begin: str = "/openid/login/") -> None:
        super().__init__()
        self.provider = provider
        self.there = Browser(provider)
        self.page = begin

    def begin_at(self, **data: str) -> Any:
        return self.client.post(self.page, {"openid_issuer": self.provider.url, **data})

    def come(self, **data: str) -> Any:
        """The response to the provider's answer."""
        begun = self.begin_at(**data)
        assert begun.status_code == 302, begun.content.decode()
        return self.client.get(local(self.there.go(begun["Location"])))


def test_a_person_signs_in_with_what_the_provider_says(certified: Certified) -> None:
    person = Person(certified)
    response = person.come(next="/?here")
    assert (response.status_code, response["Location"]) == (302, "/?here"), response.content.decode()
    user = person.user
    assert (user.username, user.email, user.get_full_name()) == ("ada", "ada@people.example", "Ada Okoye")
    identity = UserOpenID.objects.get()
    assert identity.claimed_id == f"{certified.url} ada-1"
    assert str(identity) == "ada (Staff)"
