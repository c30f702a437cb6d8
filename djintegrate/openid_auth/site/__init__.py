"""The pages, and the limits of what a visitor may do on them and of what is fetched; for both protocols."""
