"""Making coders; their libraries are loaded when the first leg needs them, and beside the tick.

A worker that only speaks G.711 never loads them. Loading takes up to some 100 ms (FFmpeg, for G.722), so a thread
does it: until then the leg is silent.
"""

from __future__ import annotations

import importlib
import logging
import threading

from media.codecs.coding import Decoder, Encoder, Terms
from media.codecs.facts import CodecName

_MODULES: dict[CodecName, str] = {
    "G722": "media.codecs.g722",
    "OPUS": "media.codecs.opus",
    "L16": "media.codecs.l16",
    "G729": "media.codecs.g729",
}

_log = logging.getLogger(__name__)


class Codecs:
    """What a worker has loaded."""

    def __init__(self) -> None:
        self._ready: set[CodecName] = set()
        self._asked: set[CodecName] = set()

    def ready(self, codec: CodecName) -> bool:
        """Whether coders can be made; if not, loading begins, once."""
        if codec in self._ready:
            return True
        if codec not in self._asked:
            self._asked.add(codec)
            threading.Thread(target=self._load, args=(codec,), name="codec", daemon=True).start()
        return False

    def load(self, codec: CodecName) -> bool:
        """Load it here and now; False when it is not to be had."""
        self._asked.add(codec)
        self._load(codec)
        return codec in self._ready

    def _load(self, codec: CodecName) -> None:
        try:
            module = importlib.import_module(_MODULES[codec])
            if codec == "OPUS":
                module.opus_library.load()
            elif codec == "G729":
                module.load()
        except Exception:  # of a foreign library; the leg stays silent and the log says why
            _log.exception("the codec %s cannot be loaded", codec)
            return
        self._ready.add(codec)


def make_decoder(terms: Terms) -> Decoder:
    """A decoder for one stream."""
    match terms.codec:
        case "OPUS":
            from media.codecs.opus import OpusDecoder

            return OpusDecoder(terms.rate)
        case "G722":
            from media.codecs.g722 import G722Decoder

            return G722Decoder()
        case "L16":
            from media.codecs.l16 import L16Decoder

            return L16Decoder()
        case "G729":
            from media.codecs.g729 import G729Decoder

            return G729Decoder()
        case _:
            raise ValueError(f"{terms.codec} is not coded a leg at a time")


def make_encoder(terms: Terms) -> Encoder:
    """An encoder for one stream."""
    match terms.codec:
        case "OPUS":
            from media.codecs.opus import OpusEncoder

            return OpusEncoder(terms)
        case "G722":
            from media.codecs import g722

            return g722.make_encoder()
        case "L16":
            from media.codecs.l16 import L16Encoder

            return L16Encoder()
        case "G729":
            from media.codecs.g729 import G729Encoder

            return G729Encoder(terms)
        case _:
            raise ValueError(f"{terms.codec} is not coded a leg at a time")
