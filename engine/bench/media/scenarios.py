"""What ``polyphony bench media`` measures, and what is asked of it: a row a scenario."""

from __future__ import annotations

from dataclasses import dataclass

from engine.bench.media.reference import ANNOUNCEMENT, CONFERENCE, RECORDING, Others


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Some calls of one kind, and what they may cost.

    number: what is called; ``{room}`` stands for 8000 and one more for every ten calls. talkers: how many of the
    calls say something; None: all. silent: what the others send: silence, or nothing at all. answered: the
    server sends something, too. dtx: silence in Opus is
    mostly not sent. least_a_core and
    most_cores are the figures to keep, aim the one to wish for; others: what was measured of other servers.
    """

    name: str
    number: str
    calls: int
    codec: str = "PCMU"
    talkers: int | None = None
    silent: bool = True
    answered: bool = True
    dtx: bool = True
    srtp: bool = False
    shared_port: bool = False
    least_a_core: int | None = None
    aim_a_core: int | None = None
    most_cores: float | None = None
    others: Others | None = None

    def number_of(self, call: int) -> str:
        """What call number ``call`` dials."""
        return self.number.replace("{room}", str(8000 + call // 10))

    def talks(self, call: int) -> bool:
        """Whether the call has something to say."""
        return self.talkers is None or call < self.talkers


SCENARIOS = (
    Scenario(name="room-50", number="8000", calls=50, others=CONFERENCE),
    Scenario(name="room-300", number="8000", calls=300, others=CONFERENCE),
    Scenario(
        name="room-900", number="8000", calls=900, least_a_core=1500, aim_a_core=2000, others=CONFERENCE
    ),
    Scenario(name="rooms-of-ten", number="{room}", calls=300, others=CONFERENCE),
    Scenario(
        name="room-900-shared",
        number="8000",
        calls=900,
        shared_port=True,
        least_a_core=2200,
        aim_a_core=3000,
        others=CONFERENCE,
    ),
    Scenario(
        name="announcement",
        number="7000",
        calls=1000,
        talkers=0,
        silent=False,
        least_a_core=2500,
        others=ANNOUNCEMENT,
    ),
    Scenario(
        name="announcement-shared",
        number="7000",
        calls=1000,
        talkers=0,
        silent=False,
        shared_port=True,
        others=ANNOUNCEMENT,
    ),
    Scenario(
        name="recording",
        number="6000",
        calls=600,
        answered=False,
        least_a_core=1500,
        aim_a_core=2500,
        others=RECORDING,
    ),
    Scenario(name="echo", number="5000", calls=900),
    Scenario(name="echo-shared", number="5000", calls=900, shared_port=True),
    Scenario(name="opus-80", number="8000", calls=80, codec="opus", talkers=4, most_cores=0.35),
    Scenario(name="opus-300", number="8000", calls=300, codec="opus", talkers=2, most_cores=0.6),
    Scenario(name="opus-80-no-dtx", number="8000", calls=80, codec="opus", talkers=4, dtx=False),
    Scenario(name="srtp-300", number="8000", calls=300, srtp=True, most_cores=0.6),
)
"""The figures come from the requirements of the media plane."""

BY_NAME = {each.name: each for each in SCENARIOS}

MEMORY_KINDS = {
    each.name: each
    for each in (
        Scenario(
            name=f"{kind}-{where}",
            number=number,
            calls=0,
            codec=codec,
            talkers=8,
            dtx=False,
            srtp=kind == "srtp",
        )
        for kind, codec in (("pcmu", "PCMU"), ("srtp", "PCMU"), ("g722", "G722"), ("opus", "opus"))
        for where, number in (("room", "8000"), ("echo", "5000"))
    )
}
"""Whose memory a leg is measured. Everybody sends every packet, so that each leg needs its decoder; in a room eight
talk, and the others share the encoder of the room; in the echo each leg has an encoder of its own."""
