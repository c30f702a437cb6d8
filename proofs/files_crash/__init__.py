"""Processes that are killed while they write files and rows, and what is there after files_recover."""
