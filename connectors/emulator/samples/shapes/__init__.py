"""Writes items of each type with the API's fields. What is said in them, the families decide."""
