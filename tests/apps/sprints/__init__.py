"""Tables that point at each other across the two ORMs, for the tests of references."""
