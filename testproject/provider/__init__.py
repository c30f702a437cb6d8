"""A small provider of OpenID 2.0 and OpenID Connect with made-up people and teams, for the sample site and for tests.

It has no passwords: whoever asks may be anybody. Never put it where others can reach it.
"""
