"""What is done beside the requests: moving over from django-openid-auth, and tidying up."""
