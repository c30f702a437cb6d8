"""The words of SQL that `statements` knows. Those that it does not know may write anything."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# How a statement begins whose writing, if any, is done by one of the verbs in `_Statement.written`.
BEGINNINGS = _words(
    "analyze begin close copy declare delete desc describe explain insert listen load lock merge notify pragma "
    "release replace reset savepoint select set show start table truncate unlisten unlock update use values with"
)
MODIFIERS = _words(
    "abort concurrent delayed fail high_priority ignore into local low_priority only or quick replace rollback"
)
# What can follow a table's name without being its alias.
NOT_AN_ALIAS = _words(
    "cross default for force from full group having ignore inner join left limit natural on order outer partition "
    "returning right select set straight_join use using values where window"
)
# Words that come before a parenthesis without calling anything, types among them.
NO_CALL = _words(
    "all and any array as between binary bit by case char character columns conflict constraint cube date decimal "
    "distinct do duplicate else enum except exists filter float for from group having ilike in index insert intersect "
    "interval into is join key lateral like limit match materialized not null numeric offset on or order over "
    "partition recursive regexp returning rlike rollup row rows select set sets similar some table then time "
    "timestamp union unique update using values varbinary varchar when where with"
)
# Functions that write nothing. Others may have been made by the user, and do what they like.
HARMLESS = _words(
    "abs acos age akeys any_value array_agg array_append array_cat array_length array_lower array_position "
    "array_prepend array_remove array_replace array_to_json array_to_string array_upper ascii asin atan atan2 avals "
    "avg bit_and bit_length bit_or bit_xor bool_and bool_or btrim cardinality cast ceil ceiling char_length "
    "character_length chr clock_timestamp coalesce collate concat concat_ws convert convert_tz corr cos cosh cot "
    "count covar_pop covar_samp crc32 cume_dist curdate current_database current_date current_schema current_setting "
    "current_time current_timestamp current_user currval database date_add date_format date_part date_sub date_trunc "
    "datediff daterange day dayname dayofmonth dayofweek dayofyear decode degrees dense_rank digest div elt encode "
    "every exp export_set extract factorial field find_in_set first_value floor format format_type found_rows "
    "from_unixtime gcd gen_random_uuid generate_series generate_subscripts greatest group_concat grouping hex host "
    "hour if ifnull inet_aton inet_ntoa initcap instr int4range int8range is_uuid isempty isfinite json json_agg "
    "json_array json_array_elements json_array_elements_text json_array_length json_arrayagg json_build_array "
    "json_build_object json_contains json_contains_path json_each json_each_text json_exists json_extract json_keys "
    "json_length json_object json_object_agg json_objectagg json_query json_quote json_strip_nulls json_table "
    "json_type json_unquote json_valid json_value jsonb_agg jsonb_array_elements jsonb_array_elements_text "
    "jsonb_array_length jsonb_build_array jsonb_build_object jsonb_each jsonb_each_text jsonb_extract_path "
    "jsonb_extract_path_text jsonb_insert jsonb_object_agg jsonb_object_keys jsonb_path_query jsonb_pretty jsonb_set "
    "jsonb_strip_nulls jsonb_typeof justify_days justify_hours justify_interval lag last_insert_id last_value lastval "
    "lcase lcm lead least left length ln localtime localtimestamp locate log log10 log2 lower lower_inc lower_inf "
    "lpad ltrim make_date make_interval make_time make_timestamp makedate max md5 microsecond mid min minute mod mode "
    "month monthname nextval now nth_value ntile nullif numrange obj_description octet_length ord overlay "
    "percent_rank percentile_cont percentile_disc pg_get_constraintdef pg_get_expr pg_get_indexdef "
    "pg_get_serial_sequence pg_sleep pg_table_is_visible phraseto_tsquery pi plainto_tsquery position pow power "
    "quarter quote quote_ident quote_literal radians rand random rank regexp_instr regexp_like regexp_match "
    "regexp_matches regexp_replace regexp_substr regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope "
    "regr_sxx regr_sxy regr_syy repeat replace reverse right round row_count row_number row_to_json rpad rtrim scale "
    "schema sec_to_time second session_user setval setweight sha1 sha2 sha224 sha256 sha384 sha512 sign similarity "
    "sin sinh sleep soundex space split_part sqrt statement_timestamp stddev stddev_pop stddev_samp str_to_date "
    "strcmp strict_word_similarity string_agg string_to_array strpos substr substring substring_index sum sysdate tan "
    "tanh time_format time_to_sec timediff timestampadd timestampdiff to_char to_date to_days to_hex to_json to_jsonb "
    "to_number to_timestamp to_tsquery to_tsvector translate trigram_similarity trim trunc truncate ts_headline "
    "ts_rank ts_rank_cd tsrange tstzrange ucase unaccent unhex unix_timestamp unnest upper upper_inc upper_inf user "
    "utc_date utc_time utc_timestamp uuid uuid_to_bin var_pop var_samp variance version websearch_to_tsquery week "
    "weekday weekofyear width_bucket word_similarity year yearweek"
)
