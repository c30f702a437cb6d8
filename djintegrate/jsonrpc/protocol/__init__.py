"""JSON-RPC as the specifications say it, apart from Django: texts become calls, results and errors become texts."""
