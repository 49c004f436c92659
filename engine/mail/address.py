"""What an e-mail address is here: plain ASCII, as every mail server takes it."""

from __future__ import annotations

import re

LONGEST = 254
"""RFC 5321 section 4.5.3.1.3, without its angle brackets."""

# RFC 5321 section 4.1.2 without quoted local parts: nobody has one, and what stands between quotes has fooled mailers.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
MAIL_ADDRESS = re.compile(rf"(?=.{{1,64}}@.{{1,189}}\Z){_ATOM}(\.{_ATOM})*@{_LABEL}(\.{_LABEL})*")
