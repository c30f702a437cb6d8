"""Models with every kind of field, key and relation, for the tests of the mapping."""
