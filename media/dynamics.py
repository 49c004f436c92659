"""Each participant's own gain: what was set for it, automatic gain control and noise gate, as one factor.

The AGC leads speech to -26 dBov, the level ITU-T P.56 measures telephony by: down at 25 dB/s, since too
loud hurts, up at 3 dB/s, and only while somebody speaks, so that pauses do not pump noise up. The gate shuts out
what stays below -50 dBov; the envelope's slow fall is its hold. How the factor moves within a frame is the
mixer's to smooth.
"""

from __future__ import annotations

import numpy as np

from media.rooms import Participants
from media.rtp import Integers

AGC_TARGET = np.float32(26.0)
AGC_SPEECH = np.float32(50.0)
"""dBov; softer is not taken for speech."""
AGC_MOST_DB = np.float32(20.0)
AGC_DOWN_DB = np.float32(0.5)  # a frame
AGC_UP_DB = np.float32(0.06)
GATE = np.float32(50.0)


def adapt(people: Participants, slots: Integers) -> None:
    """Move the gains of the slots (int64 [n]) that have AGC or gate, by the levels of this frame."""
    agc = people.agc[slots]
    boost = people.boost_db[slots]
    level = people.level[slots]
    step = np.clip(level - AGC_TARGET - boost, -AGC_DOWN_DB, AGC_UP_DB)
    boost = np.where(agc & (level < AGC_SPEECH), np.clip(boost + step, -AGC_MOST_DB, AGC_MOST_DB), boost)
    people.boost_db[slots] = boost = np.where(agc, boost, np.float32(0.0))
    gain = np.power(np.float32(10.0), (people.gain_db[slots] + boost) / 20)
    shut = people.gate[slots] & (people.envelope[slots] > GATE)
    people.gain[slots] = np.where(shut, np.float32(0.0), gain)
