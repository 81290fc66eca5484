// One player for the page: plays a moment from its link, skips, changes speed, and shows where in the transcript it is.
import { byId, clock, keep, kept, safe } from "./common.js";

const box = byId("player");
const audio = box.querySelector("audio");
const seek = byId("seek");
const sentences = [...document.querySelectorAll('.transcript [id^="t="]')];
const starts = sentences.map((part) => Number(part.id.slice(2)));
let playing = null; // the link that began it
let current = null; // the sentence that is being said

/** Bring a recording in, at a second; nothing is fetched before it is played. */
function cue(address, start, about) {
  const source = safe(address);
  if (!source) return;
  if (audio.dataset.source !== source) {
    audio.dataset.source = source;
    audio.src = source;
    audio.playbackRate = audio.defaultPlaybackRate = Number(byId("speed").value);
  }
  audio.currentTime = start; // before the recording is there, this is where it will begin
  box.hidden = false;
  byId("trouble").hidden = true;
  byId("playing").textContent = about.title || "";
  byId("playing").href = about.page || "#main";
  box.dataset.link = about.link || "";
  show();
}

function play() {
  audio.play().catch((error) => { if (error.name !== "AbortError" && !audio.error) trouble(); });
}

function trouble() {
  const line = byId("trouble");
  const link = safe(box.dataset.link) || safe(audio.dataset.source);
  line.textContent = "This audio cannot be reached just now. ";
  if (link) {
    const out = document.createElement("a");
    Object.assign(out, { href: link, textContent: "Open it at its host", target: "_blank", rel: "noopener noreferrer" });
    line.append(out);
  }
  line.hidden = false;
}

function show() {
  const length = Number.isFinite(audio.duration) ? audio.duration : Number(box.dataset.duration) || 0;
  seek.max = length || Math.max(1, audio.currentTime);
  seek.value = audio.currentTime;
  seek.setAttribute("aria-valuetext", `${clock(audio.currentTime)}${length ? ` of ${clock(length)}` : ""}`);
  byId("now").textContent = clock(audio.currentTime);
  byId("length").textContent = length ? clock(length) : "";
  const on = !audio.paused;
  box.classList.toggle("on", on);
  byId("toggle").setAttribute("aria-label", on ? "Pause" : "Play");
  document.querySelectorAll(".play.on").forEach((link) => link.classList.remove("on"));
  if (on) playing?.classList.add("on");
}

/** The sentence at a second: the last that has begun. */
export function sentenceAt(second) {
  let [low, high] = [0, starts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle] <= second + 0.05) low = middle + 1;
    else high = middle;
  }
  return low ? sentences[low - 1] : null;
}

// A reader who has scrolled elsewhere is left there for a while.
let scrolled = 0;
for (const kind of ["wheel", "touchmove"]) addEventListener(kind, () => { scrolled = Date.now(); }, { passive: true });

function follow() {
  const part = audio.paused ? current : sentenceAt(audio.currentTime);
  if (part === current) return;
  current?.classList.remove("now");
  current = part;
  if (!part) return;
  part.classList.add("now");
  const { top, bottom } = part.getBoundingClientRect();
  if ((top < 80 || bottom > innerHeight - 140) && Date.now() - scrolled > 5000) part.scrollIntoView({ block: "center" });
}

/** Play from a second of this page's recording; false where it has none. */
export function playFrom(second) {
  if (!box.dataset.audio) return false;
  if (audio.dataset.source !== safe(box.dataset.audio)) cue(box.dataset.audio, second, { title: box.dataset.title, link: box.dataset.link });
  audio.currentTime = second;
  play();
  return true;
}

document.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  const link = event.target.closest("a.play[data-audio]");
  if (link) {
    event.preventDefault();
    if (link === playing && !audio.paused) { audio.pause(); return; }
    playing = link;
    cue(link.dataset.audio, Number(link.dataset.start), link.dataset);
    play();
  }
  const time = event.target.closest("a.time[data-start]");
  if (time && playFrom(Number(time.dataset.start))) event.preventDefault();
});
byId("toggle").addEventListener("click", () => { if (audio.paused) play(); else audio.pause(); });
box.addEventListener("click", ({ target }) => {
  const step = Number(target.closest("[data-skip]")?.dataset.skip);
  if (step) audio.currentTime = Math.max(0, audio.currentTime + step);
});
seek.addEventListener("input", () => { audio.currentTime = Number(seek.value); });
byId("speed").addEventListener("change", ({ target }) => {
  audio.playbackRate = audio.defaultPlaybackRate = Number(target.value);
  keep("speed", target.value);
});
for (const kind of ["play", "pause", "seeked", "durationchange", "timeupdate", "ended"]) audio.addEventListener(kind, () => { show(); follow(); });
audio.addEventListener("error", () => { if (audio.getAttribute("src")) trouble(); });

byId("speed").value = kept("speed", "1");
if (!byId("speed").value) byId("speed").value = "1";
if (box.dataset.audio) {
  const asked = /^#t=([\d.]+)/.exec(location.hash);
  cue(box.dataset.audio, asked ? Number(asked[1]) : 0, { title: box.dataset.title, link: box.dataset.link });
  addEventListener("hashchange", () => {
    const second = /^#t=([\d.]+)/.exec(location.hash);
    if (second && audio.paused) { audio.currentTime = Number(second[1]); show(); }
  });
}
