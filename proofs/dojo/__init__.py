"""Thousands of forms, plain and as dijits, beside each other."""
