// The lists of collected moments: order, notes, and export as a brief.
import { byId, el, keep, kept, safe, say } from "./common.js";
import { markdown, source } from "./keep.js";

const room = byId("collections");
let lists = kept("collections", []);

function save(words) {
  say(keep("collections", lists) ? words : "This browser keeps nothing");
  draw();
}

function moved(list, from, to) {
  list.moments.splice(to, 0, ...list.moments.splice(from, 1));
  save("Moved");
}

const cell = (text) => `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`; // a sheet runs what begins with =

export function brief(list) {
  const parts = list.moments.map((moment) => `${markdown(moment)}${moment.note ? `\n\n${moment.note}` : ""}`);
  return `# ${list.name}\n\n${parts.join("\n\n")}\n`;
}

export function sheet(list) {
  const columns = ["text", "speaker", "title", "podcast", "date", "time", "link", "page", "note"];
  return [columns, ...list.moments.map((moment) => columns.map((name) => moment[name] || ""))].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}

function download(list, suffix, type, text) {
  const address = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  el("a", { href: address, download: `${list.name.replace(/[^\p{L}\p{N} _-]+/gu, " ").trim() || "brief"}.${suffix}` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

const button = (words, act, label) => {
  const made = el("button", { type: "button", className: "link", onclick: act }, words);
  if (label) made.setAttribute("aria-label", label);
  return made;
};

function moment(list, one, place) {
  const link = safe(one.link);
  const page = safe(one.page);
  const note = el("textarea", { value: one.note || "", rows: 2, placeholder: "Note", onchange: ({ target }) => { one.note = target.value; keep("collections", lists); } });
  note.setAttribute("aria-label", "Note");
  return el("li", { className: "moment" },
    el("blockquote", {}, one.text),
    el("p", { className: "who" }, page ? el("a", { href: page }, source(one)) : el("span", {}, source(one)),
      " ", link && link !== page ? el("a", { href: link, target: "_blank", rel: "noopener noreferrer", className: "link-out" }, `Play${one.time ? ` from ${one.time}` : ""}`) : null),
    note, el("p", { className: "note-print" }, one.note || ""),
    el("p", { className: "actions" },
      place ? button("Up", () => moved(list, place, place - 1), "Move up") : null,
      place < list.moments.length - 1 ? button("Down", () => moved(list, place, place + 1), "Move down") : null,
      button("Remove", () => { list.moments.splice(place, 1); save("Removed"); })));
}

function section(list) {
  const name = el("input", { className: "list-name", value: list.name, maxLength: 80,
    onchange: ({ target }) => { list.name = target.value.trim() || list.name; save("Renamed"); } });
  name.setAttribute("aria-label", "Name of the list");
  const whole = el("section", { className: "collection" });
  whole.setAttribute("aria-label", list.name);
  whole.append(
    el("h2", {}, name, el("span", { className: "name-print" }, list.name)),
    el("p", { className: "actions" },
      button("Download as Markdown", () => download(list, "md", "text/markdown", brief(list))),
      button("CSV", () => download(list, "csv", "text/csv", `\ufeff${sheet(list)}`)),
      button("Print", () => {
        whole.classList.add("printed");
        document.documentElement.classList.add("print-one");
        print();
        whole.classList.remove("printed");
        document.documentElement.classList.remove("print-one");
      }),
      button("Delete list", () => { if (confirm(`Delete “${list.name}” and its moments?`)) { lists = lists.filter((one) => one !== list); save("Deleted"); } })),
    el("ol", {}, ...list.moments.map((one, place) => moment(list, one, place))));
  return whole;
}

function draw() {
  room.replaceChildren(...lists.map(section));
  if (!lists.length) room.append(el("p", { className: "notice" }, "Nothing yet. Use “Collect” below an answer, or on a sentence of a transcript."));
}

addEventListener("storage", () => { lists = kept("collections", []); draw(); });
draw();
