"""The process: configuration, store, domain, calls, automates and CLI; the parts are wired together here only."""
