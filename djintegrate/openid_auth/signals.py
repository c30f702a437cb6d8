"""The signals of a sign-in, and what each brings. The sender is UserOpenID, but for two of them.

`openid_login_complete`: request, openid_response. `openid_login_failed`: request, message, openid_response, exception.
`openid_identity_added`, `openid_identity_removed`: identity, user. `openid_identity_adopted`: identity.
From the user model, `openid_duplicate_username`: username.
From OpenIDSession, `openid_session_ended`: session (its row, which is gone), user_id.
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
