"""The access control list beside a plain model of it: random graphs of roles, grants, people and questions.

The model is the rule in a few lines of recursion. The list is asked as Django asks it, through a file in XML and
`user.has_perm()`. And a slip of the pen in the file must grant nothing that the file did not grant.
"""
