"""What the softphone and the doctor say, in English and French; shaped as ``engine.language`` has it."""

from __future__ import annotations

from engine.language import Language

TEXTS: dict[str, dict[Language, str]] = {
    "softphone.missing": {
        "en": "The telephone needs pjsua2, which is not here: pip install 'polyphony[softphone]'.",
        "fr": "Le téléphone a besoin de pjsua2, absent d'ici : pip install 'polyphony[softphone]'.",
    },
    "softphone.nobody": {
        "en": "Whom shall I call? Give a SIP URI, or --answer to wait for calls.",
        "fr": "Qui appeler ? Donnez une URI SIP, ou --answer pour attendre les appels.",
    },
    "softphone.bad_uri": {
        "en": "{uri} is not a SIP URI such as sip:5000@127.0.0.1.",
        "fr": "{uri} n'est pas une URI SIP comme sip:5000@127.0.0.1.",
    },
    "softphone.bad_sound": {
        "en": "{path} is not a sound file I can read: {reason}",
        "fr": "{path} n'est pas un fichier son lisible : {reason}",
    },
    "softphone.cannot_start": {
        "en": "The phone cannot start: {reason}",
        "fr": "Le téléphone ne peut pas démarrer : {reason}",
    },
    "softphone.listening": {"en": "This phone is {address}.", "fr": "Ce téléphone est {address}."},
    "softphone.registered": {"en": "Registered as {uri}.", "fr": "Enregistré comme {uri}."},
    "softphone.not_registered": {
        "en": "Registration refused: {reason}",
        "fr": "Enregistrement refusé : {reason}",
    },
    "softphone.keys": {
        "en": "Keys: 0-9 * # A-D send digits, h hold, r resume, t transfer, a answer, q quit.",
        "fr": "Touches : 0-9 * # A-D envoient des chiffres, h garde, r reprise, t transfert, a décrocher, "
        "q quitter.",
    },
    "softphone.calling": {"en": "Calling {uri} ...", "fr": "Appel de {uri} ..."},
    "softphone.incoming": {
        "en": "{who} is calling; press a to answer.",
        "fr": "{who} appelle ; a pour décrocher.",
    },
    "softphone.early": {"en": "It rings.", "fr": "Ça sonne."},
    "softphone.confirmed": {"en": "Connected.", "fr": "En communication."},
    "softphone.disconnected": {"en": "Ended: {status} {reason}", "fr": "Terminé : {status} {reason}"},
    "softphone.local_hold": {"en": "On hold.", "fr": "En garde."},
    "softphone.remote_hold": {
        "en": "The other side put us on hold.",
        "fr": "L'autre côté nous a mis en garde.",
    },
    "softphone.active": {"en": "Sound both ways.", "fr": "Son dans les deux sens."},
    "softphone.digit": {
        "en": "Digit received: {digit} ({method})",
        "fr": "Chiffre reçu : {digit} ({method})",
    },
    "softphone.transfer_to": {"en": "Transfer to (SIP URI): ", "fr": "Transférer vers (URI SIP) : "},
    "softphone.transfer": {"en": "Transfer: {status} {reason}", "fr": "Transfert : {status} {reason}"},
    "softphone.refused": {"en": "That did not work: {reason}", "fr": "Cela n'a pas marché : {reason}"},
}


def say(key: str, language: Language, **values: object) -> str:
    """The text ``key`` in ``language``, its placeholders filled in."""
    return TEXTS[key][language].format(**values)
