"""Administration: what the REST API, the console and the commands may do to each kind of thing.

Everything goes through a noun (``noun.py``): it checks the actor's rights, writes the store, and notes the change in
the same transaction.
"""
