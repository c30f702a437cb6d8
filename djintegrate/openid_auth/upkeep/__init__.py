"""What is done beside the requests: moving over from other apps, and tidying up."""
