"""Rows for the browser: the JsonRest protocol, and the grid on a page."""
