// ---- What the sidecar says, in words for people.

const reasons = {
  default: "its default gateway, as legacy mode answers",
  pinned: "fixed there by configuration",
  sticky: "it is there already",
  assigned: "chosen by load, among the first that can take it",
  overflow: "the gateways that serve it first are full; this one was chosen among them by load",
  borrowed: "no gateway that serves it first can take it",
  reassigned: "moved there from a gateway that rooms have to leave",
};
const errors = {
  room_not_found: "the room is unknown, disabled or removed",
  gateway_not_found: "its default gateway is missing, disabled or of another type",
  no_gateway_available: "no gateway may take a new room",
  capacity_exhausted: "the gateways that could take it are full, and when_full is \"reject\"",
  storage_unavailable: "the assignment could not be written to disk",
};
const verdicts = {
  chosen: "this one",
  higher_load: "another gateway is less loaded, or is listed first",
  not_drawn: "another gateway was drawn by chance",
  full: "full: one more room is above its capacity",
  other_region: "serves another region first",
  no_region: "in no region; the gateways that serve the caller first come before it",
  draining: "draining: takes no new rooms",
  disabled: "disabled, removed or of another type",
  down: "does not answer",
  suspect: "may be down, or has just come back",
  standby: "a standby server, used while no other gateway is up",
  not_available: "not among the available servers",
};
const askers = {
  user: "a user asked",
  session: "a session was reported",
  mover: "rooms had to leave its gateway",
  adoption: "it was in use without a gateway of its own",
  configuration: "the configuration or the database changed",
  operator: "an operator asked for that",
};

// A word that is newer than this page stands for itself.
const meaning = (table, word) => (Object.hasOwn(table, word) ? table[word] : String(word));

const number = (value) => value.toLocaleString("en").replaceAll(",", "\u202f");
const count = (value, one, many = one + "s") => `${number(value)} ${value === 1 ? one : many}`;
const percent = (part, whole) => (whole > 0 ? `${Math.round((100 * part) / whole)}\u00a0%` : "no capacity");

function listed(words) {
  const last = words.at(-1);
  return words.length < 2 ? last ?? "" : `${words.slice(0, -1).join(", ")} and ${last}`;
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
    return meaning(errors, error) + (down > 0 ? `; ${number(down)} of them down by their health` : "");
  }
  const [{ name, verdict }] = candidates;
  return `${reason === "pinned" ? "it is fixed by configuration to" : "it may go only to"} ${visible(name)}: `
    + meaning(verdicts, verdict);
}

// With one candidate the cause is not known: the load, or users who are there, or the room was there before.
const chosenBecause = ({ reason, candidates }) => (reason === "assigned" && candidates.length === 1
  ? "no other gateway was considered" : meaning(reasons, reason));

const isRelease = ({ janus, error }) => janus === null && error === null;

function decided(decision) {
  if (isRelease(decision)) return `released from ${visible(decision.left)} by an operator; it had no gateway from then on`;
  if (decision.janus === null) {
    const often = decision.times > 1 ? `, ${number(decision.times)} times since ${clock(decision.since)}` : "";
    return `refused: ${refusedBecause(decision)}${often}`;
  }
  const janus = visible(decision.janus);
  const to = decision.left === null ? `to ${janus}` : `from ${visible(decision.left)} to ${janus}`;
  const why = decision.asked_by === "adoption" ? "its users were there" : chosenBecause(decision);
  return `${to}: ${why}`;
}

function asked(decision) {
  let text = meaning(askers, decision.asked_by);
  if (decision.country_code !== null) text += ` from ${decision.country_code}`;
  if (decision.regional_match) text += ", which it serves first";
  return decision.request_id === null ? text : `${text} (request ${decision.request_id})`;
}
