"""SIP automates: bots that answer a number of their own."""
