"""What users can be authorised to, and companies have quotas of: the engine's applications, by name."""

from __future__ import annotations

from dataclasses import dataclass

CALLS = "calls"
OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class Application:
    """One application. name: as it stands in the store and in addresses."""

    name: str
    description_en: str
    description_fr: str


APPLICATIONS: dict[str, Application] = {
    each.name: each
    for each in (
        Application(CALLS, "Calls to lines of the company.", "Appels vers des lignes de la société."),
        Application(OUTSIDE, "Calls that leave by a link.", "Appels qui sortent par un lien."),
        Application("echo", "The echo: callers hear themselves.", "L'écho : l'appelant s'entend lui-même."),
        Application("announcement", "Announcements.", "Annonces."),
        Application(
            "readback", "The caller's number and keys, read back.", "Relecture du numéro et des touches."
        ),
        Application("recorder", "The recorder.", "L'enregistreur."),
        Application(
            "room", "Open rooms: who calls the number is in it.", "Salles ouvertes : qui appelle y est."
        ),
        Application("conference", "Conferences.", "Conférences."),
    )
}
