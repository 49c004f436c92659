// The API's description (openapi.json), to be read. Every text of it is set as text, never as markup.

const FRENCH = {
  Parameters: "Paramètres", Body: "Corps", Answers: "Réponses", Fields: "Champs", required: "obligatoire",
  Loading: "Chargement…", Failed: "La description ne peut être lue.", Search: "Rechercher", "no password": "sans mot de passe",
};
const french = navigator.language.toLowerCase().startsWith("fr");
const say = (text) => (french && FRENCH[text]) || text;
document.documentElement.lang = french ? "fr" : "en";

function element(name, text, ...children) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  made.append(...children);
  return made;
}

function nameOf(reference) { return reference.slice(reference.lastIndexOf("/") + 1); }

// What a schema takes, on a line.
function words(schema) {
  if (schema.$ref) return nameOf(schema.$ref);
  if (schema.enum) return schema.enum.map((each) => JSON.stringify(each)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const several = schema.anyOf || schema.oneOf;
  if (several) return several.map(words).join(" | ");
  if (schema.type === "array") return `[${words(schema.items || {})}]`;
  const limits = [];
  if (schema.pattern) limits.push(schema.pattern);
  const low = schema.minimum ?? schema.minLength ?? schema.minItems;
  const high = schema.maximum ?? schema.maxLength ?? schema.maxItems;
  if (low !== undefined || high !== undefined) limits.push(`${low ?? ""}…${high ?? ""}`);
  return [schema.format || schema.type || "any", ...limits].join(" ");
}

function row(name, kind, text) {
  return element("tr", "", element("th", name), element("td", kind), element("td", text || ""));
}

function table(title, rows) {
  return [element("h4", say(title)), element("table", "", element("tbody", "", ...rows))];
}

function fields(schema, schemas) {
  const found = schema.$ref ? schemas[nameOf(schema.$ref)] : schema;
  if (!found || !found.properties) return [];
  const required = new Set(found.required || []);
  return Object.entries(found.properties).map(([name, each]) =>
    row(name + (required.has(name) ? " *" : ""), words(each), each.description));
}

function operation(method, path, told, schemas) {
  const parts = [];
  if (told.parameters) {
    parts.push(...table("Parameters", told.parameters.map((each) =>
      row(`${each.name} (${each.in})${each.required ? " *" : ""}`, words(each.schema), each.description))));
  }
  for (const [kind, content] of Object.entries(told.requestBody?.content || {})) {
    parts.push(element("h4", `${say("Body")}: ${kind}`), element("p", words(content.schema)));
    const rows = fields(content.schema, schemas);
    if (rows.length) parts.push(element("table", "", element("tbody", "", ...rows)));
  }
  parts.push(...table("Answers", Object.entries(told.responses).map(([status, answer]) =>
    row(status, Object.entries(answer.content || {}).map(([kind, each]) =>
      kind.includes("problem") ? kind : `${kind}: ${words(each.schema)}`).join(", "), answer.description))));
  const open = told.security && told.security.length === 0 ? ` (${say("no password")})` : "";
  const summary = element("summary", "", element("code", `${method.toUpperCase()} ${path}`), ` ${told.summary}${open}`);
  return element("details", "", summary, ...parts);
}

async function show() {
  const main = document.getElementById("reference");
  const state = document.getElementById("state");
  state.textContent = say("Loading");
  const answer = await fetch("/api/v1/openapi.json");
  if (!answer.ok) throw new Error(String(answer.status));
  const told = await answer.json();
  state.textContent = told.info.description;
  const schemas = told.components.schemas;
  const sections = new Map(told.tags.map((tag) => [tag.name, element("section", "", element("h2", tag.name))]));
  for (const [path, methods] of Object.entries(told.paths)) {
    for (const [method, each] of Object.entries(methods)) {
      sections.get(each.tags[0]).append(operation(method, path, each, schemas));
    }
  }
  main.append(...sections.values(), element("h2", say("Fields")));
  for (const [name, schema] of Object.entries(schemas)) {
    main.append(element("details", "", element("summary", name), element("p", schema.description || ""),
      element("table", "", element("tbody", "", ...fields(schema, schemas)))));
  }
}

show().catch(() => { document.getElementById("state").textContent = say("Failed"); });
