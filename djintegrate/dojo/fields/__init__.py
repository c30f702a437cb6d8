"""Which dijit a form field becomes, and with which rules and values."""
