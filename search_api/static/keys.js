// The keyboard: from answer to answer, from sentence to sentence, play and pause.
import { byId, isTyping } from "./common.js";

const hits = [...document.querySelectorAll(".hit")];
const help = byId("keys");

function step(by) {
  if (!hits.length) { document.dispatchEvent(new CustomEvent("soundbite:step", { detail: by })); return; }
  const place = hits.findIndex((hit) => hit.contains(document.activeElement));
  const next = hits[Math.min(hits.length - 1, Math.max(0, place + by))];
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

function toggle() {
  const hit = document.activeElement?.closest?.(".hit");
  const link = hit?.querySelector("a.play");
  const player = byId("player");
  if (link && !(player?.classList.contains("on") && link.classList.contains("on"))) link.click();
  else if (player && !player.hidden) byId("toggle").click();
  else hits[0]?.querySelector("a.play[data-audio]")?.click();
}

const KEYS = {
  "/": () => { const box = byId("q") || byId("ask"); box?.focus(); box?.select(); },
  "?": () => help.showModal(),
  j: () => step(1),
  k: () => step(-1),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  if (KEYS[event.key]) {
    event.preventDefault();
    KEYS[event.key]();
  } else if (event.key === " " && !event.target.closest("button, summary, a")) {
    if (!byId("player")) return;
    event.preventDefault();
    toggle();
  } else if (event.key === "Enter" && event.target.matches(".hit")) {
    location.assign(event.target.dataset.page);
  } else if (["ArrowLeft", "ArrowRight"].includes(event.key) && byId("player")?.classList.contains("on")) {
    event.preventDefault();
    document.querySelector(`[data-skip="${event.key === "ArrowLeft" ? -15 : 15}"]`).click();
  }
});
byId("keys-button").addEventListener("click", () => help.showModal());
