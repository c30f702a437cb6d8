"""Helpers for developing djintegrate. Nothing here is installed with it."""
