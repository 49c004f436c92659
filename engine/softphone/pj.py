"""The one place that imports pjsua2 (the extra ``softphone``); ``pj.pyi`` beside it says the types we use.

pjsua2 is a SWIG module without annotations. The stub names only what this folder calls, so a call to
anything else is a type error until somebody has read what it does.
"""

from __future__ import annotations

import pjsua2 as _library

version: str = _library.__version__
globals().update({name: getattr(_library, name) for name in dir(_library) if not name.startswith("_")})
