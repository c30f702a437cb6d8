"""The pages, and the limits of what a visitor may do on them."""
