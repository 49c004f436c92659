"""Importing users: reading directories and files, writing all of it in one transaction, running it by the clock."""
