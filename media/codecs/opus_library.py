"""Finding libopus, and its functions as the coded legs call them.

Debian's ``libopus0`` is used where it is; else the copy inside PyAV's wheel, so that nothing need be installed.
opuslib makes and destroys the states. Frames do not go through it: its wrappers take a Python list for each frame
(five times the cost), and have no concealment, no DTX and a broken FEC switch. So the functions for frames and
settings are bound here anew, with plain addresses.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib.util
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

SYSTEM_NAME = "libopus.so.0"
_WHEEL_PATTERN = "av.libs/libopus*.so*"

# opus_defines.h
APPLICATION_AUDIO = 2049
SET_BITRATE, SET_COMPLEXITY, SET_INBAND_FEC, SET_PACKET_LOSS, SET_DTX = 4002, 4010, 4012, 4014, 4016

_lock = threading.Lock()


class NoOpus(Exception):
    """There is no libopus on this machine."""


@dataclass(frozen=True, slots=True)
class Opus:
    """The functions of libopus. States and frames are addresses."""

    path: str
    decode: Callable[[int, int | None, int, int, int, int], int]
    """state, packet (None: lost), octets, target int16, room in samples, whether to recover the one before"""
    encode: Callable[[int, int, int, int, int], int]
    """state, source int16, samples, target, room in octets"""
    control: Callable[..., int]
    """encoder state, request, value"""
    encoder_size: int
    create_encoder: Callable[[int, int, int], Any]
    create_decoder: Callable[[int, int], Any]
    destroy_encoder: Callable[[Any], None]
    destroy_decoder: Callable[[Any], None]


def _candidates() -> Iterator[str]:
    yield SYSTEM_NAME
    spec = importlib.util.find_spec("av")
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        yield from map(str, sorted(Path(folder).parent.glob(_WHEEL_PATTERN)))


def _loadable(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def find() -> str:
    """What to load. Raises NoOpus."""
    found = next(filter(_loadable, _candidates()), None) or ctypes.util.find_library("opus")
    if found is None:
        raise NoOpus("neither libopus0 nor PyAV's own libopus was found")
    return found


def is_there() -> bool:
    """Whether this machine has it."""
    try:
        find()
    except NoOpus:
        return False
    return True


def _import_opuslib(path: str) -> Any:
    """Import opuslib on a library of our choice: it asks ``find_library``, which starts programs and knows no wheel."""
    original = ctypes.util.find_library
    with _lock:
        ctypes.util.find_library = lambda name: path if name == "opus" else original(name)
        try:
            import opuslib.api.decoder
            import opuslib.api.encoder
        finally:
            ctypes.util.find_library = original
    return opuslib.api


@cache
def load() -> Opus:
    """The library, loaded at the first call. Raises NoOpus."""
    path = find()
    api = _import_opuslib(path)
    library = api.libopus
    pointer, integer = ctypes.c_void_p, ctypes.c_int
    # Subscripting gives functions of our own, whose argument types opuslib's do not touch.
    decode, encode, control = (library[name] for name in ("opus_decode", "opus_encode", "opus_encoder_ctl"))
    decode.argtypes = (pointer, pointer, ctypes.c_int32, pointer, integer, integer)
    encode.argtypes = (pointer, pointer, integer, pointer, ctypes.c_int32)
    control.argtypes = (pointer, integer)  # and a C int: it is variadic
    return Opus(
        path,
        decode,
        encode,
        control,
        api.encoder.get_size(1),
        api.encoder.create_state,
        api.decoder.create_state,
        api.encoder.destroy,
        api.decoder.destroy,
    )
