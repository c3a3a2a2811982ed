// ---- What the sidecar says, in words for people: by the table in terms.js.

// A word that is newer than this page stands for itself.
const meaning = (table, word) => (Object.hasOwn(table, word) ? table[word] : String(word));

const number = (value) => value.toLocaleString("en").replaceAll(",", "\u202f");
const percent = (part, whole) => (whole > 0 ? `${Math.round((100 * part) / whole)}\u00a0%` : terms.no_capacity());

function listed(words) {
  const last = words.at(-1);
  return words.length < 2 ? last ?? "" : terms.both(words.slice(0, -1).join(", "), last);
}

// "21:04:09" by this browser's clock, with the day if that is another one.
function clock(time) {
  const date = new Date(time);
  const two = (part) => String(part).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} `;
  const at = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  return (date.toDateString() === new Date().toDateString() ? "" : day) + at;
}

// Room names are whatever clients sent; quotes show where one ends. Gateways' are an operator's, but may hold the same.
// What cannot be seen, or turns what follows around, is written out.
const visible = (name) => name.replace(/[\p{Cf}\p{Zl}\p{Zp}]/gu, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
const quoted = (room) => (/^[\w.:@-]+$/.test(room) ? room : `“${visible(room)}”`);

// With one candidate the text names it: only this gateway cannot take the room, and others may take other rooms.
function refusedBecause({ error, reason, candidates }) {
  const down = candidates.filter(({ verdict }) => verdict === "down").length;
  if (candidates.length !== 1 || candidates[0].verdict !== "disabled") {
    return down > 0 ? terms.some_down(down, terms.error(error)) : terms.error(error);
  }
  const [{ name, verdict }] = candidates;
  const because = reason === "pinned" ? terms.pinned_to_one : terms.only_one;
  return because(visible(name), terms.verdict(verdict));
}

// With one candidate the cause is not known: the load, or users who are there, or the room was there before.
const chosenBecause = ({ reason, candidates }) => (reason === "assigned" && candidates.length === 1
  ? terms.only_candidate() : terms.reason(reason));

const isRelease = ({ janus, error }) => janus === null && error === null;

function decided(decision) {
  if (isRelease(decision)) return terms.released(visible(decision.left));
  if (decision.janus === null) {
    const often = decision.times > 1 ? `; ${terms.times_since(decision.times, clock(decision.since))}` : "";
    return `${terms.refused()}: ${refusedBecause(decision)}${often}`;
  }
  const janus = visible(decision.janus);
  const to = decision.left === null ? terms.placed(janus) : terms.moved(visible(decision.left), janus);
  return `${to}: ${decision.asked_by === "adoption" ? terms.users_were_there() : chosenBecause(decision)}`;
}

function asked(decision) {
  let text = terms.asker(decision.asked_by);
  if (decision.country_code !== null) text = terms.from_country(text, decision.country_code);
  if (decision.country_code !== null && decision.regional_match) text = terms.served_first(text);
  return decision.request_id === null ? text : terms.by_request(text, decision.request_id);
}
