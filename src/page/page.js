// ---- The page as a whole: asks every few seconds, one request at a time, and says how things are.

const pause = 3000;
const historyEvery = 30_000;

const known = { scale: true, readiness: null, gateways: [], decisions: [], splits: [], room: null,
  history: { times: [], series: new Map(), asked: -Infinity } };
let timer = 0;
let round = null;       // the one that runs now
let again = false;      // another is wanted right after it
let failingSince = null;
let heardAt = null;
let wantsToken = false;

async function askHistory() {
  // Right after its start the sidecar has none yet.
  const isNew = performance.now() - known.history.asked < historyEvery;
  if (isNew && known.history.times.length > 0) return known.history;
  const { times, gateways, room_occupancy: occupancy } = await ask("GET", "/v2/load-history");
  const series = new Map(gateways.map((one) => [one.name, one]));
  return { asked: performance.now(), occupancy, times: times.map((time) => Date.parse(time)), series };
}

async function askAll() {
  const news = { readiness: await askReadiness() };
  news.scale = (await ask("GET", "/v2/config")).scale;
  news.gateways = (await ask("GET", "/v2/gateways")).gateways;
  news.decisions = (await ask("GET", "/v2/decisions?limit=25")).decisions;
  news.splits = (await ask("GET", "/v2/splits")).splits;
  news.history = await askHistory();
  news.room = await askRoom();
  return news;
}

function showAll() {
  ({ occupancy } = known.history);
  showState();
  showGateways(known);
  showSplits(known.splits);
  show(byId("undecided"), known.decisions.length === 0);
  showDecisions(byId("decision-list"), known.decisions, true);
  // The reader may want another room by now; its answer is on the way.
  if ((known.room?.about ?? null) !== chosen) return;
  showRoom(known.room, known.scale);
  takeReaderThere();
}

// At most six names: a reader reads no more of sixty.
const shortened = (names) =>
  listed(names.length > 6 ? [...names.slice(0, 5), `${names.length - 5} more`] : names);

// The problems of the gateways as a whole, beside those that /readyz names.
function problemsOf({ gateways, scale }) {
  const named = (wanted) => gateways.filter(wanted).sort(byName).map((gateway) => visible(gateway.name));
  const sentence = (names, one, many) =>
    (names.length === 0 ? [] : [`${shortened(names)} ${names.length === 1 ? one : many}.`]);
  return [
    ...sentence(named((gateway) => gateway.state === "down"), "is down", "are down"),
    ...sentence(named((gateway) => gateway.state === "suspect"), "may be down", "may be down"),
    ...(scale ? sentence(named((gateway) => isFull(gateway)), "is full", "are full") : []),
    ...(scale && !gateways.some(takesRooms) ? ["No listed gateway can take new rooms now."] : []),
  ];
}

const sum = (gateways, key) => gateways.reduce((total, gateway) => total + gateway[key], 0);

// Only gateways that may take new rooms have capacity left; the load of the others is named apart.
function loadInWords(gateways) {
  const taking = gateways.filter(takesRooms);
  const [load, capacity] = [sum(taking, "load"), sum(taking, "capacity")];
  const elsewhere = sum(gateways, "load") - load;
  const rest = elsewhere > 0 ? `, ${number(elsewhere)} on the others` : "";
  if (taking.length === 0) return elsewhere > 0 ? `Load ${number(elsewhere)}, on gateways that take no new rooms.` : "";
  const where = taking.length === gateways.length ? ""
    : ` on the ${taking.length === 1 ? "one that takes" : `${taking.length} that take`} new rooms`;
  return `Load ${number(load)} of ${number(capacity)} (${percent(load, capacity)})${where}${rest}.`;
}

const capitalised = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function headline() {
  if (wantsToken) return ["warn", "The sidecar wants its token"];
  if (failingSince !== null) return ["bad", failingSince.words];
  if (known.readiness === null) return ["waiting", "Asking the sidecar …"];
  if (known.readiness.status === "unavailable") return ["bad", "The sidecar is starting or stopping"];
  if (known.readiness.status === "degraded") return ["bad", "Degraded: it works, but not all is well"];
  if (problemsOf(known).length > 0) return ["warn", "The sidecar is well, some gateways are not"];
  return ["good", "All is well"];
}

function showState() {
  const [level, words] = headline();
  set(byId("state"), "data-level", level);
  say(byId("state-title"), words);
  document.title = level === "good" ? "room-sidecar" : `${words} – room-sidecar`;
  const stale = failingSince !== null || wantsToken;
  document.body.classList.toggle("stale", stale && heardAt !== null);
  show(byId("wants-token"), wantsToken);
  const updated = stale ? "Shown as of" : "Updated";
  say(byId("updated"), heardAt === null ? "" : `${updated} ${clock(heardAt)}`);
  if (known.readiness === null) return;
  const troubles = [...known.readiness.reasons.map((reason) => `${capitalised(visible(reason))}.`), ...problemsOf(known)];
  keepTexts(byId("troubles"), troubles);
  show(byId("troubles"), troubles.length > 0);
  say(byId("mode"), known.scale
    ? "Scale mode (SCALE=true): a new room goes to the least loaded gateway and stays there until it is empty."
    : "Legacy mode (SCALE=false): every room is answered with its default gateway; loads do not count.");
  const full = known.scale ? ` ${loadInWords(known.gateways)}` : "";
  const rooms = known.scale ? `${count(sum(known.gateways, "rooms"), "room")}, ` : "";
  const drained = known.gateways.filter((gateway) => gateway.draining).sort(byName).map(({ name }) => visible(name));
  const draining = drained.length === 0 ? "" : ` Draining: ${shortened(drained)}.`;
  const gateways = count(known.gateways.length, "gateway");
  say(byId("sums"), `${gateways}, ${rooms}${count(sum(known.gateways, "users"), "user")}.${full}${draining}`);
}

function fail(failure) {
  if (failure.status === 401) {
    wantsToken = true;
    failingSince = null;
    askForToken(sessionStorage.getItem(tokenKey) !== null);
    sessionStorage.removeItem(tokenKey);
    return;
  }
  wantsToken = false;  // a token that is still wanted is asked for anew
  const since = failingSince?.since ?? Date.now();
  let words = `This page does not understand the answers since ${clock(since)}: reload it`;
  if (failure instanceof Unreachable) words = `Cannot reach the sidecar since ${clock(since)}`;
  if (failure instanceof Refused) words = `The sidecar refuses to answer since ${clock(since)}: ${failure.message}`;
  failingSince = { since, words };
}

async function oneRound() {
  try {
    const news = await askAll();
    Object.assign(known, news);
    failingSince = null;
    wantsToken = false;
    heardAt = Date.now();
    showAll();
  } catch (failure) {
    fail(failure);
    showState();
    if (!(failure instanceof Unreachable || failure instanceof Refused)) throw failure;
  }
}

// Begins a round now, or right after the one that runs. Resolves when the newest round is over.
async function refresh() {
  clearTimeout(timer);
  if (round !== null) {
    again = true;
    return round;
  }
  round = (async () => {
    try {
      do {
        again = false;
        await oneRound();
      } while (again);
    } finally {
      round = null;
      // A hidden tab has no reader; without the token there is nothing to ask.
      if (!document.hidden && !wantsToken) timer = setTimeout(refresh, pause);
    }
  })();
  return round;
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  if (!document.hidden && !wantsToken) refresh();
});
document.addEventListener("keydown", (event) => {
  const types = event.target.closest?.("input, select, textarea, dialog") != null;
  if (event.key !== "/" || types || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  byId("room").focus();
  byId("room").select();
});
byId("filter").addEventListener("input", () => showGateways(known, true));
byId("order").addEventListener("change", () => showGateways(known, true));

say(byId("where"), location.host);
refresh();
