"""What a statement's text tells of what it writes: the tables surely, or everything."""

from __future__ import annotations

import pytest

from djintegrate.storm_backend.sql.effects import ALTERING, EVERYTHING, NOTHING, UNDOING, effect_of, plain_name

ALL = ("sqlite", "postgresql", "mysql")


def written(sql: str, *vendors: str) -> set[str]:
    """The tables, which must be the same for all of these databases."""
    effects = [effect_of(sql, vendor) for vendor in vendors or ALL]
    told = {(effect.writes, effect.tables if effect.writes else frozenset()) for effect in effects}
    assert len(told) == 1
    writes, tables = told.pop()
    assert writes == bool(tables), "written is what is named, and nothing else"
    return set(tables)


def in_doubt(sql: str, *vendors: str) -> bool:
    return all(effect_of(sql, vendor) in (EVERYTHING, ALTERING) for vendor in vendors or ALL)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "select a, b from t where c = %s",
        "SELECT count(*), coalesce(max(a), %s), upper(lower(b)) FROM t GROUP BY b HAVING count(*) > 1",
        "(SELECT a FROM t) UNION ALL (SELECT b FROM u) ORDER BY 1",
        "SELECT a FROM t WHERE b IN (%s, %s, %s) FOR UPDATE",
        "SELECT 'DELETE FROM t' FROM u",
        "SELECT 'it''s; DELETE FROM t'",
        "WITH x AS (SELECT a FROM t) SELECT * FROM x",
        "EXPLAIN SELECT a FROM t",
        "SAVEPOINT s1",
        "RELEASE SAVEPOINT s1",
        "VALUES (1), (2)",
        "SELECT t.deleted, t.updated FROM t",
        "SELECT REPLACE(a, 'x', %s) FROM t",
        "SELECT CASE WHEN a THEN b ELSE c END FROM t",
        "SELECT CAST(a AS decimal(10, 2)) FROM t",
        'SELECT "deleted", "into" FROM "update"',
        "SET x TO 1",
        "SHOW TABLES",
        "SELECT 1;",
    ],
)
def test_reading_writes_nothing(sql: str) -> None:
    assert written(sql) == set()


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t (a) VALUES (%s)",
        "insert into T(a, b) values (1, 2), (3, 4)",
        "INSERT INTO s.t SELECT * FROM u",
        "INSERT INTO t DEFAULT VALUES",
        "INSERT INTO t (a) VALUES (%s) ON CONFLICT (a) DO UPDATE SET a = excluded.a",
        "INSERT INTO t (a) VALUES (%s) ON DUPLICATE KEY UPDATE a = VALUES(a)",
        "INSERT INTO t (a) VALUES (%s) RETURNING t.a",
        "INSERT INTO t (a) VALUES ('it''s; DELETE FROM u')",
        "UPDATE t SET a = (SELECT max(b) FROM u)",
        "UPDATE s.t SET a = 1 WHERE b IN (SELECT c FROM u)",
        "UPDATE t SET a = u.b FROM u WHERE u.c = t.c",
        "UPDATE t SET a = REPLACE(a, %s, %s)",
        "DELETE FROM t",
        "DELETE FROM t;",
        "DELETE FROM t WHERE a IN (SELECT b FROM u)",
        "DELETE FROM t WHERE a = %s RETURNING a",
    ],
)
def test_the_table_that_is_written_is_known(sql: str) -> None:
    assert written(sql) == {"t"}


@pytest.mark.parametrize(
    ("sql", "vendors"),
    [
        ('INSERT INTO "t" ("a") VALUES (%s)', ("sqlite", "postgresql", "mysql")),
        ('DELETE FROM "public"."t"', ("sqlite", "postgresql", "mysql")),
        ("UPDATE `t` SET `a` = %s", ("sqlite", "mysql")),
        ("UPDATE `s`.`t` SET `a` = %s", ("sqlite", "mysql")),
        ("UPDATE [t] SET [a] = 1", ("sqlite",)),
        ("REPLACE INTO t (a) VALUES (1)", ("sqlite", "mysql")),
        ("INSERT OR REPLACE INTO t VALUES (1)", ("sqlite",)),
        ("INSERT OR IGNORE INTO t VALUES (1)", ("sqlite",)),
        ("INSERT IGNORE INTO t VALUES (1)", ("mysql",)),
        ("DELETE `t` FROM `t` INNER JOIN `u` ON (`t`.`a` = `u`.`a`) WHERE `u`.`b`", ("mysql",)),
        ("INSERT INTO t (a) SELECT * FROM UNNEST((%s)::varchar(9)[])", ("postgresql",)),
        ("INSERT INTO t AS x (a) VALUES (1) ON CONFLICT ON CONSTRAINT c DO UPDATE SET a = 1", ("postgresql",)),
        ("UPDATE t SET a = REPLACE(a, E'\\\\', E'\\\\\\\\') WHERE b LIKE %s", ("postgresql",)),
        ("UPDATE t SET a = 1 WHERE b LIKE %s ESCAPE '\\'", ("sqlite",)),
    ],
)
def test_each_database_has_its_own_ways(sql: str, vendors: tuple[str, ...]) -> None:
    assert written(sql, *vendors) == {"t"}


@pytest.mark.parametrize(
    ("sql", "vendors"),
    [
        # What Django's ORM does not say
        ("UPDATE t AS x SET a = 1", ALL),
        ("UPDATE a LEFT JOIN b ON a.i = b.i SET a.v = 1, b.v = 2", ("mysql",)),
        ("DELETE x FROM t AS x JOIN u ON x.a = u.a", ("mysql",)),
        ("DELETE FROM x USING t AS x JOIN u ON x.a = u.a", ("mysql",)),
        ("DELETE a.*, s.b FROM a, s.b", ("mysql",)),
        ("WITH x AS (DELETE FROM t RETURNING *) SELECT count(*) FROM x", ("postgresql",)),
        ("WITH x AS MATERIALIZED (SELECT 1) UPDATE t SET a = 1 FROM x", ("postgresql",)),
        ("WITH x AS (SELECT 1) UPDATE(t) SET a = 1", ("mysql",)),
        ("WITH x AS (SELECT 1) REPLACE INTO t SELECT * FROM x", ("sqlite", "mysql")),
        ("INSERT INTO t WITH x AS (DELETE FROM u RETURNING *) SELECT * FROM x", ("postgresql",)),
        ("SELECT 1; DELETE FROM t", ALL),
        ("DELETE FROM a; UPDATE b SET x = 1; INSERT INTO c VALUES (1)", ALL),
        ("COPY t (a, b) FROM STDIN", ("postgresql",)),
        ("MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE", ("postgresql",)),
        ("LOAD DATA LOCAL INFILE 'f' INTO TABLE t", ("mysql",)),
        ("TRUNCATE t", ALL),
        ("EXPLAIN ANALYZE DELETE FROM t", ALL),
        ("CREATE TABLE t (a int)", ALL),
        ("ALTER TABLE t ADD COLUMN b int", ALL),
        ("DROP TABLE t", ALL),
        ("CALL p(1)", ALL),
        ("EXECUTE s", ALL),
        ("EXPLAIN ANALYZE EXECUTE s", ("postgresql",)),
        ("DO $$ BEGIN DELETE FROM t; END $$", ("postgresql",)),
        ("VACUUM", ALL),
        ("HANDLER t OPEN", ("mysql",)),
        ("SELECT a INTO t FROM u", ALL),
        ("SET STATEMENT max_statement_time = 1 FOR DELETE FROM t", ("mysql",)),
        ("SET STATEMENT max_statement_time = 1 FOR UPDATE t SET a = 1", ("mysql",)),
        ("set  statement\nmax_statement_time = 1 for insert into t values (1)", ("mysql",)),
        ("SET CONSTRAINTS ALL IMMEDIATE", ("postgresql",)),
        # What hides what it says
        ("nonsense", ALL),
        ("", ALL),
        ("SELECT 'unterminated", ALL),
        ("SELECT 1 /* unterminated", ALL),
        ("SELECT a -- ; DELETE FROM t\nFROM u", ALL),
        ("SELECT 5--1; DELETE FROM t", ALL),
        ("SELECT 1 # ; DELETE FROM u\n; DELETE FROM t", ("mysql",)),
        ("/*! DELETE FROM t */", ("mysql",)),
        ("/*M!100100 DELETE FROM t */", ("mysql",)),
        ("DELETE /* from u */ FROM t", ALL),
        ("SELECT 1 /* /* */ ; DELETE FROM t; -- */", ("postgresql",)),
        ("SELECT $$; DELETE FROM u$$, $x$ $$ $x$; DELETE FROM t", ("postgresql",)),
        ("SELECT 'a\\'; DELETE FROM t; --'", ("postgresql", "mysql")),
        ("SELECT 'ends with a \\'; DELETE FROM t", ("sqlite",)),
        ("UPDATE %s SET a = 1", ALL),
        ("DELETE FROM 't'", ALL),
        ("DELETE FROM t\N{GRINNING FACE}", ALL),
        ("INSERT INTO t\N{GRINNING FACE} VALUES (1)", ALL),
        ("SELECT f\N{GRINNING FACE}(1)", ALL),
        ('DELETE FROM U&"d\\0061t\\000061"', ("postgresql",)),
    ],
)
def test_any_other_statement_may_have_written_everything(sql: str, vendors: tuple[str, ...]) -> None:
    assert in_doubt(sql, *vendors)


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("SELECT a FROM t WHERE b IN (%s, %s) FOR UPDATE", {"t"}),
        ('SELECT "s"."t"."a" FROM "s"."t" ORDER BY "a" LIMIT 21 FOR NO KEY UPDATE SKIP LOCKED', {"t"}),
        ("SELECT a FROM t FOR SHARE", {"t"}),
        ("SELECT a FROM t WHERE a = 1 LOCK IN SHARE MODE", {"t"}),
        ("SELECT a FROM t INNER JOIN u ON t.a = u.a WHERE b FOR UPDATE", set()),
        ("SELECT a FROM t, u WHERE b FOR KEY SHARE", set()),
        ("SELECT a FROM t AS x WHERE b FOR UPDATE", set()),
        ("SELECT (SELECT b FROM u WHERE c LIMIT 1) FROM t FOR UPDATE", set()),
        ("SELECT a FROM t WHERE b IN (SELECT c FROM u) FOR UPDATE", set()),
        ("WITH x AS (SELECT a FROM t FOR UPDATE) SELECT * FROM x", set()),
        ("SELECT pg_advisory_xact_lock(1)", set()),
        ("SELECT pg_try_advisory_lock(1, 2)", set()),
        ("SELECT GET_LOCK('a', 10)", set()),
    ],
)
def test_what_waits_for_a_lock_writes_nothing_and_outdates_what_was_read(sql: str, tables: set[str]) -> None:
    for vendor in ALL:
        effect = effect_of(sql, vendor)
        assert (effect.writes, effect.waits, effect.outdates, set(effect.tables)) == (False, True, True, tables)


@pytest.mark.parametrize("sql", ["SELECT a FROM t", "SELECT substring(a FROM 1 FOR 2) FROM t", "SET x TO 1"])
def test_other_reads_outdate_nothing(sql: str) -> None:
    assert not any(effect_of(sql, vendor).outdates for vendor in ALL)


@pytest.mark.parametrize(
    ("sql", "calls"),
    [
        ("SELECT my_function(1)", {"my_function"}),
        ("SELECT s.Lower (a) FROM t", {"lower"}),
        ("INSERT INTO t VALUES (my_function(%s))", {"values", "my_function"}),
        ("UPDATE t SET a = (SELECT f(b) FROM u)", {"f"}),
        ("DELETE FROM t WHERE g(a)", {"g"}),
        ('SELECT "MyFunction"(1)', {"myfunction"}),
        ("SELECT `my function`(1)", {"my function"}),
        ("SELECT 'no(call)'", set()),
    ],
)
def test_what_is_called_is_told_for_a_function_may_write(sql: str, calls: set[str]) -> None:
    found = {effect_of(sql, vendor).calls for vendor in ALL}
    assert {frozenset(each - {"t"}) for each in found} == {frozenset(calls)}


@pytest.mark.parametrize("sql", [b"SELECT 1", None, object()])
def test_so_may_what_is_no_text(sql: object) -> None:
    assert effect_of(sql, "postgresql") == ALTERING


def test_only_a_definition_or_an_unusual_verb_may_alter_tables() -> None:
    assert effect_of("CREATE TABLE t (a int)", "sqlite") == ALTERING
    assert effect_of("SELECT 1; ALTER TABLE t ADD b int", "postgresql") == ALTERING
    assert effect_of("SELECT 1; DELETE FROM t", "postgresql") == EVERYTHING


def test_a_savepoint_writes_nothing() -> None:
    marks = ("SAVEPOINT s1", "RELEASE SAVEPOINT s1", 'release savepoint "s1"')
    assert {effect_of(sql, vendor) for sql in marks for vendor in ALL} == {NOTHING}


def test_a_rollback_is_told_from_a_write() -> None:
    assert {effect_of(sql, vendor) for sql in ("ROLLBACK TO SAVEPOINT x", "rollback") for vendor in ALL} == {UNDOING}


def test_a_long_statement_is_understood_as_a_short_one_is() -> None:
    values = ", ".join(["(%s, %s, %s)"] * 5000)
    assert written(f"INSERT INTO t (a, b, c) VALUES {values}") == {"t"}
    assert written(f"SELECT a FROM t WHERE b IN ({', '.join(['%s'] * 5000)})") == set()


@pytest.mark.parametrize("name", ["t", "T", "s.t", '"s"."t"', '"s" . "t"', '"t"', "`t`", "[t]", '"s.s"."t"'])
def test_a_tables_name_has_one_form(name: str) -> None:
    assert plain_name(name) == "t"


def test_a_dot_in_quotes_is_part_of_the_name() -> None:
    assert plain_name('"s"."My.Table"') == "my.table"
    assert plain_name('"say ""t"""') == 'say "t"'
    assert plain_name("my table") == "my table"
