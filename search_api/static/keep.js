// Copies a moment as a quote, and collects it into a named list in this browser.
import { byId, clock, el, keep, kept, safe, say } from "./common.js";

/** The moment that a button belongs to: of its card, or what is selected or marked in the transcript. */
function momentOf(button) {
  const card = button.closest("[data-moment]");
  if (card) return withAddresses(JSON.parse(card.dataset.moment));
  const text = byId("transcript");
  const about = JSON.parse(text.dataset.about);
  const selected = getSelection();
  const chosen = !selected.isCollapsed && text.contains(selected.anchorNode);
  const first = chosen ? selected.getRangeAt(0).startContainer.parentElement : document.querySelector(".here");
  if (!first) return null;
  const words = (chosen ? selected.toString() : first.textContent).replace(/\s+/g, " ").trim();
  const paragraph = first.closest("p");
  const sentence = first.closest('[id^="t="]') || paragraph?.querySelector('[id^="t="]');
  const second = sentence ? sentence.id.slice(2) : "";
  const page = `/episodes/${about.key}${second && `#t=${second}`}`;
  const moment = { ...about, text: words, speaker: paragraph?.dataset.speaker || "", time: second && clock(Number(second)), page };
  if (second && about.link) moment.link = timed(about.link, second);
  return withAddresses(moment);
}

/** The link at a second: as YouTube writes it, else as a media fragment. */
function timed(link, second) {
  const url = new URL(link);
  if (!/(^|\.)(youtube\.com|youtu\.be)$/.test(url.hostname)) return `${link.split("#")[0]}#t=${second}`;
  url.searchParams.set("t", String(Math.floor(second)));
  return url.href;
}

function withAddresses(moment) {
  const page = safe(moment.page);
  return { ...moment, page, link: safe(moment.link) || page };
}

export const source = (moment) => [moment.speaker, `“${moment.title}”`, moment.podcast, moment.date, moment.time].filter(Boolean).join(", ");
export const plain = (moment) => `“${moment.text.replace(/\s+/g, " ")}” — ${source(moment)}. ${moment.link}`;

const escaped = (text) => text.replace(/[\\`*_{}[\]<>#|]/g, "\\$&");
const address = (link) => link.replace(/[()\s<>]/g, encodeURIComponent);

export function markdown(moment) {
  const who = moment.speaker ? `**${escaped(moment.speaker)}**, ` : "";
  const where = [moment.podcast, moment.date].filter(Boolean).map(escaped).join(", ");
  const time = moment.time ? ` at [${moment.time}](${address(moment.link)})` : "";
  return `> ${escaped(moment.text.replace(/\s+/g, " "))}\n>\n> — ${who}[${escaped(moment.title)}](${address(moment.page)}), ${where}${time}`;
}

function rich(moment) {
  const line = el("p", {}, `— ${moment.speaker ? `${moment.speaker}, ` : ""}`, el("a", { href: moment.link }, moment.title),
    `, ${[moment.podcast, moment.date, moment.time].filter(Boolean).join(", ")}`);
  return el("div", {}, el("blockquote", {}, moment.text), line).innerHTML;
}

async function write(text, html) {
  if (navigator.clipboard && html && window.ClipboardItem) {
    const blob = (data, type) => new Blob([data], { type });
    return navigator.clipboard.write([new ClipboardItem({ "text/plain": blob(text, "text/plain"), "text/html": blob(html, "text/html") })]);
  }
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = el("textarea", { value: text }); // pages served over plain http have no clipboard
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("copying is not allowed");
}

async function copy(button, text, html) {
  const words = button.textContent;
  try {
    await write(text, html);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Could not copy";
  }
  say(button.textContent);
  setTimeout(() => { button.textContent = words; button.closest("details.menu")?.removeAttribute("open"); }, 1200);
}

// -- collections: [{name, moments: [{…moment, note}]}]

function collect(moment) {
  const lists = kept("collections", []);
  const name = el("input", { name: "list", required: true, maxLength: 80, autocomplete: "off", placeholder: "New list", id: "new-list" });
  const dialog = el("dialog", { className: "collect" });
  dialog.setAttribute("aria-labelledby", "collect-title");
  const add = (wanted) => {
    const list = lists.find((one) => one.name === wanted) || (lists.push({ name: wanted, moments: [] }), lists.at(-1));
    if (!list.moments.some((one) => one.page === moment.page && one.text === moment.text)) list.moments.push({ ...moment, note: "" });
    say(keep("collections", lists) ? `Collected in ${wanted}` : "This browser keeps nothing; the moment was not collected");
    dialog.close();
    toast(`Collected in “${wanted}”`);
  };
  dialog.append(
    el("h2", { id: "collect-title" }, "Collect this moment"),
    el("ul", { className: "plain" }, ...lists.map((list) => el("li", {}, el("button", { type: "button", className: "plain", onclick: () => add(list.name) }, list.name)))),
    el("form", { onsubmit: (event) => { event.preventDefault(); add(name.value.trim() || "Moments"); } },
      el("label", { className: "unseen", htmlFor: "new-list" }, "New list"), name, el("button", { className: "plain" }, "Add")),
    el("button", { type: "button", className: "link", onclick: () => dialog.close() }, "Cancel"),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  if (lists.length) dialog.querySelector("button").focus();
  else name.focus();
}

function toast(words) {
  document.querySelector(".toast")?.remove();
  const line = el("p", { className: "toast" }, `${words} `, el("a", { href: "/collections" }, "See collections"));
  document.body.append(line);
  setTimeout(() => line.remove(), 5000);
}

// A press would take the selection away before it is read.
byId("pick")?.addEventListener("mousedown", (event) => event.preventDefault());
document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.copyAddress) copy(button, safe(button.dataset.copyAddress));
  const moment = button.dataset.copy || "collect" in button.dataset ? momentOf(button) : null;
  if (!moment) return;
  if ("collect" in button.dataset) collect(moment);
  else if (button.dataset.copy === "markdown") copy(button, markdown(moment));
  else copy(button, plain(moment), button.dataset.copy === "rich" ? rich(moment) : "");
});
