"""The tests of peers, on our middleware and data manager by thin adapters. They are downloaded when the proof runs."""
