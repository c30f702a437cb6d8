"""The tests' own Django apps, with their Storm classes."""
