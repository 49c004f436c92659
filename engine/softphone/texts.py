"""What the softphone and the doctor say, in English and French: a catalogue of its own, which no engine loads."""

from __future__ import annotations

from engine.language import Catalogue, Texts

TEXTS: Texts = {
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
    "doctor.works": {"en": "works", "fr": "bien"},
    "doctor.note": {"en": "note", "fr": "à noter"},
    "doctor.fails": {"en": "FAILS", "fr": "ÉCHEC"},
    "doctor.all_well": {
        "en": "Everything that was examined works.",
        "fr": "Tout ce qui a été examiné fonctionne.",
    },
    "doctor.not_well": {"en": "{count} thing(s) do not work.", "fr": "{count} chose(s) ne fonctionnent pas."},
    "doctor.library_there": {
        "en": "Library {name} is installed.",
        "fr": "La bibliothèque {name} est installée.",
    },
    "doctor.library_pjsua2": {
        "en": "pjsua2 is not installed, so no call can be placed: pip install 'polyphony[softphone]'.",
        "fr": "pjsua2 n'est pas installé, aucun appel n'est possible : pip install 'polyphony[softphone]'.",
    },
    "doctor.library_psycopg": {
        "en": "psycopg is not installed; it is needed only with PostgreSQL as the store.",
        "fr": "psycopg n'est pas installé ; il ne sert qu'avec PostgreSQL.",
    },
    "doctor.speech_there": {
        "en": "espeak-ng is installed: texts can be spoken.",
        "fr": "espeak-ng est installé : des textes peuvent être dits.",
    },
    "doctor.speech_absent": {
        "en": "espeak-ng is not installed, so no text can be spoken (Debian: apt-get install espeak-ng).",
        "fr": "espeak-ng n'est pas installé, aucun texte ne peut être dit (Debian : apt-get install espeak-ng).",
    },
    "doctor.ports": {
        "en": "RTP ports {first}-{last}: {free} % of those tried are free.",
        "fr": "Ports RTP {first}-{last} : {free} % des ports essayés sont libres.",
    },
    "doctor.ports_taken": {
        "en": "RTP ports {first}-{last}: only {free} % are free; other programs use them. Choose another "
        "media.ports.",
        "fr": "Ports RTP {first}-{last} : {free} % libres seulement, d'autres programmes les prennent. "
        "Changez "
        "media.ports.",
    },
    "doctor.clock": {"en": "The clock is kept by the network.", "fr": "L'horloge est tenue par le réseau."},
    "doctor.clock_alone": {
        "en": "The clock is not synchronised by the network: certificates and journals depend on it.",
        "fr": "L'horloge n'est pas synchronisée par le réseau : certificats et journaux en dépendent.",
    },
    "doctor.clock_wrong": {
        "en": "The clock says {year}: no certificate is valid then.",
        "fr": "L'horloge indique {year} : aucun certificat n'y est valide.",
    },
    "doctor.data": {
        "en": "Data directory {path}: ours alone, writable.",
        "fr": "Répertoire {path} : à nous seuls, inscriptible.",
    },
    "doctor.data_missing": {
        "en": "There is no data directory {path}: start polyphony serve --data {path}.",
        "fr": "Le répertoire {path} n'existe pas : lancez polyphony serve --data {path}.",
    },
    "doctor.data_read_only": {
        "en": "Data directory {path} cannot be written by this user.",
        "fr": "Cet utilisateur ne peut pas écrire dans {path}.",
    },
    "doctor.data_open": {
        "en": "Data directory {path} is open to other users (mode {mode}): it holds keys and passwords.",
        "fr": "Le répertoire {path} est ouvert à d'autres (mode {mode}) : il contient clés et mots de passe.",
    },
    "doctor.disk": {"en": "{free} GB free on its disk.", "fr": "{free} Go libres sur son disque."},
    "doctor.disk_full": {
        "en": "Only {free} GB free on its disk: recordings will stop.",
        "fr": "Seulement {free} Go libres sur son disque : les enregistrements s'arrêteront.",
    },
    "doctor.engine": {
        "en": "The engine runs: version {version}, {calls} call(s), {workers} media worker(s).",
        "fr": "Le moteur tourne : version {version}, {calls} appel(s), {workers} processus média.",
    },
    "doctor.engine_not_running": {
        "en": "No engine runs on {path}: start polyphony serve --data {path}, or give --sip HOST:PORT.",
        "fr": "Aucun moteur ne tourne sur {path} : lancez polyphony serve --data {path}, ou donnez --sip "
        "HÔTE:PORT.",
    },
    "doctor.listening": {
        "en": "{where} answers SIP in {milliseconds} ms.",
        "fr": "{where} répond en SIP en {milliseconds} ms.",
    },
    "doctor.forbidden_options": {
        "en": "{where} answers 403: our address is not among those it accepts. Add it to sip.accept_from "
        "or declare "
        "it as a link.",
        "fr": "{where} répond 403 : notre adresse n'est pas acceptée. Ajoutez-la à sip.accept_from ou "
        "déclarez un "
        "lien.",
    },
    "doctor.nobody_listens": {
        "en": "Nothing listens on {where}: the engine is not running, or on another port.",
        "fr": "Rien n'écoute sur {where} : le moteur est arrêté, ou sur un autre port.",
    },
    "doctor.nobody_answers": {
        "en": "{where} does not answer: a firewall in between, or a program that is not SIP.",
        "fr": "{where} ne répond pas : un pare-feu entre nous, ou un programme qui n'est pas SIP.",
    },
    "doctor.unreachable": {
        "en": "{where} cannot be reached: {reason}.",
        "fr": "{where} est injoignable : {reason}.",
    },
    "doctor.not_sip": {
        "en": "What listens on {where} does not speak SIP: {reason}",
        "fr": "Ce qui écoute sur {where} ne parle pas SIP : {reason}",
    },
    "doctor.no_tls": {
        "en": "{where}: the TLS handshake fails ({reason}).",
        "fr": "{where} : la négociation TLS échoue ({reason}).",
    },
    "doctor.no_phone": {
        "en": "No calls were placed, for want of pjsua2.",
        "fr": "Aucun appel passé, faute de pjsua2.",
    },
    "doctor.registered": {"en": "Line {user} registers.", "fr": "La ligne {user} s'enregistre."},
    "doctor.registration_denied": {
        "en": "Line {user} may not register: unknown line or wrong password ({reason}).",
        "fr": "La ligne {user} est refusée : ligne inconnue ou mauvais mot de passe ({reason}).",
    },
    "doctor.registration_refused": {
        "en": "Line {user} does not register: {reason}.",
        "fr": "La ligne {user} ne s'enregistre pas : {reason}.",
    },
    "doctor.registration_silent": {
        "en": "Line {user}: no answer to the registration.",
        "fr": "Ligne {user} : pas de réponse à l'enregistrement.",
    },
    "doctor.answered": {
        "en": "{number} answers a call in {milliseconds} ms.",
        "fr": "Le {number} décroche en {milliseconds} ms.",
    },
    "doctor.no_answer": {
        "en": "{number} does not answer the call.",
        "fr": "Le {number} ne décroche pas.",
    },
    "doctor.forbidden": {
        "en": "{number}: 403, our address is not among those calls are accepted from. Add it to "
        "sip.accept_from, "
        "declare a link, or call as a line with --user. ({reason})",
        "fr": "{number} : 403, notre adresse n'est pas de celles dont les appels sont acceptés. Ajoutez-la à "
        "sip.accept_from, déclarez un lien, ou appelez depuis une ligne avec --user. ({reason})",
    },
    "doctor.needs_password": {
        "en": "{number}: the password of a line is asked for, or it was wrong; give --user and "
        "--password-file. "
        "({reason})",
        "fr": "{number} : un mot de passe est demandé, ou il était faux ; donnez --user et --password-file. "
        "({reason})",
    },
    "doctor.no_such_number": {
        "en": "There is no number {number} there: the demo number was removed, or it is another server. "
        "({reason})",
        "fr": "Il n'y a pas de numéro {number} : numéro de démonstration supprimé, ou autre serveur. "
        "({reason})",
    },
    "doctor.not_there": {
        "en": "{number} is known, but nobody is registered under it. ({reason})",
        "fr": "Le {number} est connu, mais personne n'y est enregistré. ({reason})",
    },
    "doctor.busy": {"en": "{number} is busy. ({reason})", "fr": "Le {number} est occupé. ({reason})"},
    "doctor.no_codec": {
        "en": "{number}: no codec in common; G.711 must be allowed in media.codecs. ({reason})",
        "fr": "{number} : aucun codec commun ; G.711 doit être permis dans media.codecs. ({reason})",
    },
    "doctor.overloaded": {
        "en": "{number}: the server has no room for the call, or no connection to it was possible. "
        "({reason})",
        "fr": "{number} : le serveur n'a pas de place pour l'appel, ou il est injoignable. ({reason})",
    },
    "doctor.refused": {
        "en": "{number}: the call was refused: {reason}.",
        "fr": "{number} : appel refusé : {reason}.",
    },
    "doctor.echo_heard": {
        "en": "Sound both ways: the tone came back over {transport} signalling in {codec}, level {change} "
        "dB.",
        "fr": "Son dans les deux sens : la tonalité est revenue ({transport}, {codec}), niveau {change} dB.",
    },
    "doctor.echo_level_changed": {
        "en": "The tone came back {change} dB changed: something on the way alters the level.",
        "fr": "La tonalité est revenue changée de {change} dB : le niveau est modifié en chemin.",
    },
    "doctor.echo_wrong": {
        "en": "What came back is not the tone that was sent ({hertz} Hz instead of {sent_hertz} Hz).",
        "fr": "Ce qui est revenu n'est pas la tonalité envoyée ({hertz} Hz au lieu de {sent_hertz} Hz).",
    },
    "doctor.echo_no_packets": {
        "en": "No sound came back: {sent} RTP packets were sent, none arrived. A firewall blocks "
        "media.ports, or the "
        "address in the SDP is wrong.",
        "fr": "Aucun son n'est revenu : {sent} paquets RTP envoyés, aucun reçu. Un pare-feu bloque "
        "media.ports, ou "
        "l'adresse du SDP est fausse.",
    },
    "doctor.echo_silent": {
        "en": "One-way audio: {received} RTP packets arrived, but silent; of the {sent} we sent the engine "
        "seems to "
        "hear none.",
        "fr": "Son à sens unique : {received} paquets RTP reçus, mais muets ; des {sent} envoyés le moteur "
        "semble "
        "n'en entendre aucun.",
    },
    "doctor.packets_lost": {
        "en": "{lost} of {total} RTP packets were lost.",
        "fr": "{lost} paquets RTP perdus sur {total}.",
    },
    "doctor.delay": {
        "en": "Round-trip delay of the sound: {milliseconds} ms.",
        "fr": "Délai aller-retour du son : {milliseconds} ms.",
    },
    "doctor.delay_long": {
        "en": "Round-trip delay of the sound: {milliseconds} ms; talkers will interrupt each other.",
        "fr": "Délai aller-retour du son : {milliseconds} ms ; les interlocuteurs se couperont la parole.",
    },
    "doctor.delay_unknown": {
        "en": "The delay could not be measured.",
        "fr": "Le délai n'a pas pu être mesuré.",
    },
    "doctor.announcement_heard": {
        "en": "The announcement {number} is heard at {level} dBFS.",
        "fr": "L'annonce {number} s'entend à {level} dBFS.",
    },
    "doctor.no_packets": {
        "en": "{number} answers, but no RTP arrives: a firewall blocks media.ports.",
        "fr": "Le {number} décroche, mais aucun RTP n'arrive : un pare-feu bloque media.ports.",
    },
    "doctor.silent_packets": {
        "en": "{number} answers, but is silent ({packets} RTP packets of silence): its prompt is missing?",
        "fr": "Le {number} décroche, mais reste muet ({packets} paquets RTP de silence) : annonce absente ?",
    },
    "doctor.digit_recognised": {
        "en": "Digit {digit} was recognised and spoken back.",
        "fr": "Le chiffre {digit} a été reconnu et redit.",
    },
    "doctor.digit_answered": {
        "en": "Digit {digit} was answered by speech, which could not be compared.",
        "fr": "Le chiffre {digit} a eu une réponse parlée, non comparable.",
    },
    "doctor.digit_unanswered": {
        "en": "Digit {digit} was not recognised: nothing was said after it.",
        "fr": "Le chiffre {digit} n'a pas été reconnu : aucune réponse.",
    },
    "doctor.digit_wrong": {
        "en": "Digit {digit} was sent, {heard} was spoken back.",
        "fr": "Chiffre {digit} envoyé, {heard} redit.",
    },
}


say = Catalogue(TEXTS).say
