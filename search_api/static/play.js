// Makes a hit's player stop where its media fragment ends, keeps one sounding at a time, plays an episode from a paragraph's
// time, and copies citations. The page works without it.
"use strict";

const fragments = new WeakMap(); // player → {start, end, free}: free once the listener has gone elsewhere in the audio

function fragmentOf(audio) {
  if (!fragments.has(audio)) {
    const found = /#t=([\d.]+)(?:,([\d.]+))?$/.exec(audio.getAttribute("src") || "");
    fragments.set(audio, { start: found ? Number(found[1]) : 0, end: found && found[2] ? Number(found[2]) : Infinity, free: false });
  }
  return fragments.get(audio);
}

function stopAtEnd(audio) {
  const fragment = fragmentOf(audio);
  if (!fragment.free && audio.currentTime >= fragment.end) {
    audio.pause();
    audio.currentTime = fragment.start; // playing again plays the same part again
  }
}

// Media events do not bubble, so they are caught on their way down.
document.addEventListener("play", ({ target }) => {
  for (const other of document.querySelectorAll("audio")) if (other !== target) other.pause();
  const fragment = fragmentOf(target);
  if (target.readyState > 0) fragment.free = target.currentTime < fragment.start - 1 || target.currentTime > fragment.end + 0.5;
}, true);
document.addEventListener("timeupdate", ({ target }) => stopAtEnd(target), true);
document.addEventListener("seeked", ({ target }) => {
  const fragment = fragmentOf(target);
  if (target.currentTime < fragment.start - 1 || target.currentTime > fragment.end + 0.5) fragment.free = true;
}, true);
document.addEventListener("error", ({ target }) => {
  if (!(target instanceof HTMLMediaElement) || target.nextElementSibling?.matches(".unplayable")) return;
  const words = document.createElement("p");
  words.className = "quiet unplayable";
  words.textContent = "The audio cannot be played from its host just now.";
  target.after(words);
}, true);

async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea"); // pages served over plain http have no clipboard
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("copying is not allowed");
}

async function cite(button) {
  const words = button.textContent;
  try {
    await copy(button.dataset.citation);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Could not copy";
  }
  setTimeout(() => { button.textContent = words; }, 2000);
}

function playFrom(link, event) {
  const player = document.getElementById("player");
  if (!player) return;
  event.preventDefault();
  player.currentTime = Number(link.dataset.start);
  player.play().catch(() => {}); // why it cannot be played is shown by the error event
}

document.addEventListener("click", (event) => {
  const cited = event.target.closest("button.cite");
  if (cited) cite(cited);
  const timed = event.target.closest("a.time[data-start]");
  if (timed) playFrom(timed, event);
});

// A link may name a second that lies within a sentence: go to the sentence that holds it.
function nearest() {
  const wanted = /^#t=([\d.]+)/.exec(location.hash);
  if (!wanted || document.getElementById(location.hash.slice(1))) return;
  const before = [...document.querySelectorAll('[id^="t="]')].filter((part) => Number(part.id.slice(2)) <= Number(wanted[1]) + 0.01);
  const part = before.at(-1);
  part?.classList.add("here");
  part?.scrollIntoView({ block: "center" });
}

document.querySelectorAll("button.cite").forEach((button) => button.setAttribute("aria-live", "polite"));
document.querySelectorAll("button.cite").forEach((button) => { button.hidden = false; });
nearest();
