"""pyramid_tm's tests of its tween and of its commit veto: in their place are our middleware and our veto.

The tests look at a dummy in place of a transaction; here it is told what became of the real one.
"""

from __future__ import annotations

import importlib
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from .stores import stores

NO_HOOK = "There is no hook that leaves requests out; where a transaction is begun already, a request is a savepoint."
NO_FLAG = "There is no flag in the environment: transaction.get() says what there is to say."
PYRAMIDS = "It is about Pyramid's configuration, predicates and views."
BYTES = "A user's name in Django is text."
LEFT_OUT = {
    "test_repoze_tm_active": NO_HOOK,
    "test_tm_active": NO_HOOK,
    "test_should_activate_true": NO_HOOK,
    "test_should_activate_false": NO_HOOK,
    "test_active_flag_set_during_handler": NO_FLAG,
    "test_active_flag_not_set_activate_false": NO_FLAG,
    "test_active_flag_unset_on_egress": NO_FLAG,
    "test_active_flag_unset_on_egress_abort": NO_FLAG,
    "test_active_flag_unset_on_egress_exception": NO_FLAG,
    "test_handler_w_latin1_authenticated_userid": BYTES,
    "test_disables_user_annotation": "There is no setting that leaves the user's name out.",
    "test_handler_notes_unicode_decode_error": "Django has decoded the path before any middleware sees it.",
    "test_commit_veto_alias": "The setting has one name.",
    "Test_create_tm": PYRAMIDS,
    "Test_includeme": PYRAMIDS,
    "TestIntegration": PYRAMIDS,
    "Test_tm_active_predicate": PYRAMIDS,
    "Test_explicit_manager": PYRAMIDS,
    "Test_is_tm_active": PYRAMIDS,
    "TestSubrequest": PYRAMIDS,
}
VETOES = {"pyramid_tm.default_commit_veto": "djintegrate.storm_backend.middleware.default_commit_veto"}


@contextmanager
def adapted(source: Path) -> Iterator[unittest.TestSuite]:
    with stores(ALLOWED_HOSTS=["testserver"]):
        tests = importlib.import_module("tests.test_it")
        assert str(source) in str(tests.__file__)
        tests.TestDefaultCommitVeto._callFUT = _veto
        tests.Test_tm_tween_factory._callFUT = _tween
        yield unittest.defaultTestLoader.loadTestsFromModule(tests)


def _veto(test: Any, response: Any, request: Any = None) -> bool:
    from djintegrate.storm_backend.middleware import default_commit_veto

    return default_commit_veto(request, _django_response(response))


def _tween(test: Any, handler: Any = None, registry: Any = None, request: Any = None, txn: Any = None) -> Any:
    """Our middleware around the handler; what the test gets back is what its handler has returned."""
    from django.test import RequestFactory, override_settings

    from djintegrate.storm_backend.middleware import ZopeTransactionMiddleware

    given, told = request or test.request, txn or test.txn
    returned = []

    def view(asked: Any) -> Any:
        import transaction

        if told.isDoomed():
            transaction.doom()
        told.note(str(transaction.get().description).strip())
        returned.append((handler or (lambda request: test.response))(given))
        return _django_response(returned[-1])

    veto = test.settings.get("tm.commit_veto")
    with _watched(told), override_settings(STORM_COMMIT_VETO=VETOES.get(veto, veto)):
        django_request = RequestFactory().get("/")
        django_request.path = given.path_info
        if (userid := _userid(given)) is not None:
            django_request.user = SimpleNamespace(is_authenticated=True, get_username=lambda: userid)
        ZopeTransactionMiddleware(view)(django_request)
    return returned[-1]


def _userid(request: Any) -> Any:
    interfaces, threadlocal = map(importlib.import_module, ("pyramid.interfaces", "pyramid.threadlocal"))
    policy: Any = threadlocal.get_current_registry().queryUtility(interfaces.ISecurityPolicy)
    return policy.authenticated_userid(request) if policy else None


@contextmanager
def _watched(told: Any) -> Iterator[None]:
    """`told` hears of what happens to this thread's transaction."""
    import transaction
    from transaction._transaction import Status

    class Synchronizer:
        def newTransaction(self, txn: Any) -> None:
            told.began += 1

        def beforeCompletion(self, txn: Any) -> None:
            told.user = txn.user or None

        def afterCompletion(self, txn: Any) -> None:
            if txn.status == Status.COMMITTED:
                told.committed += 1
            else:
                told.aborted += 1

    watching = Synchronizer()
    transaction.manager.registerSynch(watching)
    try:
        yield
    finally:
        transaction.manager.unregisterSynch(watching)


def _django_response(response: Any) -> Any:
    from django.http import HttpResponse

    return HttpResponse(status=int(response.status.split()[0]), headers=dict(response.headers))
