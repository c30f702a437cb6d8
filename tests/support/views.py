"""Views that write one person with each ORM and then end in the way that their address says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import transaction
from django.core.exceptions import PermissionDenied
from django.db import transaction as django_transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.template.response import TemplateResponse

from djintegrate.storm_backend import get_store
from tests.apps.people.models import Person, Visit
from tests.apps.people.storm_models import StormVisit
from tests.support.helpers import Oops, Retryable, Spy, django_add, joined, names_in_both, storm_add

# What the views saw; the tests read it, and empty it before each test.
seen: list[Any] = []


def names(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"names": names_in_both()})


def write(request: HttpRequest, then: str = "returns") -> HttpResponseBase:
    name = request.GET.get("name", "")
    django_add(f"django{name}")
    storm_add(f"storm{name}")
    seen.append(request)
    return ENDS[then](request)


async def async_write(request: HttpRequest, then: str = "returns") -> HttpResponseBase:
    await Person.objects.acreate(name="async")
    seen.append(request)
    return ENDS[then](request)


def retried(request: HttpRequest, attempts: int) -> HttpResponse:
    """Asks to be run again until it has run `attempts` times."""
    run = {
        "attributes": sorted(vars(request).keys() & {"left_behind", "user_of_attempt"}),
        "POST": request.POST.dict(),
        "files": {name: file.read() for name, file in request.FILES.items()},
        "META": request.META.get("LEFT_BEHIND"),
        "names": names_in_both(),
        "id": id(request),
    }
    seen.append(run)
    request.left_behind = True  # type: ignore[attr-defined]
    request.META["LEFT_BEHIND"] = "yes"
    django_add("django")
    storm_add("storm")
    if len(seen) < attempts:
        raise Retryable
    return HttpResponse("done")


def retried_over_all(request: HttpRequest, attempts: int) -> HttpResponse:
    """Updates all visits through Storm, which then goes to each object too that it knows of."""
    placeholder = Visit.objects.create(note="takes the key that the visit of the first attempt had") if seen else None
    seen.append(get_store("main").add(StormVisit("by Storm")))
    get_store("main").flush()
    if placeholder:
        placeholder.delete()
    if len(seen) < attempts:
        raise Retryable
    get_store("main").find(StormVisit).set(note="seen")
    return HttpResponse("done")


def retried_raw(request: HttpRequest, attempts: int) -> HttpResponse:
    seen.append((request.body, request.content_type))
    django_add("django")
    if len(seen) < attempts:
        raise Retryable
    return HttpResponse(request.body)


def retried_at_the_commit(request: HttpRequest, attempts: int) -> HttpResponse:
    seen.append(names_in_both())
    django_add("django")

    class Refusing(Spy):
        def tpc_vote(self, txn: Any) -> None:
            if len(seen) < attempts:
                raise Retryable

    joined(Refusing())
    return HttpResponse("done")


def streams(request: HttpRequest) -> StreamingHttpResponse:
    django_add("before")

    def parts() -> Iterator[bytes]:
        seen.append(django_transaction.get_autocommit())
        yield b"first,"
        django_add("while streaming")
        yield b"second"

    return StreamingHttpResponse(parts())


def _raises(error: type[Exception]) -> Callable[[HttpRequest], HttpResponse]:
    def view(request: HttpRequest) -> HttpResponse:
        raise error("on purpose")

    return view


def _answers(status: int, **headers: str) -> Callable[[HttpRequest], HttpResponse]:
    return lambda request: HttpResponse(
        "done", status=status, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


def _does(act: Callable[[], object]) -> Callable[[HttpRequest], HttpResponse]:
    def view(request: HttpRequest) -> HttpResponse:
        act()
        return HttpResponse("done")

    return view


def _fails_late() -> None:
    # What the database refuses when it is asked to commit.
    Visit.objects.create(note="of nobody", person_id=999)


def _notes_user(request: HttpRequest) -> HttpResponse:
    str(request.user)
    spy = joined(Spy())
    txn = transaction.get()
    spy.watch = {"tpc_vote": lambda: seen.append((txn.user, txn.description))}
    return HttpResponse("done")


def _renders(request: HttpRequest) -> TemplateResponse:
    # There is no such template: rendering fails, after the view has returned.
    return TemplateResponse(request, "tests/no_such_template.html")


def _commits_itself(request: HttpRequest) -> HttpResponse:
    transaction.commit()
    return HttpResponse("done")


def _storm_then_error(request: HttpRequest) -> HttpResponse:
    get_store("main").flush()
    raise Oops


ENDS: dict[str, Callable[[HttpRequest], HttpResponseBase]] = {
    "returns": _answers(200),
    "raises": _raises(Oops),
    "raises-after-flush": _storm_then_error,
    "not-found": _raises(Http404),
    "forbidden": _raises(PermissionDenied),
    "redirects": _answers(302, Location="/elsewhere/"),
    "answers-400": _answers(400),
    "answers-500": _answers(500),
    "tm-abort": _answers(200, X_Tm="abort"),
    "tm-commit": _answers(400, X_Tm="commit"),
    "dooms": _does(transaction.doom),
    "aborts": _does(transaction.abort),
    "commits": _commits_itself,
    "sets-rollback": _does(lambda: django_transaction.set_rollback(True)),
    "fails-late": _does(_fails_late),
    "refused": _does(lambda: joined(Spy(fails_at="tpc_vote"))),
    "notes-user": _notes_user,
    "renders": _renders,
}
