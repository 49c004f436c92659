"""What conferences say (of ``conference.announcements``, ``entry`` and ``menu``), in English and French.

A text is what is spoken: where a voice would say a written word wrong, it is written as it sounds.
"""

from __future__ import annotations

from typing import Literal

_Text = dict[Literal["en", "fr"], str]

ENTRY: dict[str, _Text] = {
    "welcome": {"en": "Welcome to the conference service.", "fr": "Bienvenue au service de conférence."},
    "enter-room": {
        "en": "Please enter the number of the room, followed by the hash key.",
        "fr": "Composez le numéro de la salle, suivi de la touche dièse.",
    },
    "room-unknown": {"en": "There is no room with this number.", "fr": "Aucune salle ne porte ce numéro."},
    "enter-pin": {
        "en": "Please enter your PIN, followed by the hash key.",
        "fr": "Composez votre code, suivi de la touche dièse.",
    },
    "enter-host-pin": {
        "en": "If you are a host, enter your PIN. Otherwise press the hash key.",
        "fr": "Si vous êtes animateur, composez votre code. Sinon, appuyez sur la touche dièse.",
    },
    "wrong-pin": {"en": "This PIN is not right.", "fr": "Ce code n'est pas bon."},
    "too-many-tries": {
        "en": "That was the third try. Goodbye.",
        "fr": "C'était le troisième essai. Au revoir.",
    },
    "say-name": {
        "en": "Please say your name after the tone, then press the hash key.",
        "fr": "Dites votre nom après le signal sonore, puis appuyez sur la touche dièse.",
    },
    "not-open": {
        "en": "This meeting has not begun yet. Please call again at its time.",
        "fr": "Cette réunion n'est pas encore ouverte. Veuillez rappeler à l'heure prévue.",
    },
    "goodbye": {"en": "Goodbye.", "fr": "Au revoir."},
}

ROOM: dict[str, _Text] = {
    "alone": {
        "en": "You are alone in this room.",
        "fr": "Vous êtes seul dans cette salle.",
    },
    "wait-for-host": {
        "en": "The meeting begins when the host is there. Please wait.",
        "fr": "La réunion commencera à l'arrivée de l'animateur. Veuillez patienter.",
    },
    "wait-to-be-admitted": {
        "en": "The host will let you in. Please wait.",
        "fr": "L'animateur va vous faire entrer. Veuillez patienter.",
    },
    "admitted": {"en": "You are being connected.", "fr": "Vous entrez dans la salle."},
    "denied": {
        "en": "The host does not let you in. Goodbye.",
        "fr": "L'animateur ne vous laisse pas entrer. Au revoir.",
    },
    "expelled": {
        "en": "The host has ended your part in this meeting. Goodbye.",
        "fr": "L'animateur a mis fin à votre participation. Au revoir.",
    },
    "somebody-waits": {"en": "Somebody waits to be let in.", "fr": "Quelqu'un attend d'entrer."},
    "muted": {"en": "You are muted.", "fr": "Votre micro est coupé."},
    "unmuted": {"en": "You are heard again.", "fr": "On vous entend de nouveau."},
    "muted-by-host": {"en": "The host has muted you.", "fr": "L'animateur a coupé votre micro."},
    "unmuted-by-host": {"en": "You may speak now.", "fr": "Vous avez la parole."},
    "all-muted": {"en": "All guests are muted.", "fr": "Tous les invités ont le micro coupé."},
    "all-unmuted": {"en": "The guests may speak.", "fr": "Les invités ont la parole."},
    "listening-only": {"en": "You can listen, but not speak.", "fr": "Vous pouvez écouter, mais non parler."},
    "hand-raised": {"en": "Your hand is raised.", "fr": "Votre main est levée."},
    "hand-lowered": {"en": "Your hand is lowered.", "fr": "Votre main est baissée."},
    "somebody-asks-to-speak": {"en": "Somebody asks to speak.", "fr": "Quelqu'un demande la parole."},
    "now-host": {"en": "You are a host now.", "fr": "Vous êtes maintenant animateur."},
    "now-guest": {"en": "You are a guest now.", "fr": "Vous êtes maintenant invité."},
    "locked": {"en": "The room is locked.", "fr": "La salle est verrouillée."},
    "unlocked": {"en": "The room is open again.", "fr": "La salle est de nouveau ouverte."},
    "count": {"en": "people are in the room.", "fr": "participants dans la salle."},
    "count-one": {"en": "You are alone in the room.", "fr": "Vous êtes seul dans la salle."},
    "recorded": {"en": "This meeting is recorded.", "fr": "Cette réunion est enregistrée."},
    "consent": {
        "en": "This meeting is to be recorded. If you agree, press 1. If not, press 2.",
        "fr": "Cette réunion doit être enregistrée. Si vous êtes d'accord, appuyez sur 1. Sinon, sur 2.",
    },
    "consent-refused": {
        "en": "Somebody does not agree. The meeting is not recorded.",
        "fr": "Quelqu'un n'est pas d'accord. La réunion n'est pas enregistrée.",
    },
    "recording-paused": {"en": "The recording is paused.", "fr": "L'enregistrement est suspendu."},
    "recording-stopped": {"en": "The recording has ended.", "fr": "L'enregistrement est terminé."},
    "aside": {
        "en": "You are in a side talk. The meeting does not hear you.",
        "fr": "Vous êtes en aparté. La réunion ne vous entend pas.",
    },
    "back": {"en": "You are back in the meeting.", "fr": "Vous êtes de retour dans la réunion."},
    "host-left": {
        "en": "The host has left. The meeting will end shortly.",
        "fr": "L'animateur est parti. La réunion va prendre fin.",
    },
    "ended": {"en": "The meeting has ended. Goodbye.", "fr": "La réunion est terminée. Au revoir."},
    "called-busy": {"en": "The number that was called is busy.", "fr": "Le numéro appelé est occupé."},
    "called-no-answer": {
        "en": "The number that was called does not answer.",
        "fr": "Le numéro appelé ne répond pas.",
    },
    "called-refused": {"en": "This number cannot be called.", "fr": "Ce numéro ne peut pas être appelé."},
    "called-unreachable": {
        "en": "The number that was called cannot be reached.",
        "fr": "Le numéro appelé est injoignable.",
    },
}

MENU: dict[str, _Text] = {
    "guest": {
        "en": "To mute yourself or speak again, press 1. To raise or lower your hand, 2. To hear how many are here, 3. "
        "To hear the room softer, 4, louder, 6. To be heard softer, 7, louder, 9. "
        "To come back from a side talk, 8. To leave this menu, star.",
        "fr": "Pour couper ou rétablir votre micro, appuyez sur 1. Pour lever ou baisser la main, 2. "
        "Pour savoir combien vous êtes, 3. Pour entendre moins fort, 4, plus fort, 6. "
        "Pour être entendu moins fort, 7, plus fort, 9. Pour revenir d'un aparté, 8. Pour quitter ce menu, étoile.",
    },
    "host": {
        "en": "To mute all guests or let them speak, press 1. For those who wait, 2. For those who ask to speak, 3. "
        "To lock or open the room, 4. To record or stop recording, 5. To pause the recording or go on, 6. "
        "For all who are here, 7. To end the meeting, 9. To leave this menu, hash.",
        "fr": "Pour couper ou rétablir le micro des invités, appuyez sur 1. Pour ceux qui attendent, 2. "
        "Pour ceux qui demandent la parole, 3. Pour verrouiller ou ouvrir la salle, 4. "
        "Pour enregistrer ou arrêter, 5. Pour suspendre ou reprendre, 6. Pour la liste des présents, 7. "
        "Pour terminer la réunion, 9. Pour quitter ce menu, dièse.",
    },
    "waiting-choice": {
        "en": "To let in, press 1. To turn away, 2. Next, 3. To let in all, 9.",
        "fr": "Pour faire entrer, 1. Pour refuser, 2. Suivant, 3. Pour faire entrer tout le monde, 9.",
    },
    "hand-choice": {
        "en": "To give the floor, press 1. To lower the hand, 2. Next, 3.",
        "fr": "Pour donner la parole, 1. Pour baisser la main, 2. Suivant, 3.",
    },
    "people-choice": {
        "en": "To mute or unmute, press 1. To expel, 2. Next, 3. To change the role, 4.",
        "fr": "Pour couper ou rétablir le micro, 1. Pour exclure, 2. Suivant, 3. Pour changer le rôle, 4.",
    },
    "nobody-waits": {"en": "Nobody waits.", "fr": "Personne n'attend."},
    "no-hands": {"en": "Nobody asks to speak.", "fr": "Personne ne demande la parole."},
    "nobody-else": {"en": "Nobody else is here.", "fr": "Il n'y a personne d'autre."},
    "end-of-list": {"en": "That was the last one.", "fr": "C'était le dernier."},
    "sure-to-end": {
        "en": "To end the meeting for all, press 1.",
        "fr": "Pour terminer la réunion pour tous, appuyez sur 1.",
    },
    "not-possible": {"en": "This key means nothing here.", "fr": "Cette touche n'a pas de fonction ici."},
    "participant": {"en": "Participant", "fr": "Participant"},
}

REFUSED: dict[str, _Text] = {
    "full": {"en": "This room is full. Goodbye.", "fr": "Cette salle est complète. Au revoir."},
    "server-full": {
        "en": "No more callers can be taken at the moment. Please call again later.",
        "fr": "Il n'y a plus de place pour le moment. Veuillez rappeler plus tard.",
    },
    "domain-full": {
        "en": "All places of your organisation are taken. Please call again later.",
        "fr": "Toutes les places de votre organisation sont prises. Veuillez rappeler plus tard.",
    },
    "user-full": {
        "en": "All places of the organiser are taken. Please call again later.",
        "fr": "Toutes les places de l'organisateur sont prises. Veuillez rappeler plus tard.",
    },
    "locked": {"en": "This room is locked. Goodbye.", "fr": "Cette salle est verrouillée. Au revoir."},
    "ended": {"en": "This meeting is over. Goodbye.", "fr": "Cette réunion est terminée. Au revoir."},
    "anonymous": {
        "en": "Callers without a number are not let in. Goodbye.",
        "fr": "Les appels sans numéro ne sont pas admis. Au revoir.",
    },
    "audio-forbidden": {
        "en": "Telephones are not let into this room. Goodbye.",
        "fr": "Les téléphones ne sont pas admis dans cette salle. Au revoir.",
    },
    "not-host": {"en": "Only a host may do this.", "fr": "Seul un animateur peut le faire."},
    "not-yours": {"en": "Only the participant may do this.", "fr": "Seul le participant peut le faire."},
    "unknown-participant": {"en": "This participant has left.", "fr": "Ce participant est parti."},
    "unknown-room": {"en": "There is no such room.", "fr": "Cette salle n'existe pas."},
    "not-in-room": {"en": "You are not in the room yet.", "fr": "Vous n'êtes pas encore dans la salle."},
    "not-waiting": {"en": "This participant does not wait.", "fr": "Ce participant n'attend pas."},
    "not-aside": {"en": "You are not in a side talk.", "fr": "Vous n'êtes pas en aparté."},
    "muted-by-host": {
        "en": "The host has muted you. You can raise your hand.",
        "fr": "L'animateur a coupé votre micro. Vous pouvez lever la main.",
    },
    "listen-only": {"en": "You can listen only.", "fr": "Vous ne pouvez qu'écouter."},
    "out-of-range": {"en": "No further in this direction.", "fr": "Pas plus loin dans ce sens."},
    "recording-forbidden": {
        "en": "This meeting may not be recorded.",
        "fr": "Cette réunion ne peut pas être enregistrée.",
    },
    "recording": {"en": "This meeting is recorded already.", "fr": "Cette réunion est déjà enregistrée."},
    "not-recording": {"en": "This meeting is not recorded.", "fr": "Cette réunion n'est pas enregistrée."},
    "dial-out-forbidden": {
        "en": "This meeting may not call anybody.",
        "fr": "Cette réunion ne peut appeler personne.",
    },
    "too-many-dials": {"en": "Too many calls at once.", "fr": "Trop d'appels à la fois."},
    "bad-number": {"en": "This number cannot be called.", "fr": "Ce numéro ne peut pas être appelé."},
    "bad-name": {"en": "This name is not possible.", "fr": "Ce nom n'est pas possible."},
    "same-room": {"en": "This is the same room.", "fr": "C'est la même salle."},
}


def texts(language: Literal["en", "fr"]) -> dict[str, str]:
    """Every text of a language by the name of its prompt, without the language."""
    groups = (("", ENTRY), ("", ROOM), ("menu-", MENU), ("refused-", REFUSED))
    return {
        f"conference-{prefix}{word}": text[language]
        for prefix, group in groups
        for word, text in group.items()
    }
