"""A SIP softphone on pjsua2 (extra ``softphone``): for people, the doctor and the tests."""
