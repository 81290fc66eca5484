// The question box: suggestions while typing, and addresses without empty fields.
import { byId, el, keep, kept } from "./common.js";

const KINDS = { question: "Question", speaker: "Speaker", podcast: "Podcast", episode: "Episode", earlier: "Asked before" };
const box = byId("q");
const list = byId("suggestions");
let chosen = -1;
let asked = 0;

// The server leaves empty fields out, too; this saves the way there.
document.addEventListener("submit", ({ target }) => {
  if (target.method !== "get") return;
  for (const field of target.elements) {
    if (field.name && (!field.value.trim() || (field.name === "mode" && field.value === "hybrid"))) field.disabled = true;
  }
  setTimeout(() => { for (const field of target.elements) field.disabled = false; });
});

function close() {
  list.hidden = true;
  chosen = -1;
  box.setAttribute("aria-expanded", "false");
  box.removeAttribute("aria-activedescendant");
}

function draw(found) {
  list.replaceChildren(...found.map((one, place) => {
    const line = el("li", { id: `suggestion-${place}` }, el("span", {}, one.text), el("small", {}, KINDS[one.kind]));
    line.setAttribute("role", "option");
    line.setAttribute("aria-selected", "false");
    line.addEventListener("mousedown", (event) => { event.preventDefault(); location.assign(one.address); });
    line.dataset.address = one.address;
    return line;
  }));
  chosen = -1;
  list.hidden = !found.length;
  box.setAttribute("aria-expanded", String(Boolean(found.length)));
}

async function suggest() {
  const typed = box.value.trim();
  const mine = ++asked;
  if (typed.length < 2) return close();
  const earlier = kept("asked", []).filter((one) => one.toLowerCase().startsWith(typed.toLowerCase()) && one !== typed).slice(0, 2)
    .map((text) => ({ kind: "earlier", text, address: `/?${new URLSearchParams({ q: text })}` }));
  try {
    const answer = await fetch(`/suggest?${new URLSearchParams({ q: typed })}`);
    if (mine === asked && document.activeElement === box && answer.ok) draw([...earlier, ...(await answer.json())].slice(0, 8));
  } catch {
    close(); // suggestions are a help, not a need
  }
}

function choose(step) {
  const lines = [...list.children];
  lines[chosen]?.setAttribute("aria-selected", "false");
  chosen = (chosen + step + lines.length + 1) % (lines.length + 1);
  if (chosen === lines.length) chosen = -1;
  const line = lines[chosen];
  line?.setAttribute("aria-selected", "true");
  if (line) box.setAttribute("aria-activedescendant", line.id);
  else box.removeAttribute("aria-activedescendant");
}

if (box) {
  box.setAttribute("role", "combobox");
  box.setAttribute("aria-controls", "suggestions");
  box.setAttribute("aria-autocomplete", "list");
  box.setAttribute("aria-expanded", "false");
  let waiting = 0;
  box.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(suggest, 120); });
  box.addEventListener("blur", close);
  box.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      choose(event.key === "ArrowDown" ? 1 : chosen < 0 ? 0 : -1);
    } else if (event.key === "Escape") {
      event.preventDefault();
      close();
    } else if (event.key === "Enter" && chosen >= 0) {
      event.preventDefault();
      location.assign(list.children[chosen].dataset.address);
    }
  });
  const now = new URLSearchParams(location.search).get("q");
  if (now) keep("asked", [now, ...kept("asked", []).filter((one) => one !== now)].slice(0, 30));
}
