"""The process: configuration, store, domain, calls, automates and CLI; the only place where the parts are wired together."""
