"""Finding libbcg729 and its functions; frames and states are addresses."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

SYSTEM_NAME = "libbcg729.so.0"


class NoG729(Exception):
    """There is no libbcg729 on this machine."""


@cache
def load() -> Any:
    """The library. Raises NoG729."""
    try:
        library = ctypes.CDLL(SYSTEM_NAME)
    except OSError as error:
        raise NoG729(str(error)) from error
    pointer, octet = ctypes.c_void_p, ctypes.c_uint8
    library.initBcg729EncoderChannel.argtypes, library.initBcg729EncoderChannel.restype = (octet,), pointer
    library.initBcg729DecoderChannel.argtypes, library.initBcg729DecoderChannel.restype = (), pointer
    library.closeBcg729EncoderChannel.argtypes = library.closeBcg729DecoderChannel.argtypes = (pointer,)
    library.bcg729Encoder.argtypes = (pointer, pointer, pointer, pointer)
    library.bcg729Encoder.restype = None
    library.bcg729Decoder.argtypes = (pointer, pointer, octet, octet, octet, octet, pointer)
    library.bcg729Decoder.restype = None
    return library


def is_there() -> bool:
    """Whether this machine has it."""
    try:
        load()
    except NoG729:
        return False
    return True
