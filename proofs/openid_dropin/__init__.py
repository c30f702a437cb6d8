"""django-openid-auth 0.17's own tests, run on djintegrate.openid_auth: what a site that moves over may rely on."""
