"""What happened, in the store: the event log of each company, and who changed what."""
