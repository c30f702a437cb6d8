"""What Dojo costs: a page of ten dijits from Dojo's sources and from a build; dojo_form beside rendering the form."""
