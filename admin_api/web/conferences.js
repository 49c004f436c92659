// Live meetings: who is in them, who talks, and the verbs an administrator needs at once.
const TEXTS = {
  en: {
    name: "Name", number: "Number", role: "Role", state: "State", talking: "Talking", host: "host", guest: "guest",
    lobby: "waits", entering: "coming in", in: "in the room", aside: "in a side talk", muted: "muted",
    mute: "Mute", unmute: "Unmute", expel: "Expel", admit: "Admit", deny: "Deny",
    end: "End for all", sure: "End the meeting for everybody?", none: "None now.",
  },
  fr: {
    name: "Nom", number: "Numéro", role: "Rôle", state: "État", talking: "Parle", host: "hôte", guest: "invité",
    lobby: "attend", entering: "entre", in: "dans la salle", aside: "en aparté", muted: "micro coupé",
    mute: "Couper le micro", unmute: "Rendre le micro", expel: "Exclure", admit: "Admettre", deny: "Refuser",
    end: "Terminer pour tous", sure: "Terminer la réunion pour tous ?", none: "Aucune pour l'instant.",
  },
};
const PATH = "/api/v1/conferences";

function element(name, content, className) {
  const made = document.createElement(name);
  made.textContent = content;
  if (className) made.className = className;
  return made;
}

function button(label, action) {
  const made = element("button", label);
  made.type = "button";
  made.addEventListener("click", action);
  return made;
}

function stateOf(one, text) {
  const muted = one.muted || one.muted_by_host || one.listen_only || one.listen_only_by_host;
  return muted ? `${text(one.state)}, ${text("muted")}` : text(one.state);
}

function verbsOf(one) {
  if (one.state === "lobby") return ["admit", "deny"];
  return [one.muted_by_host ? "unmute" : "mute", "expel"];
}

// ask(path, body): the API, read or (with a body) changed; redraw: once something has changed.
export async function showConferences(place, language, ask, redraw) {
  const text = (key) => TEXTS[language][key] ?? key;
  const live = await ask(`${PATH}/live`);
  const rooms = await Promise.all(live.map((each) => ask(`${PATH}/${each.number}/live`).catch(() => null)));
  const act = async (number, verb, body) => {
    await ask(`${PATH}/${number}/live/${verb}`, body).catch(() => null);
    redraw();
  };
  const shown = rooms.filter((each) => each !== null).map(({ room, participants }) => {
    const box = document.createElement("div");
    const title = element("h3", `${room.number} ${room.name}`.trim());
    title.append(" ", button(text("end"), () => confirm(text("sure")) && act(room.number, "end", {})));
    const table = document.createElement("table");
    const head = table.createTHead().insertRow();
    for (const column of ["name", "number", "role", "state", "talking"]) head.append(element("th", text(column)));
    head.append(element("th", ""));
    const body = table.createTBody();
    for (const one of participants) {
      const line = body.insertRow();
      for (const value of [one.name, one.number, text(one.role), stateOf(one, text)]) line.append(element("td", value));
      line.append(element("td", one.talking ? "●" : "", one.talking ? "good" : ""));
      const buttons = document.createElement("td");
      for (const verb of verbsOf(one)) {
        buttons.append(button(text(verb), () => act(room.number, verb, { participant: one.id })), " ");
      }
      line.append(buttons);
    }
    box.append(title, table);
    return box;
  });
  place.replaceChildren(...(shown.length ? shown : [element("p", text("none"), "none")]));
}
