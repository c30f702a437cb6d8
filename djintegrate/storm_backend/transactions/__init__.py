"""One thread's transaction under Zope's manager, and a connection's part in it, from its first statement to its end."""
