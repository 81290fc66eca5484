// A transcript's page: shows the sentence that the address names, plays from a clicked one, finds words.
import { byId, say } from "./common.js";
import { playFrom, sentenceAt } from "./player.js";

const text = byId("transcript");
const second = (part) => Number(part.id.slice(2));
let here = null;

/** Mark a sentence and bring the keyboard there. */
export function mark(part, { focus = false } = {}) {
  if (!part) return;
  if (here) { here.classList.remove("here"); here.removeAttribute("tabindex"); }
  here = part;
  part.classList.add("here");
  part.tabIndex = 0;
  byId("pick").hidden = false;
  if (focus) { part.focus({ preventScroll: true }); part.scrollIntoView({ block: "nearest" }); }
}

function arrive() {
  const asked = /^#t=([\d.]+)/.exec(location.hash);
  const part = asked && sentenceAt(Number(asked[1]));
  if (!part) return;
  mark(part);
  part.scrollIntoView({ block: "center" });
}

text.addEventListener("click", (event) => {
  const part = event.target.closest('[id^="t="]');
  if (!part || event.target.closest("a") || !getSelection().isCollapsed) return;
  mark(part);
  playFrom(second(part));
});
text.addEventListener("keydown", (event) => {
  const part = event.target.closest('[id^="t="]');
  if (part && event.key === "Enter" && playFrom(second(part))) event.preventDefault();
});
document.addEventListener("soundbite:step", (event) => {
  const all = [...text.querySelectorAll('[id^="t="]')];
  const place = here ? all.indexOf(here) : -1;
  mark(all[Math.min(all.length - 1, Math.max(0, place + event.detail))], { focus: true });
});
document.addEventListener("selectionchange", () => {
  const selected = getSelection();
  if (!selected.isCollapsed && text.contains(selected.anchorNode)) byId("pick").hidden = false;
});

// -- find in the transcript

const field = byId("find");
let places = [];
let at = -1;

/** A letter as it is compared: without case and accents; a space for every white space. */
const folded = (letter) => (letter < "\x80" ? letter : letter.normalize("NFD").replace(/\p{M}/gu, "")).toLowerCase().replace(/\s/g, " ");

/** A text as it is compared, and where each of its letters stands; a phrase may go on in the next sentence, not past a heading. */
function comparable(nodes) {
  let plain = "";
  let head = null;
  const where = [];
  for (const node of nodes) {
    const inside = node.parentElement?.closest("h2, h3");
    if (inside !== head) { plain += "\n"; where.push(null); }
    head = inside;
    for (let place = 0; place < node.data.length; place++) {
      for (const letter of folded(node.data[place])) {
        if (letter === " " && plain.endsWith(" ")) continue;
        plain += letter;
        where.push([node, place]);
      }
    }
  }
  return [plain, where];
}

/** The text nodes of the transcript, without the times beside its paragraphs. */
function spoken() {
  const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT, (node) => (
    node.parentElement.closest(".time") ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT));
  const nodes = [];
  while (walker.nextNode()) nodes.push(walker.currentNode);
  return nodes;
}

let read = null; // the text, once something is looked for

function find() {
  const wanted = [...field.value.trim()].map(folded).join("").replace(/ +/g, " ");
  places = [];
  at = -1;
  if (wanted.length > 1) {
    read ??= comparable(spoken());
    const [plain, where] = read;
    for (let begin = plain.indexOf(wanted); begin >= 0; begin = plain.indexOf(wanted, begin + wanted.length)) {
      const [first, last] = [where[begin], where[begin + wanted.length - 1]];
      const range = new Range();
      range.setStart(...first);
      let end = last[1] + 1;
      while (/\p{M}/u.test(last[0].data[end] ?? "")) end++; // an accent that stands behind its letter
      range.setEnd(last[0], end);
      places.push(range);
    }
  }
  CSS.highlights.set("find", new Highlight(...places));
  CSS.highlights.delete("find-here");
  byId("found").textContent = wanted.length < 2 ? "" : places.length ? `${places.length} found` : "None";
}

function next(step = 1) {
  if (!places.length) return;
  at = (at + step + places.length) % places.length;
  CSS.highlights.set("find-here", new Highlight(places[at]));
  places[at].startContainer.parentElement.scrollIntoView({ block: "center" });
  byId("found").textContent = `${at + 1} of ${places.length}`;
}

if (window.CSS?.highlights) {
  field.addEventListener("input", find);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") { event.preventDefault(); next(event.shiftKey ? -1 : 1); }
  });
  byId("find-next").addEventListener("click", () => next());
} else {
  byId("find-box").hidden = true;
}

addEventListener("hashchange", arrive);
arrive();
say("");
