"""What a statement's text tells of what it writes: the tables surely, or everything."""

from __future__ import annotations

import pytest

from djintegrate.storm_backend.sql.effects import ALTERING, EVERYTHING, NOTHING, UNDOING, Effect, effect_of, plain_name

ALL = ("sqlite", "postgresql", "mysql")


def written(sql: str, *vendors: str) -> set[str]:
    """The tables, which must be the same for all of these databases."""
    effects = {effect_of(sql, vendor) for vendor in vendors or ALL}
    assert len(effects) == 1
    effect = effects.pop()
    assert not effect.everything
    return set(effect.tables)


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
        "SELECT a -- ; DELETE FROM t\nFROM u",
        "SELECT a /* ; DELETE FROM t */ FROM u",
        "WITH x AS (SELECT a FROM t) SELECT * FROM x",
        "EXPLAIN SELECT a FROM t",
        "SAVEPOINT s1",
        "RELEASE SAVEPOINT s1",
        "VALUES (1), (2)",
        "SELECT t.deleted, t.updated FROM t",
        "SELECT REPLACE(a, 'x', %s) FROM t",
        "SELECT CASE WHEN a THEN b ELSE c END FROM t",
        "SELECT CAST(a AS decimal(10, 2)) FROM t",
        "",
        ";",
        " -- nothing",
    ],
)
def test_reading_writes_nothing(sql: str) -> None:
    assert {effect_of(sql, vendor) for vendor in ALL} == {NOTHING}


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
        "UPDATE t SET a = (SELECT max(b) FROM u)",
        "UPDATE t AS x SET a = 1",
        "UPDATE s.t SET a = 1 WHERE b IN (SELECT c FROM u)",
        "UPDATE t SET a = u.b FROM u WHERE u.c = t.c",
        "DELETE FROM t",
        "DELETE FROM t WHERE a IN (SELECT b FROM u)",
        "DELETE FROM t WHERE a = %s RETURNING a",
        "/* ; */ DELETE /* from u */ FROM -- u\n t",
        "SELECT 1; DELETE FROM t; SELECT 2;",
        "EXPLAIN DELETE FROM t",
        "TRUNCATE t",
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
        ("REPLACE t SET a = 1", ("mysql",)),
        ("INSERT OR REPLACE INTO t VALUES (1)", ("sqlite",)),
        ("UPDATE OR IGNORE t SET a = 1", ("sqlite",)),
        ("INSERT IGNORE INTO t VALUES (1)", ("mysql",)),
        ("UPDATE LOW_PRIORITY IGNORE t SET a = 1", ("mysql",)),
        ("DELETE t FROM t INNER JOIN u ON t.a = u.a WHERE u.b", ("mysql",)),
        ("DELETE x FROM t AS x JOIN u ON x.a = u.a", ("mysql",)),
        ("DELETE FROM x USING t AS x JOIN u ON x.a = u.a", ("mysql",)),
        ("DELETE t.* FROM s.t, u", ("mysql",)),
        ("DELETE s.t.* FROM s.t JOIN u ON t.a = u.a", ("mysql",)),
        ("DELETE FROM t.* USING t, u WHERE t.a = u.a", ("mysql",)),
        ("UPDATE (t) SET a = 1", ("mysql",)),
        ("WITH x AS (SELECT 1) UPDATE(t) SET a = 1", ("mysql",)),
        ("LOAD DATA LOCAL INFILE 'f' INTO TABLE t FIELDS TERMINATED BY ','", ("mysql",)),
        ("SELECT 5--1; DELETE FROM t", ("mysql",)),
        ("SELECT 1 # ; DELETE FROM u\n; DELETE FROM t", ("mysql",)),
        ("UPDATE ONLY t SET a = 1", ("postgresql",)),
        ("DELETE FROM ONLY s.t x USING u WHERE x.a = u.a", ("postgresql",)),
        ("WITH x AS (DELETE FROM t RETURNING *) SELECT count(*) FROM x", ("postgresql",)),
        ("WITH x AS MATERIALIZED (SELECT 1) UPDATE t SET a = 1 FROM x", ("postgresql",)),
        ("COPY t (a, b) FROM STDIN", ("postgresql",)),
        ("TRUNCATE TABLE ONLY t RESTART IDENTITY", ("postgresql",)),
        ("SELECT $$; DELETE FROM u$$, $x$ $$ $x$; DELETE FROM t", ("postgresql",)),
        ("SELECT E'it\\'s; DELETE FROM u'; DELETE FROM t", ("postgresql",)),
        ("SELECT a[1] FROM u; DELETE FROM t", ("postgresql",)),
        ("SELECT 1 -- ends with a carriage return, too\rFROM u; DELETE FROM t", ("postgresql",)),
        ("DELETE FROM t * WHERE a = 1", ("postgresql",)),
        ("INSERT INTO t AS x (a) VALUES (1) ON CONFLICT ON CONSTRAINT c DO UPDATE SET a = 1", ("postgresql",)),
        ("SELECT 'ends with a \\'; DELETE FROM t", ("sqlite",)),
        (
            "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED AND u.b THEN DELETE WHEN MATCHED THEN UPDATE SET b = 1 "
            "WHEN NOT MATCHED THEN INSERT (a) VALUES (u.a)",
            ("postgresql",),
        ),
        ("INSERT INTO t (a) SELECT * FROM UNNEST((%s)::varchar(9)[])", ("postgresql",)),
    ],
)
def test_each_database_has_its_own_ways(sql: str, vendors: tuple[str, ...]) -> None:
    assert written(sql, *vendors) == {"t"}


def test_several_tables_are_all_named() -> None:
    assert written("TRUNCATE a, b, c") == {"a", "b", "c"}
    assert written("DELETE FROM a; UPDATE b SET x = 1; INSERT INTO c VALUES (1)") == {"a", "b", "c"}
    assert written("DELETE a, y FROM a JOIN b AS y JOIN c", "mysql") == {"a", "b"}
    assert written(
        "WITH x AS (INSERT INTO a VALUES (1) RETURNING *), y AS (UPDATE b SET c = 1) DELETE FROM c", "postgresql"
    ) == {"a", "b", "c"}


def test_an_update_of_several_tables_may_write_each() -> None:
    sql = "UPDATE a LEFT JOIN (b AS x JOIN c ON x.i = c.i) ON a.i = x.i, (SELECT i FROM d) AS e SET a.v = 1, x.v = 2"
    assert written(sql, "mysql") == {"a", "b", "c"}
    assert written("UPDATE (a CROSS JOIN b) SET a.v = 1, b.v = 2", "mysql") == {"a", "b"}
    assert written("DELETE a.*, s.b FROM a, s.b", "mysql") == {"a", "b"}


@pytest.mark.parametrize(
    ("sql", "vendors"),
    [
        ("CREATE TABLE t (a int)", ALL),
        ("ALTER TABLE t ADD COLUMN b int", ALL),
        ("DROP TABLE t", ALL),
        ("CALL p(1)", ALL),
        ("EXECUTE s", ALL),
        ("VACUUM", ALL),
        ("nonsense", ALL),
        ("SELECT 'unterminated", ALL),
        ("SELECT 1 /* unterminated", ALL),
        ("UPDATE %s SET a = 1", ALL),
        ("DELETE FROM 't'", ALL),
        ("SELECT a INTO t FROM u", ALL),
        ("TRUNCATE a CASCADE", ALL),
        ("SELECT my_function(1)", ("postgresql", "mysql")),
        ("SELECT s.lower(a) FROM t", ("postgresql", "mysql")),
        ("INSERT INTO t VALUES (my_function(%s))", ("postgresql", "mysql")),
        ("UPDATE a JOIN (SELECT my_function() AS x) AS b SET a.x = b.x", ("postgresql", "mysql")),
        ('SELECT "MyFunction"(1)', ("postgresql", "mysql")),
        ("DO $$ BEGIN DELETE FROM t; END $$", ("postgresql",)),
        ("EXPLAIN ANALYZE EXECUTE s", ("postgresql",)),
        ("DELETE FROM t\N{GRINNING FACE}", ALL),
        ("SELECT 1 /* /* */ ; DELETE FROM t; -- */", ("postgresql",)),
        ("SELECT 'a\\'; DELETE FROM t; --'", ("postgresql", "mysql")),
        ('DELETE FROM U&"d\\0061t\\+000061"', ("postgresql",)),
        ("/*! DELETE FROM t */", ("mysql",)),
        ("/*M!100100 DELETE FROM t */", ("mysql",)),
        ("SET STATEMENT max_statement_time = 1 FOR DELETE FROM t", ("mysql",)),
        ("HANDLER t OPEN", ("mysql",)),
    ],
)
def test_what_is_not_surely_understood_may_have_written_everything(sql: str, vendors: tuple[str, ...]) -> None:
    assert in_doubt(sql, *vendors)


@pytest.mark.parametrize("sql", [b"SELECT 1", None, object()])
def test_so_may_what_is_no_text(sql: object) -> None:
    assert effect_of(sql, "postgresql") == ALTERING


def test_only_an_unusual_beginning_may_alter_tables() -> None:
    assert effect_of("CREATE TABLE t (a int)", "sqlite") == ALTERING
    assert effect_of("SELECT 1; ALTER TABLE t ADD b int", "postgresql") == ALTERING
    assert effect_of("SELECT my_function(1)", "mysql") == EVERYTHING


def test_sqlite_has_no_functions_that_write() -> None:
    assert effect_of("SELECT my_function(1)", "sqlite") == NOTHING


def test_a_rollback_is_told_from_a_write() -> None:
    assert {effect_of(sql, vendor) for sql in ("ROLLBACK TO SAVEPOINT x", "rollback") for vendor in ALL} == {UNDOING}


def test_a_long_statement_is_understood_as_a_short_one_is() -> None:
    values = ", ".join(["(%s, %s, %s)"] * 5000)
    assert written(f"INSERT INTO t (a, b, c) VALUES {values}") == {"t"}
    assert effect_of(f"SELECT a FROM t WHERE b IN ({', '.join(['%s'] * 5000)})", "sqlite") == Effect()


@pytest.mark.parametrize("name", ["t", "T", "s.t", '"s"."t"', '"t"', "`t`", "[t]"])
def test_a_tables_name_has_one_form(name: str) -> None:
    assert plain_name(name) == "t"
