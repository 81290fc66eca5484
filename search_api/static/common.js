// What several scripts of the page need: elements, kept data, words for screen readers, safe addresses.

export const byId = (id) => document.getElementById(id);

/** An element with properties and children; texts are never taken for HTML. */
export function el(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in element) element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Say something to screen readers. */
export function say(words) {
  const line = byId("said");
  line.textContent = "";
  setTimeout(() => { line.textContent = words; }, 50); // a change is announced, the same words twice are not
}

/** What is kept under a name in this browser. */
export function kept(name, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(`soundbite.${name}`)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** Keep something; false where the browser keeps nothing. */
export function keep(name, value) {
  try {
    localStorage.setItem(`soundbite.${name}`, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

/** An address that may be followed: of the web or of this server, else null. */
export function safe(address) {
  if (!address) return null;
  try {
    const url = new URL(address, location.href);
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
  } catch {
    return null;
  }
}

export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, String(whole % 60).padStart(2, "0")];
  return h ? `${h}:${String(m).padStart(2, "0")}:${s}` : `${m}:${s}`;
}

/** Whether a key press belongs to a field or a control, so that it is not ours. */
export function isTyping(target) {
  return target.closest?.("input, textarea, select, [contenteditable]") !== null && target.closest !== undefined;
}
