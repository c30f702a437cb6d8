"""Every row of `make bench`: what is measured on which two sides, and the bound of it. Nothing is measured here."""

from __future__ import annotations

from proofs.benchmarks import sides
from proofs.benchmarks.measuring import CPU, DIFFERENCE, Case

MAX_RATIO = 1.02
# A request of SQLite's is so short that the transaction's own steps show.
MAX_RATIO_OF_A_REQUEST = {"sqlite": 1.04, "postgres": MAX_RATIO, "mysql": MAX_RATIO}
# "At least 1.5 times as fast", put the other way round.
MAX_RATIO_OF_ONE_TO_TWO = {"postgres": 1 / 1.5}
MAX_SECONDS_TO_START = 0.03
ON_SERVERS = "postgres", "mysql"

CASES = [
    Case("get by key", "get_by_key", sides.native, sides.engine, MAX_RATIO),
    Case("200 x get by key, in a transaction that Storm uses", "get_200_beside_storm", sides.native, sides.engine,
         MAX_RATIO),
    Case("a filter of 1,000 rows", "filter_1000", sides.native, sides.engine, MAX_RATIO),
    Case("create inside atomic", "create_in_atomic", sides.native, sides.engine, MAX_RATIO),
    Case("atomic with one statement, CPU", "atomic_with_one", sides.native, sides.engine, 1.05, quantity=CPU),
    Case("bulk_create of 1,000", "bulk_create_1000", sides.native, sides.engine, MAX_RATIO),
    Case("update", "update", sides.native, sides.engine, MAX_RATIO),
    Case("request, beside ATOMIC_REQUESTS", "request", sides.native, sides.engine, MAX_RATIO_OF_A_REQUEST),
    Case("request, beside the same with CONN_MAX_AGE=0", "request", sides.reconnecting, sides.engine, None),
    Case("with both ORMs, beside Django alone and Storm's row", "request_with_both", sides.bare_native,
         sides.bare_engine, 1.10, other_operation="request_with_django", plus=(sides.storm_alone, "row_by_storm")),
    Case("with both ORMs, beside two connections as they come", "request_with_both", sides.two_reconnecting,
         sides.bare_engine, MAX_RATIO_OF_ONE_TO_TWO),
    Case("with both ORMs, beside two kept that commit as one", "request_with_both", sides.two_phase,
         sides.bare_engine, None, measured_on=ON_SERVERS),
    Case("with both ORMs, beside two kept that may end apart", "request_with_both", sides.two_connections,
         sides.bare_engine, None),
    Case("update beside 100,000 Storm objects, beside 10", "update_beside_storm", sides.holding_few,
         sides.holding_many, 1.10),
    Case("request with 16 stores, beside one store, CPU", "short_request", sides.bare_engine, sides.sixteen_stores,
         1.05, quantity=CPU),
    Case("request with 16 aliases, beside native with 16, CPU", "short_request", sides.sixteen_native,
         sides.sixteen_aliases, None, quantity=CPU),
    Case("import and django.setup(), more CPU than native", "start", sides.native_site, sides.engine_site,
         MAX_SECONDS_TO_START, quantity=CPU, comparison=DIFFERENCE, in_fresh_processes=True),
]  # fmt: skip
