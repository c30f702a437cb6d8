"""Reading from replicas: which connection code uses, how far a replica is behind, and what a browser needs."""
