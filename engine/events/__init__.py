"""Events of companies: appended as they happen, followed from any cursor, delivered to webhooks."""
