"""What a person reads of each step of a translation, in English and French."""

from __future__ import annotations

from engine.language import Catalogue, Texts

TEXTS: Texts = {
    "dial_plan.read": {
        "en": "read without separators: {number}",
        "fr": "lu sans séparateurs : {number}",
    },
    "dial_plan.too_long": {
        "en": "longer than any number: nothing is dialled",
        "fr": "plus long que tout numéro : rien n'est composé",
    },
    "dial_plan.rule": {
        "en": "the rule replaces {detail}: {number}",
        "fr": "la règle remplace {detail} : {number}",
    },
    "dial_plan.no_rule": {
        "en": "no rule fits; only digits stay: {number}",
        "fr": "aucune règle ne s'applique ; seuls les chiffres restent : {number}",
    },
    "dial_plan.service_code": {
        "en": "no rule fits; a service code is kept: {number}",
        "fr": "aucune règle ne s'applique ; un code de service est conservé : {number}",
    },
    "dial_plan.internal": {
        "en": "not longer than an internal number: {number}",
        "fr": "pas plus long qu'un numéro interne : {number}",
    },
    "dial_plan.external_prefix": {
        "en": "the external prefix {detail} is put before it: {number}",
        "fr": "le préfixe externe {detail} est ajouté : {number}",
    },
    "dial_plan.has_external_prefix": {
        "en": "the rule's result has the external prefix: {number}",
        "fr": "le résultat de la règle a le préfixe externe : {number}",
    },
    "dial_plan.international_prefix": {
        "en": "the international prefix {detail} stands for the +: {number}",
        "fr": "le préfixe international {detail} remplace le + : {number}",
    },
    "dial_plan.removed": {
        "en": "{detail} is removed from the incoming number: {number}",
        "fr": "{detail} est retiré du numéro entrant : {number}",
    },
    "dial_plan.added": {
        "en": "{detail} is added to the incoming number: {number}",
        "fr": "{detail} est ajouté au numéro entrant : {number}",
    },
}

say = Catalogue(TEXTS).say
