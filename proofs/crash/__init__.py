"""Kills processes and servers in the middle of commits, and compares what is left."""
