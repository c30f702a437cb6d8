"""What proves the suite's promises at length: conformance, crashes, coherence, and benchmarks."""
