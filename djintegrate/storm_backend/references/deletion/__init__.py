"""What becomes of the objects of one ORM when those of the other that they point at are deleted."""
