"""The texts of letters, in English and French: ``write`` is to letters what ``engine.language.say`` is to commands."""

from __future__ import annotations

from datetime import datetime

from engine.language import Language

TEXTS: dict[str, dict[Language, str]] = {
    "invite.subject": {"en": "Invitation: {title}", "fr": "Invitation : {title}"},
    "invite.changed_subject": {"en": "Changed: {title}", "fr": "Modifiée : {title}"},
    "invite.cancelled_subject": {"en": "Cancelled: {title}", "fr": "Annulée : {title}"},
    "invite.opening": {
        "en": "{organiser} invites you to a conference.",
        "fr": "{organiser} vous invite à une conférence.",
    },
    "invite.changed": {
        "en": "{organiser} has changed this conference. What follows replaces the earlier invitation.",
        "fr": "{organiser} a modifié cette conférence. Ce qui suit remplace l'invitation précédente.",
    },
    "invite.cancelled": {
        "en": "{organiser} has cancelled this conference.",
        "fr": "{organiser} a annulé cette conférence.",
    },
    "invite.when": {"en": "When", "fr": "Quand"},
    "invite.times": {"en": "{day}, {start} to {end} ({zone})", "fr": "{day}, de {start} à {end} ({zone})"},
    "invite.times_over_night": {
        "en": "{day}, {start}, to {end_day}, {end} ({zone})",
        "fr": "{day}, {start}, jusqu'au {end_day}, {end} ({zone})",
    },
    "invite.repeated": {"en": "Repeated", "fr": "Répétition"},
    "invite.DAILY": {"en": "every day", "fr": "tous les jours"},
    "invite.WEEKLY": {"en": "every week", "fr": "toutes les semaines"},
    "invite.MONTHLY": {"en": "every month", "fr": "tous les mois"},
    "invite.YEARLY": {"en": "every year", "fr": "tous les ans"},
    "invite.DAILY_n": {"en": "every {n} days", "fr": "tous les {n} jours"},
    "invite.WEEKLY_n": {"en": "every {n} weeks", "fr": "toutes les {n} semaines"},
    "invite.MONTHLY_n": {"en": "every {n} months", "fr": "tous les {n} mois"},
    "invite.YEARLY_n": {"en": "every {n} years", "fr": "tous les {n} ans"},
    "invite.on": {"en": "{often}, {days}", "fr": "{often}, {days}"},
    "invite.count": {"en": "{often}, {n} times", "fr": "{often}, {n} fois"},
    "invite.until": {"en": "{often}, until {day}", "fr": "{often}, jusqu'au {day}"},
    "invite.phone": {"en": "By telephone", "fr": "Par téléphone"},
    "invite.room": {"en": "Room number", "fr": "Numéro de la salle"},
    "invite.pin": {"en": "PIN", "fr": "Code"},
    "invite.host_pin": {"en": "Host PIN (only for you)", "fr": "Code animateur (pour vous seul)"},
    "invite.link": {"en": "By browser", "fr": "Par navigateur"},
    "invite.early": {
        "en": "You can come in {n} minutes before the start.",
        "fr": "Vous pouvez entrer {n} minutes avant le début.",
    },
    "report.subject": {"en": "Report: {name}, {day}", "fr": "Compte rendu : {name}, {day}"},
    "report.opening": {
        "en": "The conference {name} is over.",
        "fr": "La conférence {name} est terminée.",
    },
    "report.room": {"en": "room {number}", "fr": "salle {number}"},
    "report.when": {
        "en": "{day}, {start} to {end} ({zone}), {length}",
        "fr": "{day}, de {start} à {end} ({zone}), {length}",
    },
    "report.most": {
        "en": "{people} participant(s), {most} at the same time.",
        "fr": "{people} participant(s), {most} en même temps.",
    },
    "report.recorded": {"en": "It was recorded.", "fr": "Elle a été enregistrée."},
    "report.not_recorded": {"en": "It was not recorded.", "fr": "Elle n'a pas été enregistrée."},
    "report.reason.empty": {
        "en": "It ended when everybody had left.",
        "fr": "Elle s'est terminée quand tout le monde est parti.",
    },
    "report.reason.ended": {"en": "A host ended it for all.", "fr": "Un animateur y a mis fin pour tous."},
    "report.reason.host_left": {
        "en": "It ended because the host had left.",
        "fr": "Elle s'est terminée car l'animateur était parti.",
    },
    "report.reason.merged": {
        "en": "It was merged with another conference.",
        "fr": "Elle a été réunie à une autre conférence.",
    },
    "report.reason.stopped": {
        "en": "It ended because the server was stopped.",
        "fr": "Elle s'est terminée car le serveur a été arrêté.",
    },
    "report.participant": {"en": "Participant", "fr": "Participant"},
    "report.role": {"en": "Role", "fr": "Rôle"},
    "report.host": {"en": "host", "fr": "animateur"},
    "report.guest": {"en": "guest", "fr": "invité"},
    "report.from": {"en": "From", "fr": "De"},
    "report.to": {"en": "To", "fr": "À"},
    "report.present": {"en": "Present", "fr": "Présence"},
    "report.talked": {"en": "Talked", "fr": "Parole"},
    "report.quality": {"en": "Quality", "fr": "Qualité"},
    "report.unknown": {"en": "unknown", "fr": "inconnu"},
    "report.lobby": {"en": "lobby only", "fr": "salle d'attente"},
    "report.more": {"en": "and {n} more", "fr": "et {n} de plus"},
    "report.picture": {"en": "Who talked when", "fr": "Qui a parlé quand"},
    "report.picture_title": {
        "en": "Who talked when: {name}, {day}",
        "fr": "Qui a parlé quand : {name}, {day}",
    },
    "quality.good": {"en": "good", "fr": "bonne"},
    "quality.fair": {"en": "fair", "fr": "moyenne"},
    "quality.poor": {"en": "poor", "fr": "mauvaise"},
    "quality.none": {"en": "-", "fr": "-"},
}

WEEKDAYS: dict[Language, tuple[str, ...]] = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
}
MONTHS: dict[Language, tuple[str, ...]] = {
    "en": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
    "fr": (
        *("janvier", "février", "mars", "avril", "mai", "juin"),
        *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
    ),
}


def write(key: str, language: Language, **values: object) -> str:
    """The text ``key`` in ``language``, its placeholders filled in."""
    return TEXTS[key][language].format(**values)


def day(at: datetime, language: Language) -> str:
    """The day in words: Monday 19 October 2026, lundi 19 octobre 2026."""
    number = "1er" if language == "fr" and at.day == 1 else str(at.day)
    return f"{WEEKDAYS[language][at.weekday()]} {number} {MONTHS[language][at.month - 1]} {at.year}"


def clock(at: datetime) -> str:
    """The time of day, as it is written in both languages here: 09:05."""
    return f"{at.hour:02}:{at.minute:02}"


def length(seconds: float) -> str:
    """How long: 1:02:03, or 2:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
