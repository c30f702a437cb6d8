"""djintegrate's tests: a file per module. One process tests one database, which the environment's DB names."""
