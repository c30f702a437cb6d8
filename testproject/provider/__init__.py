"""A small OpenID 2.0 provider with made-up people and teams, to try the sample site offline and to test against.

It has no passwords: whoever asks may be anybody. Never put it where others can reach it.
"""
