"""The tests' own tables, as Django models and as Storm classes."""
