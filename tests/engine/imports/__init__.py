"""Tests of importing users: real directories, a real store."""
