// Making elements. Text from evidence becomes text, never markup; what could not be seen, or would
// turn the direction of reading, is shown as \u{202e}, as html_escape() does.
const unseen = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb]|[\u{e0000}-\u{e0fff}]/gu;
const escapeOf = (c) => "\\u{" + c.codePointAt(0).toString(16) + "}";
const visible = (text) => String(text).replace(unseen, escapeOf);
// Records keep their line breaks and tabs.
const visibleLines = (text) =>
  String(text).replace(unseen, (c) => (c === "\n" || c === "\t" ? c : escapeOf(c)));

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  for (const child of children)
    if (child !== null && child !== undefined)
      made.append(child instanceof Node ? child : document.createTextNode(child));
  return made;
}

function drawn(name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

const levels = ["informational", "low", "medium", "high", "critical"];
const grouped = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, "\u00a0");

// Microseconds since 1970 as "2021-03-03 04:37:12.118".
function timeText(micros) {
  const seconds = Math.floor(micros / 1e6), rest = micros - seconds * 1e6;
  const date = new Date(seconds * 1000);
  if (isNaN(date)) return String(micros);
  const fraction = rest ? "." + String(rest).padStart(6, "0").replace(/0+$/, "") : "";
  return date.toISOString().slice(0, 19).replace("T", " ") + fraction;
}
