"""A site under ASGI servers, with many requests at a time: its connections are counted by the server."""
