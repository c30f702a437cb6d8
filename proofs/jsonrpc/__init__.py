"""Random and mutated requests to a JSON-RPC service, beside a model of the specifications."""
