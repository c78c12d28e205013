"use strict";
// The page of `driftbus review`. Whatever a case says is set as text, never as markup: it was written by anybody.

const at = (id) => document.getElementById(id);
const made = (tag, text, name) => {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (name) element.className = name;
  return element;
};
const show = (element, whether) => { element.hidden = !whether; };

const POLL_MS = 3000;
const FEW = 9; // choices with a number key each
const REASONS = ["I cannot tell", "too little is shown", "no label fits", "it is broken or empty"];

let state = null; // what the server last said
let busy = false;
let parted = new Set(); // groups that are asked one by one
let failed = null; // what to try again
let timer = null;

/* Talking to the server. */

async function call(path, body) {
  const request = body === undefined
    ? { headers: { Accept: "application/json" } }
    : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(path, { ...request, cache: "no-store", redirect: "error" });
  const said = await response.json().catch(() => ({}));
  if (!response.ok) {
    const error = new Error(said.error || `the server answered ${response.status}`);
    error.gone = response.status === 404;
    throw error;
  }
  return said;
}

async function send(path, body, told) {
  if (busy) return;
  busy = true;
  document.body.setAttribute("aria-busy", "true");
  try {
    take(await call(path, body));
    show(at("trouble"), false);
    failed = null;
    say(told);
  } catch (error) {
    // The same bytes again: the server knows an answer that it has published already.
    trouble(error, () => send(path, body, told));
  } finally {
    busy = false;
    document.body.removeAttribute("aria-busy");
    for (const taken of document.querySelectorAll(".taken")) taken.classList.remove("taken");
  }
}

function trouble(error, again) {
  const stopped = error instanceof TypeError || error.gone;
  failed = again;
  at("trouble").firstElementChild.textContent = stopped
    ? "driftbus review has ended. Start it again, and open the address that it prints."
    : error.message;
  show(at("trouble"), true);
}

async function look() {
  clearTimeout(timer);
  if (!busy && !(state && state.case)) {
    try {
      take(await call("state"));
      show(at("trouble"), false);
      failed = null;
    } catch (error) {
      trouble(error, look);
    }
  }
  timer = setTimeout(look, POLL_MS);
}

/* What is shown. */

function take(said) {
  const before = state && state.case ? state.case.case : null;
  state = said;
  at("model").textContent = said.model || "all models";
  at("reviewer").textContent = said.reviewer;
  at("done").textContent = said.done.toLocaleString();
  at("left").textContent = said.left.toLocaleString();
  const all = said.done + said.left;
  const bar = at("progress");
  bar.setAttribute("aria-valuemax", String(Math.max(all, 1)));
  bar.setAttribute("aria-valuenow", String(said.done));
  bar.style.setProperty("--share", String(all ? said.done / all : 0));
  at("undo-button").disabled = !said.undoable;
  const one = said.case;
  show(at("case"), Boolean(one));
  show(at("empty"), !one);
  show(at("answers"), Boolean(one) || said.undoable);
  for (const id of ["question", "choices", "skip-button"]) show(at(id), Boolean(one));
  if (!one) {
    show(at("number-form"), false);
    show(at("filter-form"), false);
    at("empty-title").textContent = said.done ? "All done" : "Nothing to review";
    at("empty-text").textContent = said.waiting;
    document.title = "driftbus review";
    return;
  }
  document.title = `${said.left.toLocaleString()} to review: ${one.model}`;
  if (!said.model) at("model").textContent = one.model;
  if (one.case !== before) {
    draw(one);
    window.scrollTo(0, 0);
  }
}

function draw(one) {
  at("why").replaceChildren(...one.why.map(([kind, text]) => made("li", text, kind)));
  at("when").textContent = one.when;
  at("texts").replaceChildren(...one.texts.map(([name, text]) => {
    const block = made("div");
    const long = text.length > 1200;
    const body = made("p", text, long ? "text long" : "text");
    body.dir = "auto";
    if (long) body.tabIndex = 0;
    block.append(named("h3", name), body);
    return block;
  }));
  at("fields").replaceChildren(...one.fields.map(([name, value]) => {
    const row = made("div");
    const cell = value === null ? made("dd", "none", "absent") : made("dd", value);
    cell.dir = "auto";
    row.append(named("dt", name), cell);
    return row;
  }));
  at("fields").classList.toggle("short", one.fields.every(([name, value]) => name.length <= 18 && (value || "").length <= 18));
  show(at("nothing"), !one.texts.length && !one.fields.length);
  const others = one.others;
  const alone = parted.has(one.case);
  show(at("group"), others.length > 0);
  at("group-title").textContent = `${others.length.toLocaleString()} more nearly the same`;
  const counts = new Map();
  for (const [, text] of others) counts.set(text, (counts.get(text) || 0) + 1);
  at("others").replaceChildren(...[...counts].map(([text, count]) => {
    const line = made("li", count > 1 ? `${count.toLocaleString()} × ${text}` : text);
    line.dir = "auto";
    return line;
  }));
  at("split").lastElementChild.textContent = alone ? "Answer them together" : "Ask each by itself";
  show(at("others"), !alone);
  const [word, bar] = [at("predicted").firstElementChild, at("score")];
  word.textContent = one.prediction === null ? "nothing" : one.prediction;
  const score = one.score;
  show(bar, score !== null);
  if (score !== null) {
    bar.querySelector("output").textContent = score;
    const share = Number(score);
    show(bar.querySelector(".meter"), share >= 0 && share <= 1);
    bar.querySelector(".meter").style.setProperty("--share", String(share));
  }
  at("version").textContent = one.version;
  at("prediction-id").textContent = one.id === null ? "none" : one.id;
  at("probability").textContent = one.probability;
  reveal(hidden());
  ask(one);
}

function named(tag, text) {
  const element = made(tag);
  element.append(made("bdi", text));
  return element;
}

function ask(one) {
  const asked = one.asked;
  const many = asked.choices.length > FEW;
  show(at("number-form"), asked.number);
  show(at("filter-form"), many);
  show(at("choices"), !asked.number);
  at("number").value = "";
  at("filter").value = "";
  at("question").textContent = asked.question;
  at("choices").classList.toggle("few", !many);
  choices();
  if (asked.number && !at("help").open && !at("skip").open) at("number").focus({ preventScroll: true });
}

function choices() {
  const asked = state.case.asked;
  const part = at("filter").value.trim().toLocaleLowerCase();
  const fit = asked.choices.map((choice, place) => ({ ...choice, place }))
    .filter((choice) => choice.name.toLocaleLowerCase().includes(part));
  const buttons = fit.map((choice, shown) => {
    const button = made("button", undefined, "choice");
    button.type = "button";
    const key = choice.key || (shown < FEW ? String(shown + 1) : "");
    if (key) button.append(hint(key));
    const name = made("span");
    name.append(made("bdi", choice.name));
    button.append(name);
    if (key) button.setAttribute("aria-keyshortcuts", key);
    button.dataset.place = choice.place;
    button.addEventListener("click", () => answer(choice.place, button));
    return button;
  });
  at("choices").replaceChildren(...buttons);
}

function hint(key) {
  const element = made("kbd", key);
  element.setAttribute("aria-hidden", "true");
  return element;
}

function say(text) {
  // Cleared first: a screen reader tells only what has changed.
  at("live").textContent = "";
  const next = state.case ? `${state.left.toLocaleString()} to go.` : "Nothing more to review.";
  setTimeout(() => { at("live").textContent = text ? `${text} ${next}` : next; }, 50);
}

/* What the reviewer does. */

function together() {
  const one = state.case;
  return [one.case, ...(parted.has(one.case) ? [] : one.others.map(([id]) => id))];
}

function give(said, told, button) {
  if (!state || !state.case || busy) return;
  if (button) button.classList.add("taken");
  at("case").focus({ preventScroll: true });
  send("answer", { cases: together(), answered: Date.now(), ...said }, told);
}

function answer(place, button) {
  const choice = state.case.asked.choices[place];
  give({ label: choice.value }, `Answered ${choice.name}.`, button);
}

function skip(reason) {
  const words = reason.trim().slice(0, 200);
  if (words) give({ skipped: words }, `Skipped: ${words}.`);
}

function undo() {
  if (state && state.undoable) send("undo", { answered: Date.now() }, "Taken back.");
}

function split() {
  const one = state && state.case;
  if (!one || !one.others.length) return;
  const ids = [one.case, ...one.others.map(([id]) => id)];
  const alone = !parted.has(one.case);
  for (const id of ids) alone ? parted.add(id) : parted.delete(id);
  draw(one);
  say(alone ? "Each is asked by itself." : "They are answered together.");
}

/* Whether the prediction is hidden until somebody asks: some like to judge first. It stays so, as long as the page is open. */
let blind = null;
function hidden() { return blind === null ? state.blind : blind; }
function reveal(hide) {
  at("predicted").firstElementChild.textContent = hide ? "hidden" : state.case.prediction === null ? "nothing" : state.case.prediction;
  at("predicted").classList.toggle("absent", hide);
  show(at("score"), !hide && state.case.score !== null);
  at("reveal").lastElementChild.textContent = hide ? "Show" : "Hide";
}
function turn() {
  if (!state || !state.case) return;
  blind = !hidden();
  reveal(blind);
}

function openSkip() {
  if (!state || !state.case || busy) return;
  at("reason").value = "";
  at("skip").showModal();
}

/* Keys. A key that is held down, or comes with Ctrl, Alt or Meta, is not meant. */

const KEYS = { s: openSkip, u: undo, g: split, p: turn, r: () => failed && failed(), "?": () => at("help").showModal() };
const TOLD = [
  ["1 … 9", "answer"], ["y n", "yes, no"], ["/", "find a label, or write a number"], ["s", "skip, with a reason"],
  ["u", "take the last answer back"], ["g", "near-duplicates together, or each by itself"], ["p", "hide or show what the model said"],
  ["r", "try again what failed"], ["?", "this help"],
];

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || event.isComposing) return;
  if (at("help").open) return;
  if (at("skip").open) {
    const reason = REASONS[Number(event.key) - 1];
    if (reason && event.target !== at("reason")) {
      event.preventDefault();
      at("skip").close();
      skip(reason);
    }
    return;
  }
  const writes = event.target instanceof HTMLInputElement;
  if (writes) {
    if (event.key === "Escape") { event.target.value = ""; event.target.blur(); if (event.target === at("filter")) choices(); }
    return;
  }
  if (event.key === "/" && state && state.case) {
    const field = [at("filter"), at("number")].find((one) => one.offsetParent);
    if (field) { event.preventDefault(); field.focus(); }
    return;
  }
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const button = [...at("choices").children].find((one) => one.getAttribute("aria-keyshortcuts") === key || one.firstChild.textContent === key);
  const place = Number(key);
  const numbered = place >= 1 && place <= FEW ? at("choices").children[place - 1] : undefined;
  const chosen = at("choices").hidden ? undefined : numbered || button;
  if (chosen) { event.preventDefault(); chosen.click(); return; }
  if (KEYS[key]) { event.preventDefault(); KEYS[key](); }
});

at("filter").addEventListener("input", choices);
at("filter-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const first = at("choices").firstElementChild;
  if (first && at("filter").value.trim()) first.click();
});
at("number-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const words = at("number").value.trim().replace(",", ".");
  const number = Number(words);
  if (words === "" || !Number.isFinite(number)) {
    at("number").setAttribute("aria-invalid", "true");
    say("That is no number.");
    return;
  }
  at("number").removeAttribute("aria-invalid");
  give({ label: number }, `Answered ${number}.`);
});
at("skip-form").addEventListener("submit", () => { const words = at("reason").value; setTimeout(() => skip(words)); });
at("help-button").addEventListener("click", KEYS["?"]);
at("skip-button").addEventListener("click", openSkip);
at("undo-button").addEventListener("click", undo);
at("split").addEventListener("click", split);
at("reveal").addEventListener("click", turn);
at("again").addEventListener("click", () => failed && failed());

at("reasons").replaceChildren(...REASONS.map((reason, place) => {
  const button = made("button", undefined, "choice");
  button.type = "button";
  button.append(hint(String(place + 1)), made("span", reason));
  button.addEventListener("click", () => { at("skip").close(); skip(reason); });
  return button;
}));
at("keys").replaceChildren(...TOLD.map(([keys, does]) => {
  const row = made("div");
  const term = made("dt");
  keys.split(" ").forEach((key) => term.append(key === "…" ? " … " : made("kbd", key), " "));
  row.append(term, made("dd", does));
  return row;
}));

look();
