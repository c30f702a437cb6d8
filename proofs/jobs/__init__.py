"""What proves the promise of djintegrate.jobs at length: `make crash-jobs`."""
