"""One call: a SIP dialog and a media leg, whoever began it."""
