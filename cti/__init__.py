"""The call and device model that every CTI protocol is an adapter of. Filled by the CTI work."""
