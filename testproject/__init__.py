"""A sample site that uses djintegrate as any other site would; `make run` starts it."""
