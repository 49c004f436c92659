// The console's first page: what the engine does now. It reads the API every two seconds.
import { showConferences } from "./conferences.js";

const TEXTS = {
  en: {
    other: "Français", engine: "Engine", links: "Links", automates: "Automates", lines: "Lines", meetings: "Conferences",
    calls: "Calls now", calls_total: "Calls since start", uptime: "Running since", version: "Version",
    workers: "Media workers", worker_restarts: "Worker restarts", sip: "SIP addresses",
    number: "Number", application: "Application", link: "Link", state: "State", since: "Since",
    last_error: "Last error", name: "Name", address: "Address", transport: "Transport",
    registered: "Registered", contacts: "Phones registered", none: "None yet.", own: "own number",
    lost: "The engine does not answer. Trying again…", denied: "The name or the password is wrong.",
    user: "Name", password: "Password", sign_in: "Sign in", sign_out: "Sign out", code: "One-time code",
    code_wanted: "Give the code your application shows, or a recovery code.", silenced: "Too many attempts. Wait a minute.",
    answering: "answering", up: "up", down: "down", unknown: "not known yet", registered_state: "registered",
    registering: "registering", unregistered: "not registered", unregistering: "unregistering", failed: "failed",
  },
  fr: {
    other: "English", engine: "Moteur", links: "Liens", automates: "Automates", lines: "Lignes", meetings: "Conférences",
    calls: "Appels en cours", calls_total: "Appels depuis le démarrage", uptime: "En marche depuis", version: "Version",
    workers: "Processus média", worker_restarts: "Redémarrages média", sip: "Adresses SIP",
    number: "Numéro", application: "Application", link: "Lien", state: "État", since: "Depuis",
    last_error: "Dernière erreur", name: "Nom", address: "Adresse", transport: "Transport",
    registered: "Enregistrés", contacts: "Postes enregistrés", none: "Aucun pour l'instant.", own: "numéro propre",
    lost: "Le moteur ne répond pas. Nouvel essai…", denied: "Le nom ou le mot de passe est faux.",
    user: "Nom", password: "Mot de passe", sign_in: "Se connecter", sign_out: "Se déconnecter", code: "Code à usage unique",
    code_wanted: "Donnez le code qu'affiche votre application, ou un code de secours.", silenced: "Trop d'essais. Attendez une minute.",
    answering: "répond", up: "en service", down: "hors service", unknown: "pas encore connu",
    registered_state: "enregistré", registering: "enregistrement en cours", unregistered: "non enregistré",
    unregistering: "désenregistrement en cours", failed: "en échec",
  },
};
const COLUMNS = {
  links: ["name", "address", "transport", "state", "since", "automates", "registered", "last_error"],
  automates: ["number", "application", "link", "state", "since", "calls", "last_error"],
  lines: ["number", "contacts"],
};
const GOOD = new Set(["registered", "up", "answering"]);
const BAD = new Set(["failed", "down"]);
let language = localStorage.getItem("language") ?? (navigator.language.startsWith("fr") ? "fr" : "en");
// The session's cookie is for the browser alone; this proves to the engine that a change comes from this page. It is
// kept in this page's memory only. null: nobody has signed in.
let csrf = null;
const text = (key) => TEXTS[language][key] ?? key;

function element(name, content, className) {
  const made = document.createElement(name);
  made.textContent = content;
  if (className) made.className = className;
  return made;
}

function shown(column, value) {
  if (column === "since") return value ? new Date(value * 1000).toLocaleString(language) : "";
  if (column === "link" && value === "") return text("own");
  if (column === "state") return text(value === "registered" ? "registered_state" : value);
  return Array.isArray(value) ? value.join(", ") : String(value);
}

function showTable(name, rows) {
  const table = document.getElementById(name);
  table.replaceChildren();
  if (rows.length === 0) {
    table.append(element("caption", text("none"), "none"));
    return;
  }
  const head = table.createTHead().insertRow();
  for (const column of COLUMNS[name]) head.append(element("th", text(column)));
  const body = table.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    for (const column of COLUMNS[name]) {
      const state = column === "state" ? (GOOD.has(row[column]) ? "good" : BAD.has(row[column]) ? "bad" : "") : "";
      line.append(element("td", shown(column, row[column]), state));
    }
  }
}

// Consecutive numbers that are alike make one row, their calls added up: a range may have a thousand.
function gathered(automates) {
  const runs = [];
  const alike = ["application", "link", "state", "last_error"];
  let last = "";
  for (const each of automates) {
    const run = runs.at(-1);
    const follows = /^\d+$/.test(last) && last.length === each.number.length && BigInt(each.number) === BigInt(last) + 1n;
    if (run && follows && alike.every((name) => run[name] === each[name])) {
      run.number = `${run.number.split("–")[0]}–${each.number}`;
      run.calls += each.calls;
    } else {
      runs.push({ ...each });
    }
    last = each.number;
  }
  return runs;
}

function showEngine(status) {
  const values = {
    calls: status.calls,
    calls_total: status.calls_total,
    uptime: new Date(status.started_at * 1000).toLocaleString(language),
    version: status.version,
    workers: status.workers.map((each) => `${each.pid} (${each.legs})`).join(", "),
    worker_restarts: status.worker_restarts,
    sip: status.sip.join("\n"),
  };
  const list = document.getElementById("engine");
  list.replaceChildren(...Object.entries(values).map(([key, value]) => {
    const box = document.createElement("div");
    if (key === "sip") box.className = "wide";
    box.append(element("dt", text(key)), element("dd", String(value)));
    return box;
  }));
}

const SESSION = "/api/v1/session";

// A request with the session's cookie; whoever changes something shows that it is this page.
async function request(path, method = "GET", body = undefined) {
  const headers = method === "GET" ? {} : { "X-CSRF-Token": csrf ?? "" };
  if (method !== "GET" && method !== "DELETE") headers["Content-Type"] = "application/json";
  const answer = await fetch(new URL(path, location.origin), {
    credentials: "same-origin",
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (answer.status === 401) throw new Error((await answer.json()).reason === "code" ? "code_wanted" : "denied");
  if (answer.status === 429) throw new Error("silenced");
  if (!answer.ok) throw new Error("lost");
  return answer.status === 204 ? null : answer.json();
}

const read = (name) => request(`/api/v1/${name}`);
const ask = (path, body) => request(path, body === undefined ? "GET" : "POST", body);

function showBoard(shown) {
  document.getElementById("sign-out").hidden = !shown;
  document.getElementById("sign-in").hidden = shown;
  document.getElementById("board").hidden = !shown;
}

async function refresh() {
  if (csrf === null) return;
  const message = document.getElementById("message");
  try {
    const [status, links, automates, lines] = await Promise.all(["status", "status/links", "status/automates", "status/lines"].map(read));
    showEngine(status);
    showTable("links", links);
    showTable("automates", gathered(automates));
    showTable("lines", lines);
    await showConferences(document.getElementById("meetings"), language, ask, refresh);
    message.textContent = "";
    showBoard(true);
  } catch (error) {
    const denied = error.message === "denied";
    message.textContent = text(denied ? "denied" : "lost");
    if (denied) {
      csrf = null;
      showBoard(false);
    }
  }
}

function showLanguage() {
  document.documentElement.lang = language;
  for (const each of document.querySelectorAll("[data-text]")) each.textContent = text(each.dataset.text);
  const button = document.getElementById("language");
  button.textContent = text("other");
  button.lang = language === "en" ? "fr" : "en";
}

document.getElementById("language").addEventListener("click", () => {
  language = language === "en" ? "fr" : "en";
  localStorage.setItem("language", language);
  showLanguage();
  refresh();
});

// Signed in with an earlier visit of this browser, or just now; what is wrong is said.
async function enter(session, quietly) {
  const message = document.getElementById("message");
  try {
    csrf = (await session).csrf ?? null;
    message.textContent = "";
    for (const name of ["password", "code"]) document.getElementById(name).value = "";
    document.getElementById("with-code").hidden = true;
  } catch (error) {
    if (!quietly) message.textContent = text(error.message);
    if (error.message === "code_wanted") {
      document.getElementById("with-code").hidden = false;
      document.getElementById("code").focus();
    }
  }
  return refresh();
}

document.getElementById("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  const given = Object.fromEntries(["user", "password", "code"].map((name) => [name, document.getElementById(name).value]));
  enter(request(SESSION, "POST", { name: given.user, password: given.password, code: given.code.trim() }), false);
});
document.getElementById("sign-out").addEventListener("click", async () => {
  await request(SESSION, "DELETE").catch(() => null);
  csrf = null;
  showBoard(false);
});
showLanguage();
enter(request(SESSION), true);
setInterval(refresh, 2000);
