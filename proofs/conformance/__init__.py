"""Runs Django's and Storm's own test suites on the engine and beside it, and reports every difference."""
