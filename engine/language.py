"""The texts users see, in English and French.

``say("key", language, name=value)``: the key is the English text's short name, grouped by where it is
shown. A text that exists in one language only is a test failure, so there is no fallback to write.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal

Language = Literal["en", "fr"]
LANGUAGES: tuple[Language, ...] = ("en", "fr")

Texts = Mapping[str, Mapping[Language, str]]


class Catalogue:
    """Some texts, each by its key in every language."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts

    def say(self, key: str, language: Language = "en", **values: object) -> str:
        """The text ``key`` in ``language``, its placeholders filled in."""
        return self._texts[key][language].format(**values)


TEXTS: Texts = {
    "cli.main": {
        "en": "Polyphony: a SIP/RTP unified communications engine.",
        "fr": "Polyphony : un moteur SIP/RTP de communications unifiées.",
    },
    "cli.serve": {"en": "Run the engine.", "fr": "Lancer le moteur."},
    "cli.config": {
        "en": "Check, show and document the configuration.",
        "fr": "Vérifier, montrer et documenter la configuration.",
    },
    "cli.companies": {"en": "Companies, which share nothing.", "fr": "Les sociétés, qui ne partagent rien."},
    "cli.domains": {"en": "The domains of companies.", "fr": "Les domaines des sociétés."},
    "cli.users": {"en": "Users.", "fr": "Les utilisateurs."},
    "cli.groups": {"en": "Groups of users and groups.", "fr": "Les groupes d'utilisateurs et de groupes."},
    "cli.memberships": {"en": "Who is in which group.", "fr": "L'appartenance aux groupes."},
    "cli.login-methods": {
        "en": "How users' passwords are checked.",
        "fr": "Comment les mots de passe des utilisateurs sont vérifiés.",
    },
    "cli.administrators": {"en": "Who administers the engine.", "fr": "Qui administre le moteur."},
    "cli.api-tokens": {"en": "What programs show instead of a password.", "fr": "Les jetons des programmes."},
    "nouns.remove_second_factor": {
        "en": "Ask an administrator for no one-time codes any more.",
        "fr": "Ne plus demander de codes à usage unique à un administrateur.",
    },
    "nouns.second_factor_removed": {
        "en": "{uid} is asked for no codes any more.",
        "fr": "Plus aucun code n'est demandé à {uid}.",
    },
    "column.role": {"en": "role", "fr": "rôle"},
    "column.has_second_factor": {"en": "codes", "fr": "codes"},
    "column.administrator": {"en": "administrator", "fr": "administrateur"},
    "column.scopes": {"en": "scopes", "fr": "portées"},
    "column.expires_at": {"en": "ends", "fr": "fin"},
    "column.position": {"en": "position", "fr": "position"},
    "column.domain": {"en": "domain", "fr": "domaine"},
    "column.user": {"en": "user", "fr": "utilisateur"},
    "cli.dial-rules": {"en": "Rules of dial plans.", "fr": "Les règles des plans de numérotation."},
    "cli.dialplan": {
        "en": "Try a domain's dial plan; export and import its rules.",
        "fr": "Essayer un plan de numérotation ; exporter et importer ses règles.",
    },
    "dialplan.try": {
        "en": "Say what the plan makes of NUMBER, by which rule, and each step.",
        "fr": "Dire ce que le plan fait de NUMBER, par quelle règle, et chaque étape.",
    },
    "dialplan.incoming": {
        "en": "As a number that comes in.",
        "fr": "Comme un numéro entrant.",
    },
    "dialplan.domain": {
        "en": "The domain's uid or name; may be left out where there is only one.",
        "fr": "L'uid ou le nom du domaine ; inutile quand il n'y en a qu'un.",
    },
    "dialplan.export": {
        "en": "Write the rules to FILE as CSV; - is the standard output.",
        "fr": "Écrire les règles dans FILE en CSV ; - est la sortie standard.",
    },
    "dialplan.import": {
        "en": "Replace the rules by those of the CSV file FILE, all or none; - is the standard input.",
        "fr": "Remplacer les règles par celles du fichier CSV FILE, toutes ou aucune ; - est l'entrée standard.",
    },
    "dialplan.nothing": {"en": "nothing to dial", "fr": "rien à composer"},
    "dialplan.by_rule": {
        "en": "by the {direction} rule {priority}: {pattern} -> {result}",
        "fr": "par la règle {direction} {priority} : {pattern} -> {result}",
    },
    "dialplan.imported": {
        "en": "{kept} rule(s) kept, {added} added, {removed} removed.",
        "fr": "{kept} règle(s) conservée(s), {added} ajoutée(s), {removed} supprimée(s).",
    },
    "dialplan.no_domain": {"en": "There is no domain {name}.", "fr": "Il n'y a pas de domaine {name}."},
    "dialplan.which": {
        "en": "Say which with --domain: {names}",
        "fr": "Précisez avec --domain : {names}",
    },
    "column.text": {"en": "in words", "fr": "en clair"},
    "column.priority": {"en": "priority", "fr": "priorité"},
    "column.pattern": {"en": "pattern", "fr": "motif"},
    "column.result": {"en": "result", "fr": "résultat"},
    "column.note": {"en": "note", "fr": "note"},
    "cli.user-imports": {
        "en": "Where users are imported from, and what is made of them.",
        "fr": "Les sources d'import d'utilisateurs et ce qui en est fait.",
    },
    "nouns.list": {"en": "List them.", "fr": "Lister."},
    "nouns.show": {"en": "Show one.", "fr": "Montrer."},
    "nouns.add": {"en": "Add one.", "fr": "Ajouter."},
    "nouns.set": {"en": "Change the fields that are named.", "fr": "Modifier les champs nommés."},
    "nouns.remove": {"en": "Remove one.", "fr": "Supprimer."},
    "nouns.removed": {"en": "{uid} is removed.", "fr": "{uid} est supprimé."},
    "nouns.search": {
        "en": "Words that all must be found, without case and accents.",
        "fr": "Des mots à trouver tous, sans casse ni accents.",
    },
    "nouns.count": {"en": "At most so many.", "fr": "Pas plus que cela."},
    "nouns.clear": {"en": "A field that is to have no value.", "fr": "Un champ à vider."},
    "nouns.yes": {"en": "yes", "fr": "oui"},
    "nouns.no": {"en": "no", "fr": "non"},
    "column.culture": {"en": "culture", "fr": "culture"},
    "column.enabled": {"en": "enabled", "fr": "actif"},
    "column.sip_domain": {"en": "SIP domain", "fr": "domaine SIP"},
    "column.company": {"en": "company", "fr": "société"},
    "column.login": {"en": "login", "fr": "identifiant"},
    "column.last_name": {"en": "last name", "fr": "nom"},
    "column.first_name": {"en": "first name", "fr": "prénom"},
    "column.email": {"en": "mail", "fr": "courriel"},
    "column.description": {"en": "description", "fr": "description"},
    "column.members": {"en": "members", "fr": "membres"},
    "column.group": {"en": "group", "fr": "groupe"},
    "column.member": {"en": "member", "fr": "membre"},
    "column.display_name": {"en": "name", "fr": "nom"},
    "column.protocol": {"en": "protocol", "fr": "protocole"},
    "lines.several": {
        "en": "several companies have a line {number}; give its uid",
        "fr": "plusieurs sociétés ont une ligne {number} ; donnez son uid",
    },
    "cli.automates": {
        "en": "The SIP bots: their numbers, applications and registrations.",
        "fr": "Les automates SIP : numéros, applications et enregistrements.",
    },
    "cli.links": {"en": "The connections to PBXs.", "fr": "Les liens vers les PABX."},
    "cli.lines": {
        "en": "The numbers phones register with here.",
        "fr": "Les numéros avec lesquels les postes s'enregistrent ici.",
    },
    "cli.conferences": {
        "en": "Conference rooms with their PINs, and planned meetings.",
        "fr": "Les salles de conférence, leurs codes et les réunions prévues.",
    },
    "conferences.meetings": {
        "en": "Planned meetings: when each is next held.",
        "fr": "Les réunions prévues et leur prochaine date.",
    },
    "conferences.held": {
        "en": "Meetings that are over, the newest first.",
        "fr": "Les réunions terminées, la plus récente d'abord.",
    },
    "conferences.plan": {
        "en": "Plan a meeting and invite to it by mail.",
        "fr": "Prévoir une réunion et y inviter par courrier.",
    },
    "conferences.cancel": {
        "en": "Cancel a planned meeting and tell who was invited.",
        "fr": "Annuler une réunion prévue et prévenir les invités.",
    },
    "conferences.planned": {"en": "Meeting {uid} planned.", "fr": "Réunion {uid} prévue."},
    "conferences.cancelled": {"en": "Meeting {uid} cancelled.", "fr": "Réunion {uid} annulée."},
    "conferences.told": {"en": "Messages queued: {mails}.", "fr": "Messages en attente d'envoi : {mails}."},
    "cli.mail": {
        "en": "Messages that wait for the mail server, or that it refused.",
        "fr": "Les messages en attente du serveur de courrier, ou refusés par lui.",
    },
    "mail.retry": {
        "en": "Send a message again that was given up.",
        "fr": "Renvoyer un message abandonné.",
    },
    "mail.remove": {"en": "Forget a message.", "fr": "Oublier un message."},
    "mail.retried": {"en": "Message {mail} is sent again.", "fr": "Le message {mail} est renvoyé."},
    "mail.removed": {"en": "Message {mail} is forgotten.", "fr": "Le message {mail} est oublié."},
    "mail.waits": {"en": "waits", "fr": "en attente"},
    "mail.given_up": {"en": "given up", "fr": "abandonné"},
    "column.host_pin": {"en": "host PIN", "fr": "code animateur"},
    "column.guest_pin": {"en": "guest PIN", "fr": "code invité"},
    "column.action": {"en": "action", "fr": "action"},
    "column.cause": {"en": "reason", "fr": "raison"},
    "column.changes": {"en": "changes", "fr": "changements"},
    "column.field": {"en": "field", "fr": "champ"},
    "column.host": {"en": "host", "fr": "hôte"},
    "column.mode": {"en": "mode", "fr": "mode"},
    "column.reference": {"en": "in the source", "fr": "dans la source"},
    "column.schedule": {"en": "schedule", "fr": "horaire"},
    "column.kind": {"en": "kind", "fr": "sorte"},
    "column.owner": {"en": "owner", "fr": "propriétaire"},
    "column.room": {"en": "room", "fr": "salle"},
    "column.title": {"en": "title", "fr": "titre"},
    "column.next": {"en": "next held", "fr": "prochaine date"},
    "column.uid": {"en": "UID", "fr": "UID"},
    "column.opened_at": {"en": "began", "fr": "début"},
    "column.most": {"en": "at once", "fr": "en même temps"},
    "column.mail": {"en": "message", "fr": "message"},
    "column.recipient": {"en": "to", "fr": "à"},
    "column.subject": {"en": "subject", "fr": "objet"},
    "column.attempts": {"en": "attempts", "fr": "essais"},
    "column.error": {"en": "last error", "fr": "dernière erreur"},
    "cli.prompts": {"en": "Import and list announcements.", "fr": "Importer et lister les annonces."},
    "cli.calls": {
        "en": "Calls that are over, and how they sounded.",
        "fr": "Les appels terminés et leur qualité sonore.",
    },
    "cli.recordings": {
        "en": "What callers have left: who, when, how long, in which file.",
        "fr": "Ce que les appelants ont laissé : qui, quand, combien de temps, dans quel fichier.",
    },
    "cli.bench": {"en": "Measure this machine.", "fr": "Mesurer cette machine."},
    "cli.plan": {
        "en": "Say in 20 seconds how many calls this machine carries.",
        "fr": "Dire en 20 secondes combien d'appels cette machine porte.",
    },
    "plan.max_load": {
        "en": "Share of a core the calls may use, in percent (media.max_load).",
        "fr": "Part d'un cœur que les appels peuvent prendre, en pour cent (media.max_load).",
    },
    "plan.workers": {
        "en": "Media workers to reckon with; without it, one a core.",
        "fr": "Nombre de processus média à compter ; sans l'option, un par cœur.",
    },
    "plan.json": {"en": "One JSON object instead of a table.", "fr": "Un objet JSON au lieu d'un tableau."},
    "plan.measuring": {"en": "Measuring: {kind}", "fr": "Mesure : {kind}"},
    "plan.kind": {"en": "kind of call", "fr": "sorte d'appel"},
    "plan.cost": {"en": "µs per 20 ms", "fr": "µs par 20 ms"},
    "plan.per_core": {"en": "a core", "fr": "par cœur"},
    "plan.in_all": {"en": "in all", "fr": "en tout"},
    "plan.unavailable": {"en": "not available here", "fr": "indisponible ici"},
    "plan.summary": {
        "en": "With {workers} media worker(s), each using up to {max_load} % of a core; kinds share it between them.",
        "fr": "Avec {workers} processus média, chacun jusqu'à {max_load} % d'un cœur, partagé entre les sortes.",
    },
    "plan.busy": {
        "en": "The machine was busy while this was measured: it carries more than this when it is quiet.",
        "fr": "La machine était occupée pendant la mesure : au calme, elle porte davantage.",
    },
    "plan.failed": {
        "en": "The media worker does not start or does not answer: {error}",
        "fr": "Le processus média ne démarre pas ou ne répond pas : {error}",
    },
    "plan.announcement": {"en": "announcement", "fr": "annonce"},
    "plan.echo": {"en": "echo", "fr": "écho"},
    "plan.echo_shared": {"en": "echo, symmetric peer", "fr": "écho, pair symétrique"},
    "plan.room_talking": {"en": "conference, all talking", "fr": "conférence, tous parlent"},
    "plan.room_listening": {"en": "conference, 2 talking", "fr": "conférence, 2 parlent"},
    "plan.recording": {"en": "recording", "fr": "enregistrement"},
    "plan.srtp_talking": {"en": "conference, SRTP", "fr": "conférence, SRTP"},
    "plan.opus_talking": {"en": "Opus, rooms of 4, all talking", "fr": "Opus, salles de 4, tous parlent"},
    "plan.opus_listening": {"en": "Opus, one room, 2 talking", "fr": "Opus, une salle, 2 parlent"},
    "bench.media": {
        "en": "What calls with sound cost a core, scenario by scenario, as lines of JSON.",
        "fr": "Ce que des appels avec du son coûtent à un cœur, scénario par scénario, en lignes JSON.",
    },
    "bench.churn": {
        "en": "Let calls come and go, of all codecs, and say what is left of them: memory, ports, late ticks.",
        "fr": "Faire aller et venir des appels, de tous les codecs, et dire ce qu'il en reste : mémoire, ports.",
    },
    "bench.warm_up": {
        "en": "Minutes after which memory is looked at. Without it: a fourth of the time, at most five.",
        "fr": "Minutes après lesquelles la mémoire est regardée. Sans l'option : un quart, au plus cinq.",
    },
    "bench.churn_kept": {
        "en": "met: {calls} calls, memory {memory}, {left}, {late} % of ticks late",
        "fr": "tenu : {calls} appels, mémoire {memory}, {left}, {late} % de tops en retard",
    },
    "bench.churn_failed": {
        "en": "NOT met ({failures}): {calls} calls, memory {memory}, {left}, {late} % of ticks late",
        "fr": "NON tenu ({failures}) : {calls} appels, mémoire {memory}, {left}, {late} % de tops en retard",
    },
    "bench.churn_left": {
        "en": "left: {legs} legs, {ports} ports, {sockets} sockets",
        "fr": "restent : {legs} branches, {ports} ports, {sockets} sockets",
    },
    "bench.memory": {
        "en": "How much memory a leg takes, by codec, as lines of JSON.",
        "fr": "La mémoire que prend une branche, par codec, en lignes JSON.",
    },
    "bench.few": {"en": "Calls at first.", "fr": "Appels au début."},
    "bench.many": {"en": "Calls in the end.", "fr": "Appels à la fin."},
    "bench.many_few": {"en": "--many must be more than --few.", "fr": "--many doit dépasser --few."},
    "bench.settle": {
        "en": "Seconds before memory is looked at.",
        "fr": "Secondes avant de regarder la mémoire.",
    },
    "bench.scenario": {
        "en": "Only this one; repeatable. Without it: all.",
        "fr": "Celui-ci seulement ; répétable. Sans l'option : tous.",
    },
    "bench.calls": {
        "en": "Another number of calls than the scenario's.",
        "fr": "Un autre nombre d'appels que celui du scénario.",
    },
    "bench.cpu": {
        "en": "The core the server is kept on; the generator keeps off it.",
        "fr": "Le cœur réservé au serveur ; le générateur n'y va pas.",
    },
    "bench.to": {
        "en": "HOST:PORT of a SIP server that runs already, of any make; give --pid, too.",
        "fr": "HOST:PORT d'un serveur SIP déjà lancé, quel qu'il soit ; donnez aussi --pid.",
    },
    "bench.pid": {
        "en": "A process of that server, charged with its children; repeatable.",
        "fr": "Un processus de ce serveur, compté avec ses enfants ; répétable.",
    },
    "bench.set": {
        "en": "A setting of the engine that is measured; repeatable.",
        "fr": "Un réglage du moteur mesuré ; répétable.",
    },
    "cli.doctor": {
        "en": "Place a real call and say what works.",
        "fr": "Passer un vrai appel et dire ce qui fonctionne.",
    },
    "cli.softphone": {
        "en": "A telephone on the command line.",
        "fr": "Un téléphone en ligne de commande.",
    },
    "cli.reloaded": {
        "en": "The running engine takes it up now.",
        "fr": "Le moteur en marche en tient compte dès maintenant.",
    },
    "cli.not_running": {
        "en": "No engine runs here; the next start takes it up.",
        "fr": "Aucun moteur ne tourne ici ; le prochain démarrage en tiendra compte.",
    },
    "cli.no_engine": {
        "en": "No engine answers on {data}: is it started with this --data?",
        "fr": "Aucun moteur ne répond sur {data} : est-il démarré avec ce --data ?",
    },
    "cli.no_data": {
        "en": "There is no data directory {data}.",
        "fr": "Il n'y a pas de répertoire de données {data}.",
    },
    "cli.no_store": {
        "en": "The store cannot be opened: {error}",
        "fr": "La base ne peut pas être ouverte : {error}",
    },
    "cli.give_password": {
        "en": "Give --password-file: there is no terminal to ask for the password.",
        "fr": "Donnez --password-file : il n'y a pas de terminal pour demander le mot de passe.",
    },
    "cli.password": {"en": "Password", "fr": "Mot de passe"},
    "cli.empty_password": {"en": "The password is empty.", "fr": "Le mot de passe est vide."},
    "links.add": {"en": "Declare the link NAME.", "fr": "Déclarer le lien NAME."},
    "links.remove": {
        "en": "Forget the link NAME; refused while automates use it.",
        "fr": "Oublier le lien NAME ; refusé tant que des automates s'en servent.",
    },
    "automates.add": {
        "en": "Have APPLICATION answer FIRST and the numbers after it.",
        "fr": "Faire répondre APPLICATION à FIRST et aux numéros suivants.",
    },
    "automates.remove": {
        "en": "Remove the range that begins at FIRST.",
        "fr": "Supprimer la plage qui commence à FIRST.",
    },
    "lines.add": {
        "en": "Let a phone register as NUMBER with a password; only its digest is kept.",
        "fr": "Permettre à un poste de s'enregistrer comme NUMBER ; seule l'empreinte du mot de passe est gardée.",
    },
    "lines.remove": {
        "en": "Forget the line NUMBER and its registrations.",
        "fr": "Oublier la ligne NUMBER et ses enregistrements.",
    },
    "prompts.list": {"en": "Every imported prompt.", "fr": "Toutes les annonces importées."},
    "prompts.import": {
        "en": "Convert SOURCE (sound or video file) to a prompt: one channel, 8 kHz, levelled.",
        "fr": "Convertir SOURCE (fichier son ou vidéo) en annonce : un canal, 8 kHz, niveau ajusté.",
    },
    "prompts.say": {
        "en": "Speak TEXT into a prompt, through espeak-ng.",
        "fr": "Dire TEXT dans une annonce, avec espeak-ng.",
    },
    "speech.absent": {
        "en": "espeak-ng is not installed; without it no text can be spoken (Debian: apt-get install espeak-ng).",
        "fr": "espeak-ng n'est pas installé ; aucun texte ne peut être dit (Debian : apt-get install espeak-ng).",
    },
    "speech.text": {
        "en": "this text cannot be spoken: {error}",
        "fr": "ce texte ne peut pas être dit : {error}",
    },
    "speech.language": {"en": "no voice speaks {error}", "fr": "aucune voix ne parle {error}"},
    "speech.timeout": {"en": "espeak-ng did not finish", "fr": "espeak-ng n'a pas terminé"},
    "speech.failed": {"en": "espeak-ng failed: {error}", "fr": "échec d'espeak-ng : {error}"},
    "prompts.remove": {
        "en": "Forget the prompt NAME and delete its file; refused while automates play it.",
        "fr": "Oublier l'annonce NAME et effacer son fichier ; refusé tant que des automates la jouent.",
    },
    "prompts.unknown": {"en": "There is no prompt {name}.", "fr": "Il n'y a pas d'annonce {name}."},
    "recordings.going_on": {"en": "still recording", "fr": "en cours"},
    "recordings.export": {
        "en": "Write recording ID to FILE; its suffix (.wav, .flac or .ogg) names the format.",
        "fr": "Écrire l'enregistrement ID dans FILE ; son suffixe (.wav, .flac ou .ogg) en donne le format.",
    },
    "recordings.layout": {
        "en": "Of a recording of tracks: all added up (mix), a channel each, or a file each (tracks).",
        "fr": "Pour un enregistrement par pistes : toutes mélangées (mix), un canal ou un fichier (tracks) par piste.",
    },
    "recordings.unknown": {"en": "there is no recording {id}", "fr": "il n'y a pas d'enregistrement {id}"},
    "recordings.exported": {"en": "written: {paths}", "fr": "écrit : {paths}"},
    "recordings.not_exported": {"en": "not exported: {error}", "fr": "export impossible : {error}"},
    "column.direction": {"en": "direction", "fr": "sens"},
    "column.codec": {"en": "codec", "fr": "codec"},
    "column.packets_received": {"en": "packets", "fr": "paquets"},
    "column.lost": {"en": "lost", "fr": "perdus"},
    "column.late": {"en": "late", "fr": "en retard"},
    "column.jitter_average_ms": {"en": "jitter ms", "fr": "gigue ms"},
    "column.delay_ms": {"en": "delay ms", "fr": "délai ms"},
    "column.mos_lowest": {"en": "lowest MOS", "fr": "MOS minimal"},
    "column.mos_average": {"en": "MOS", "fr": "MOS"},
    "column.id": {"en": "id", "fr": "n°"},
    "column.format": {"en": "format", "fr": "format"},
    "column.tracks": {"en": "tracks", "fr": "pistes"},
    "column.pauses": {"en": "pauses", "fr": "pauses"},
    "column.address": {"en": "address", "fr": "adresse"},
    "column.application": {"en": "application", "fr": "application"},
    "column.automates": {"en": "automates", "fr": "automates"},
    "column.caller": {"en": "caller", "fr": "appelant"},
    "column.calls": {"en": "calls", "fr": "appels"},
    "column.contacts": {"en": "contacts", "fr": "postes"},
    "column.last_error": {"en": "last error", "fr": "dernière erreur"},
    "column.link": {"en": "link", "fr": "lien"},
    "column.name": {"en": "name", "fr": "nom"},
    "column.number": {"en": "number", "fr": "numéro"},
    "column.path": {"en": "file", "fr": "fichier"},
    "column.reason": {"en": "ended", "fr": "fin"},
    "column.registered": {"en": "registered", "fr": "enregistrés"},
    "column.seconds": {"en": "seconds", "fr": "secondes"},
    "column.since": {"en": "since", "fr": "depuis"},
    "column.source_name": {"en": "source", "fr": "source"},
    "column.started_at": {"en": "when", "fr": "quand"},
    "column.state": {"en": "state", "fr": "état"},
    "column.transport": {"en": "transport", "fr": "transport"},
    "links.added": {"en": "Link {name} declared.", "fr": "Lien {name} déclaré."},
    "links.removed": {"en": "Link {name} forgotten.", "fr": "Lien {name} oublié."},
    "links.unknown": {"en": "There is no link {name}.", "fr": "Il n'y a pas de lien {name}."},
    "automates.added": {
        "en": "Automates added: {count} from {first}.",
        "fr": "Automates ajoutés : {count} à partir de {first}.",
    },
    "automates.removed": {
        "en": "The automates from {first} are removed.",
        "fr": "Les automates à partir de {first} sont supprimés.",
    },
    "lines.added": {"en": "Line {number} added.", "fr": "Ligne {number} ajoutée."},
    "lines.removed": {"en": "Line {number} removed.", "fr": "Ligne {number} supprimée."},
    "prompts.imported": {
        "en": "Prompt {name} imported, {seconds} s.",
        "fr": "Annonce {name} importée, {seconds} s.",
    },
    "prompts.removed": {"en": "Prompt {name} removed.", "fr": "Annonce {name} supprimée."},
    "serve.first_start": {
        "en": "First start: the administrator is {name}, the password {password} (shown this once only).",
        "fr": "Premier démarrage : l'administrateur est {name}, le mot de passe {password} (affiché cette seule fois).",
    },
    "serve.stopping": {
        "en": "Stopping: saying goodbye to {calls} call(s).",
        "fr": "Arrêt : fin de {calls} appel(s).",
    },
    "config.good": {
        "en": "{file}: the configuration is good.",
        "fr": "{file} : la configuration est bonne.",
    },
    "config.bad": {
        "en": "{count} mistake(s) in the configuration.",
        "fr": "{count} erreur(s) dans la configuration.",
    },
}


say = Catalogue(TEXTS).say


def of_environment(environ: Mapping[str, str] = os.environ) -> Language:
    """The language a shell asks for by LC_ALL, LC_MESSAGES or LANG, in that order."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if chosen := environ.get(name):
            return "fr" if chosen.lower().startswith("fr") else "en"
    return "en"
