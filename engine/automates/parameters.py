"""The parameters of the applications, declared once: what they read, what administrators set, what pages show.

A value that an automate has of its own under the same name stays: it is part of what the number does.
"""

from __future__ import annotations

from engine.domain.applications import APPLICATIONS, CALLS, OUTSIDE
from engine.domain.parameters import Kind, Parameter

EVERYBODY = "everybody"
AUTHORISED = "authorised"


def _access(application: str) -> Parameter:
    return Parameter(
        application=application,
        name="access",
        kind=Kind.TEXT,
        default=EVERYBODY,
        choices=(EVERYBODY, AUTHORISED),
        description_en="Who may use it: everybody whose calls are accepted, or only whom an authorisation names.",
        description_fr="Qui peut s'en servir : tous ceux dont les appels sont acceptés, ou les seuls autorisés.",
    )


def _language(application: str) -> Parameter:
    return Parameter(
        application=application,
        name="language",
        kind=Kind.TEXT,
        default="",
        choices=("", "en", "fr"),
        description_en="The language callers are spoken to in; empty: the one of the engine, or of the room.",
        description_fr="La langue parlée à l'appelant ; vide : celle du moteur, ou de la salle.",
    )


ACCESS = {each: _access(each) for each in APPLICATIONS}
LANGUAGE = {each: _language(each) for each in ("announcement", "readback", "recorder", "conference")}

RING_TIME = {
    each: Parameter(
        application=each,
        name="ring_time",
        kind=Kind.INTEGER,
        unit="s",
        default=0,
        least=0,
        most=300,
        description_en=f"How long {english} rings before nobody is there; 0: as long as the engine lets it.",
        description_fr=f"Combien de temps sonne {french} avant l'abandon ; 0 : autant que le moteur le permet.",
    )
    for each, english, french in (
        (CALLS, "a call to the user", "un appel vers l'utilisateur"),
        (OUTSIDE, "a call of the user that leaves by a link", "un appel sortant de l'utilisateur"),
    )
}
ANNOUNCE = Parameter(
    application="recorder",
    name="announce",
    kind=Kind.BOOLEAN,
    default=True,
    description_en="Whether callers are told that they are recorded before the tone.",
    description_fr="Si l'appelant est averti de l'enregistrement avant le bip.",
)
BOTH = Parameter(
    application="recorder",
    name="both",
    kind=Kind.BOOLEAN,
    default=False,
    description_en="Whether what the caller hears is recorded too, as a second channel.",
    description_fr="Si ce que l'appelant entend est enregistré aussi, sur une seconde voie.",
)
FORMAT = Parameter(
    application="recorder",
    name="format",
    kind=Kind.TEXT,
    default="",
    choices=("", "wav", "g711", "flac", "ogg"),
    description_en="The format of recordings; empty: the one of the engine.",
    description_fr="Le format des enregistrements ; vide : celui du moteur.",
)
BEEP = Parameter(
    application="recorder",
    name="beep",
    kind=Kind.NUMBER,
    unit="s",
    default=0,
    least=0,
    most=3600,
    description_en="Time from one reminding tone to the next while it records, 2 s at least; less: none.",
    description_fr="Temps d'un bip de rappel au suivant pendant l'enregistrement, 2 s au moins ; sinon aucun.",
)
PAUSE = Parameter(
    application="readback",
    name="pause",
    kind=Kind.NUMBER,
    unit="s",
    default=1.5,
    least=0.5,
    most=10,
    description_en="Time without a key after which the keys so far are read back.",
    description_fr="Temps sans touche après lequel les touches sont relues.",
    expert=True,
)
DECLARED: tuple[Parameter, ...] = (
    *ACCESS.values(),
    *LANGUAGE.values(),
    *RING_TIME.values(),
    ANNOUNCE,
    BOTH,
    FORMAT,
    BEEP,
    PAUSE,
)
