"""The domain model in the store: companies, their domains, and who and what is in them."""
