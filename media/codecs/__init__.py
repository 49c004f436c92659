"""Codecs as array programs: whole blocks of frames in, whole blocks out."""
