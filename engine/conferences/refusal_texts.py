"""Why something is not done, as a text for people; what is spoken is a prompt of its own."""

from __future__ import annotations

from conference.refusals import Reason
from engine.language import Catalogue

REFUSALS = Catalogue(
    {
        Reason.FULL: {"en": "The room is full.", "fr": "La salle est pleine."},
        Reason.SERVER_FULL: {
            "en": "This engine holds as many meetings or participants as it may.",
            "fr": "Ce moteur tient autant de réunions ou de participants qu'il lui est permis.",
        },
        Reason.DOMAIN_FULL: {
            "en": "The domain has as many participants as it may.",
            "fr": "Le domaine a autant de participants qu'il lui est permis.",
        },
        Reason.USER_FULL: {
            "en": "The room's owner has as many participants as it may.",
            "fr": "Le propriétaire de la salle a autant de participants qu'il lui est permis.",
        },
        Reason.LOCKED: {"en": "The room is locked.", "fr": "La salle est verrouillée."},
        Reason.ENDED: {"en": "The meeting is over.", "fr": "La réunion est terminée."},
        Reason.ANONYMOUS: {
            "en": "Anonymous guests are not let in.",
            "fr": "Les invités anonymes ne sont pas admis.",
        },
        Reason.AUDIO_FORBIDDEN: {
            "en": "The organiser's policy forbids audio.",
            "fr": "La politique de l'organisateur interdit le son.",
        },
        Reason.NOT_HOST: {"en": "Only a host may do that.", "fr": "Seul un hôte peut faire cela."},
        Reason.NOT_YOURS: {
            "en": "Only the participant itself may do that.",
            "fr": "Seul le participant lui-même peut faire cela.",
        },
        Reason.UNKNOWN_PARTICIPANT: {
            "en": "There is no such participant in the meeting.",
            "fr": "Ce participant n'est pas dans la réunion.",
        },
        Reason.UNKNOWN_ROOM: {
            "en": "There is no such room, or no meeting in it.",
            "fr": "Cette salle n'existe pas, ou aucune réunion ne s'y tient.",
        },
        Reason.NOT_IN_ROOM: {
            "en": "The participant is not in the room: it waits, or is in a side talk.",
            "fr": "Le participant n'est pas dans la salle : il attend, ou il est en aparté.",
        },
        Reason.NOT_WAITING: {
            "en": "The participant does not wait in the lobby.",
            "fr": "Le participant n'attend pas dans le vestibule.",
        },
        Reason.NOT_ASIDE: {
            "en": "There is no such side talk, or the participant is not in it.",
            "fr": "Cet aparté n'existe pas, ou le participant n'y est pas.",
        },
        Reason.MUTED_BY_HOST: {
            "en": "A host has muted the participant.",
            "fr": "Un hôte a coupé le micro du participant.",
        },
        Reason.LISTEN_ONLY: {
            "en": "The participant only listens.",
            "fr": "Le participant est en écoute seule.",
        },
        Reason.OUT_OF_RANGE: {
            "en": "The value is out of range.",
            "fr": "La valeur est hors des limites.",
        },
        Reason.RECORDING_FORBIDDEN: {
            "en": "The organiser's policy forbids recording.",
            "fr": "La politique de l'organisateur interdit l'enregistrement.",
        },
        Reason.RECORDING: {
            "en": "The meeting is being recorded already.",
            "fr": "La réunion est déjà enregistrée.",
        },
        Reason.NOT_RECORDING: {
            "en": "The meeting is not being recorded.",
            "fr": "La réunion n'est pas enregistrée.",
        },
        Reason.DIAL_OUT_FORBIDDEN: {
            "en": "The organiser's policy forbids calling others into the room.",
            "fr": "La politique de l'organisateur interdit d'appeler d'autres personnes dans la salle.",
        },
        Reason.TOO_MANY_DIALS: {
            "en": "Too many calls of the meeting ring already.",
            "fr": "Trop d'appels de la réunion sonnent déjà.",
        },
        Reason.BAD_NUMBER: {
            "en": "That is no number that can be called.",
            "fr": "Ce n'est pas un numéro qui puisse être appelé.",
        },
        Reason.BAD_NAME: {"en": "That is no name.", "fr": "Ce n'est pas un nom."},
        Reason.SAME_ROOM: {
            "en": "That is the room itself, or a number that is in use.",
            "fr": "C'est la salle elle-même, ou un numéro déjà pris.",
        },
    }
)
