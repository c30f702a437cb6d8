"""Random sequences of both ORMs beside a model of the data."""
