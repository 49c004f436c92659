"""Who somebody is: credentials, and what is remembered of them. Pure: no network, no store, no clock of its own."""
