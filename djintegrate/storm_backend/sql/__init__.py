"""What a statement may have written, what the database writes by itself, and what one of its errors means."""
