"""Replicas: two PostgreSQL servers, the second of which follows the first."""
