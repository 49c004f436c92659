"""Who asks: passwords, API tokens and sessions, each to the actor it stands for."""
