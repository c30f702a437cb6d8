"""What files in the transaction cost: `make bench-files`."""
