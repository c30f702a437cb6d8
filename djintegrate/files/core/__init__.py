"""The protocol: journals, locks, places and decisions. Knows nothing of models' fields, of forms or of requests."""
