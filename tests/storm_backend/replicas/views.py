"""The site's views. Most answer which server each ORM reads from; the addresses are the functions' names."""

from __future__ import annotations

import asyncio
from typing import Any

import transaction
from asgiref.sync import sync_to_async
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.db import DatabaseError, connections
from django.db import transaction as django_transaction
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View

from djintegrate.storm_backend import get_store, store_policy
from tests.apps.people.models import Person
from tests.apps.people.storm_models import StormPerson
from tests.support.helpers import Retryable

# How often each view has run, by its name.
runs: dict[str, int] = {}
# What the tests let the next views do in the middle.
in_the_middle: list[Any] = []

PRIMARY, REPLICA = "primary", "replica"
ASK = "SELECT pg_is_in_recovery()"


def by_django() -> str:
    with connections["extra"].cursor() as cursor:
        cursor.execute(ASK)
        return REPLICA if cursor.fetchone()[0] else PRIMARY


def by_storm() -> str:
    return REPLICA if get_store("extra").execute(ASK).get_one()[0] else PRIMARY


def seen() -> dict[str, str]:
    return {"django": by_django(), "storm": by_storm()}


def where(request: HttpRequest) -> JsonResponse:
    return JsonResponse(seen())


async def where_async(request: HttpRequest) -> JsonResponse:
    return JsonResponse(await sync_to_async(seen)())


def names(request: HttpRequest) -> JsonResponse:
    by_django = sorted(Person.objects.values_list("name", flat=True))
    by_storm = sorted(get_store("extra").find(StormPerson).values(StormPerson.name))
    return JsonResponse({"names": by_django if by_django == by_storm else [by_django, by_storm], **seen()})


def _count(name: str) -> None:
    runs[name] = runs.get(name, 0) + 1


def by_django_writes(request: HttpRequest) -> JsonResponse:
    _count("by_django_writes")
    Person.objects.create(name=request.GET.get("name", "ann"))
    return JsonResponse(seen())


def by_storm_writes(request: HttpRequest) -> JsonResponse:
    _count("by_storm_writes")
    # Pending: it is refused in the middleware's commit.
    get_store("extra").add(StormPerson(request.GET.get("name", "ann")))
    return JsonResponse({})


async def async_writes(request: HttpRequest) -> JsonResponse:
    _count("async_writes")
    await Person.objects.acreate(name="ann")
    return JsonResponse(await sync_to_async(seen)())


def by_sqlalchemy_writes(request: HttpRequest) -> JsonResponse:
    _count("by_sqlalchemy_writes")
    from sqlalchemy import text

    from djintegrate.storm_backend.sqlalchemy import engine

    with engine("extra").begin() as connection:
        is_replica = connection.execute(text(ASK)).scalar()
        if "name" in request.GET:
            connection.execute(text("INSERT INTO people_person (name) VALUES ('ann')"))
    return JsonResponse({"sqlalchemy": REPLICA if is_replica else PRIMARY})


def swallows(request: HttpRequest) -> HttpResponse:
    """Writes, and says that all is well though it is not."""
    _count("swallows")
    try:
        with django_transaction.atomic("extra"):
            Person.objects.create(name="ann")
    except DatabaseError:
        return HttpResponse("not written")
    return HttpResponse("written")


def locks(request: HttpRequest) -> JsonResponse:
    _count("locks")
    list(Person.objects.select_for_update())
    return JsonResponse(seen())


def on_commit_writes(request: HttpRequest) -> JsonResponse:
    _count("on_commit_writes")
    where = seen()
    django_transaction.on_commit(lambda: Person.objects.create(name="ann"), using="extra")
    return JsonResponse(where)


@store_policy("replica")
def posted_writes(request: HttpRequest) -> HttpResponse:
    _count("posted_writes")
    where = by_django()
    Person.objects.create(name=request.POST["name"])
    return HttpResponse(where)


def retries(request: HttpRequest) -> JsonResponse:
    """Writes, and wants to be tried again the first time that it could."""
    _count("retries")
    Person.objects.create(name="ann")
    if runs["retries"] == 2:
        raise Retryable
    return JsonResponse(seen())


def keeps(request: HttpRequest) -> JsonResponse:
    _count("keeps")
    request.session["kept"] = "yes"
    return JsonResponse(seen())


def kept(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"kept": request.session.get("kept"), "user": str(request.user), **seen()})


def sign_in(request: HttpRequest) -> HttpResponse:
    login(request, User.objects.get(username="ann"), "django.contrib.auth.backends.ModelBackend")
    return HttpResponse("welcome")


def loses(request: HttpRequest) -> JsonResponse:
    """What the test says happens after it has read."""
    _count("loses")
    first = seen()
    while in_the_middle:
        in_the_middle.pop()()
    return JsonResponse({"first": first, **seen()})


def streams_late(request: HttpRequest) -> StreamingHttpResponse:
    """Reads when its content is asked for, which is after the request."""
    by_django()
    return StreamingHttpResponse(ask() for ask in [by_django, by_storm])


def fails(request: HttpRequest) -> JsonResponse:
    _count("fails")
    raise ValueError(by_django())


def commits_and_writes(request: HttpRequest) -> JsonResponse:
    """Commits by itself."""
    with store_policy("primary"):
        Person.objects.create(name="ann")
        transaction.commit()
    return JsonResponse({})


def commits_and_goes_on(request: HttpRequest) -> JsonResponse:
    """Commits what it has read, and writes."""
    _count("commits_and_goes_on")
    first = seen()
    transaction.commit()
    Person.objects.create(name="ann")
    return JsonResponse({"first": first, **seen()})


def commits_after_a_refusal(request: HttpRequest) -> HttpResponse:
    _count("commits_after_a_refusal")
    answer = swallows(request)
    transaction.commit()
    return answer


def commits_and_writes_after_it(request: HttpRequest) -> JsonResponse:
    _count("commits_and_writes_after_it")
    first = seen()
    django_transaction.on_commit(lambda: Person.objects.create(name="ann"), using="extra")
    transaction.commit()
    return JsonResponse({"first": first, **seen()})


def commits_and_keeps(request: HttpRequest) -> JsonResponse:
    """Commits what it has read, and has a session that is saved after it."""
    _count("commits_and_keeps")
    first = seen()
    get_store("extra").commit()
    request.session["kept"] = "yes"
    return JsonResponse({"first": first, **seen()})


def reads_on_primary(request: HttpRequest) -> JsonResponse:
    with store_policy("primary"):
        return JsonResponse(seen())


def nested(request: HttpRequest) -> JsonResponse:
    around = [by_django()]
    with store_policy("primary"):
        Person.objects.create(name="ann")
        written = by_storm()
        with store_policy("replica"):
            inner = seen()
        back = by_django()
    around.append(by_storm())
    return JsonResponse({"around": around, "within": [written, back], "innermost": inner})


async def at_once(request: HttpRequest) -> JsonResponse:
    """Two coroutines of one request, each with a policy, in turns; and what is around them."""
    there, here = asyncio.Event(), asyncio.Event()

    async def primary() -> list[str]:
        async with store_policy("primary"):
            first = await sync_to_async(by_django)()
            there.set()
            await here.wait()
            return [first, await sync_to_async(by_storm)()]

    async def replica() -> list[str]:
        await there.wait()
        with store_policy("replica"):
            first = await sync_to_async(by_django)()
        here.set()
        return [first, await sync_to_async(by_storm)()]

    found = await asyncio.gather(primary(), replica())
    return JsonResponse({"primary": found[0], "replica": found[1], "after": await sync_to_async(by_django)()})


@store_policy("replica")
def feed(request: HttpRequest) -> JsonResponse:
    return JsonResponse(seen())


@store_policy("replica")
async def feed_async(request: HttpRequest) -> JsonResponse:
    return JsonResponse(await sync_to_async(seen)())


@store_policy("primary")
async def page_async(request: HttpRequest) -> JsonResponse:
    return JsonResponse(await sync_to_async(seen)())


@method_decorator(store_policy("primary"), name="dispatch")
class Page(View):
    def get(self, request: HttpRequest) -> JsonResponse:
        return JsonResponse(seen())


FUNCTIONS = [
    where, where_async, names, by_django_writes, by_storm_writes, by_sqlalchemy_writes, async_writes, swallows, locks,
    on_commit_writes, posted_writes, retries, keeps, kept, sign_in, loses, streams_late, fails, commits_and_writes,
    commits_and_goes_on, commits_and_keeps, commits_after_a_refusal, commits_and_writes_after_it,
    reads_on_primary, nested, at_once, feed, feed_async, page_async,
]  # fmt: skip
urlpatterns = [*(path(f"{view.__name__}/", view) for view in FUNCTIONS), path("page/", Page.as_view())]
