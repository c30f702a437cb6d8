"""From JSON to what a function's type hints ask for: strictly, and with one error that names what is wrong."""
