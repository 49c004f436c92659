"""What is said of imports of users, in English and French."""

from __future__ import annotations

from engine.language import Catalogue, Texts

TEXTS: Texts = {
    "help": {
        "en": "Carry out an import (its name or uid) and say what came of it.",
        "fr": "Effectuer un import (son nom ou son uid) et en donner le résultat.",
    },
    "file": {"en": "The file, for an import of one.", "fr": "Le fichier, pour un import de fichier."},
    "dry_run": {
        "en": "Only say what would change.",
        "fr": "Dire seulement ce qui changerait.",
    },
    "force": {
        "en": "Go on although too many users are gone from the source.",
        "fr": "Continuer même si trop d'utilisateurs ont disparu de la source.",
    },
    "report": {
        "en": "Show what became of each user, but of those that stayed as they are.",
        "fr": "Montrer chaque utilisateur, sauf ceux qui restent inchangés.",
    },
    "unknown": {"en": "There is no one import {name}.", "fr": "Il n'y a pas d'import unique {name}."},
    "stage.waiting": {"en": "waiting", "fr": "en attente"},
    "stage.reading": {"en": "reading: {entries} entries", "fr": "lecture : {entries} entrées"},
    "stage.comparing": {
        "en": "comparing {entries} entries",
        "fr": "comparaison de {entries} entrées",
    },
    "stage.writing": {"en": "writing", "fr": "écriture"},
    "over": {
        "en": "{entries} entries: {created} created, {updated} updated, {unchanged} unchanged, {disabled} disabled,"
        " {deleted} deleted, {ignored} ignored, {spared} spared.",
        "fr": "{entries} entrées : {created} créés, {updated} modifiés, {unchanged} inchangés, {disabled} désactivés,"
        " {deleted} supprimés, {ignored} ignorés, {spared} épargnés.",
    },
    "dry": {
        "en": "Dry run, nothing has changed. {entries} entries: {created} to create, {updated} to update, {unchanged}"
        " unchanged, {disabled} to disable, {deleted} to delete, {ignored} ignored, {spared} spared.",
        "fr": "Simulation, rien n'a changé. {entries} entrées : {created} à créer, {updated} à modifier, {unchanged}"
        " inchangés, {disabled} à désactiver, {deleted} à supprimer, {ignored} ignorés, {spared} épargnés.",
    },
    "nothing": {"en": "Nothing has changed: {reason}", "fr": "Rien n'a changé : {reason}"},
    "why.unreachable": {
        "en": "{detail} cannot be reached, or stopped answering.",
        "fr": "{detail} est injoignable ou ne répond plus.",
    },
    "why.refused": {
        "en": "the directory refuses the name, the password or the search ({detail}).",
        "fr": "l'annuaire refuse le nom, le mot de passe ou la recherche ({detail}).",
    },
    "why.limited": {
        "en": "the directory gives only a part of the users ({detail}).",
        "fr": "l'annuaire ne donne qu'une partie des utilisateurs ({detail}).",
    },
    "why.filter": {"en": "{detail} is no search filter.", "fr": "{detail} n'est pas un filtre de recherche."},
    "why.base": {
        "en": "the directory knows no such base ({detail}).",
        "fr": "l'annuaire ne connaît pas cette base ({detail}).",
    },
    "why.group": {
        "en": "the directory knows no group {detail}.",
        "fr": "l'annuaire ne connaît pas le groupe {detail}.",
    },
    "why.tls": {
        "en": "TLS fails, or the certificate cannot be trusted ({detail}).",
        "fr": "TLS échoue ou le certificat n'est pas fiable ({detail}).",
    },
    "why.answer": {
        "en": "the directory answers with an error ({detail}).",
        "fr": "l'annuaire répond par une erreur ({detail}).",
    },
    "why.text": {
        "en": "the file is no CSV from line {detail} on.",
        "fr": "le fichier n'est plus du CSV à partir de la ligne {detail}.",
    },
    "why.columns": {
        "en": "the first row of the file does not name each column once.",
        "fr": "la première ligne du fichier ne nomme pas chaque colonne une fois.",
    },
    "why.column": {"en": "the file has no column {detail}.", "fr": "le fichier n'a pas de colonne {detail}."},
    "why.too_many_gone": {
        "en": "too many users are gone from the source ({detail}).",
        "fr": "trop d'utilisateurs ont disparu de la source ({detail}).",
    },
    "why.store": {
        "en": "the store could not be written ({detail}).",
        "fr": "la base n'a pas pu être écrite ({detail}).",
    },
    "why.bug": {
        "en": "an error of the engine; its log says more.",
        "fr": "une erreur du moteur ; son journal en dit plus.",
    },
    "why.interrupted": {"en": "the run was interrupted.", "fr": "l'import a été interrompu."},
    "action.created": {"en": "created", "fr": "créé"},
    "action.updated": {"en": "updated", "fr": "modifié"},
    "action.disabled": {"en": "disabled", "fr": "désactivé"},
    "action.deleted": {"en": "deleted", "fr": "supprimé"},
    "action.ignored": {"en": "ignored", "fr": "ignoré"},
    "of.adopted": {"en": "was made by hand", "fr": "créé à la main"},
    "of.gone": {"en": "gone from the source", "fr": "disparu de la source"},
    "of.invalid": {"en": "cannot be stored as it is", "fr": "valeur impossible"},
    "of.missing": {"en": "missing", "fr": "absent"},
    "of.taken": {"en": "somebody else's", "fr": "déjà pris"},
    "of.twice": {"en": "in the source twice", "fr": "en double dans la source"},
    "of.no_key": {"en": "has no key to be known by", "fr": "sans clé pour le reconnaître"},
    "of.row": {"en": "not as wide as the first row", "fr": "pas aussi large que la première ligne"},
    "of.enabled": {"en": "neither yes nor no", "fr": "ni oui ni non"},
    "of.account_disabled": {"en": "account disabled", "fr": "compte désactivé"},
    "of.other_import": {"en": "user of another import", "fr": "utilisateur d'un autre import"},
    "of.not_here": {"en": "not here, and none is made", "fr": "inconnu ici, et aucun n'est créé"},
    "of.in_use": {"en": "needed elsewhere", "fr": "utilisé ailleurs"},
}

say = Catalogue(TEXTS).say
