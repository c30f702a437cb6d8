"""python3-openid's own documents of discovery, through our discovery and through its own, beside each other."""
