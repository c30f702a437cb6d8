"""The signals of a sign-in. Their sender is the UserOpenID class; that of openid_duplicate_username is the user model,
that of openid_session_ended OpenIDSession.

`openid_login_complete`: request, openid_response. `openid_duplicate_username`: username.
`openid_login_failed`: request, message, openid_response (or None), exception (or None).
`openid_identity_added`, `openid_identity_removed`: identity, user. `openid_identity_adopted`: identity.
`openid_session_ended`: session (its row, which is gone), user_id.
"""

from __future__ import annotations

from django.dispatch import Signal

openid_login_complete = Signal()
openid_duplicate_username = Signal()
openid_login_failed = Signal()
openid_identity_added = Signal()
openid_identity_removed = Signal()
openid_identity_adopted = Signal()
openid_session_ended = Signal()
