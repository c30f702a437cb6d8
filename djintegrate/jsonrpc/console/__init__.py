"""The console: a page that shows a site's methods, and calls them from the browser."""
