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
  listed(names.length > 6 ? [...names.slice(0, 5), terms.more(names.length - 5)] : names);

// The problems of the gateways as a whole, beside those that /readyz names.
function problemsOf({ gateways, scale }) {
  const named = (wanted) => gateways.filter(wanted).sort(byName).map((gateway) => visible(gateway.name));
  const sentence = (term, names) => (names.length === 0 ? [] : [term(names.length, shortened(names))]);
  return [
    ...sentence(terms.is_down, named((gateway) => gateway.state === "down")),
    ...sentence(terms.may_be_down, named((gateway) => gateway.state === "suspect")),
    ...(scale ? sentence(terms.is_full, named((gateway) => isFull(gateway))) : []),
    ...(scale && !gateways.some(takesRooms) ? [terms.none_takes_rooms()] : []),
  ];
}

const sum = (gateways, key) => gateways.reduce((total, gateway) => total + gateway[key], 0);

// Only gateways that may take new rooms have capacity left; the load of the others is named apart.
function loadInWords(gateways) {
  const taking = gateways.filter(takesRooms);
  const [load, capacity] = [sum(taking, "load"), sum(taking, "capacity")];
  const elsewhere = sum(gateways, "load") - load;
  if (taking.length === 0) return elsewhere > 0 ? terms.on_none_that_takes_rooms(number(elsewhere)) : "";
  let text = terms.load_sum(number(load), number(capacity), percent(load, capacity));
  if (taking.length < gateways.length) text = terms.on_those_that_take_rooms(taking.length, text);
  if (elsewhere > 0) text = terms.on_the_others(text, number(elsewhere));
  return `${text}.`;
}

const capitalised = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function headline() {
  if (wantsToken) return ["warn", terms.wants_token()];
  if (failingSince !== null) return ["bad", failingSince.words];
  if (known.readiness === null) return ["waiting", terms.asking()];
  if (known.readiness.status === "unavailable") return ["bad", terms.unavailable()];
  if (known.readiness.status === "degraded") return ["bad", terms.degraded()];
  if (problemsOf(known).length > 0) return ["warn", terms.some_not_well()];
  return ["good", terms.all_well()];
}

function showState() {
  const [level, words] = headline();
  set(byId("state"), "data-level", level);
  say(byId("state-title"), words);
  document.title = level === "good" ? "room-sidecar" : `${words} – room-sidecar`;
  const stale = failingSince !== null || wantsToken;
  document.body.classList.toggle("stale", stale && heardAt !== null);
  show(byId("wants-token"), wantsToken);
  say(byId("updated"), heardAt === null ? "" : (stale ? terms.shown_as_of : terms.updated)(clock(heardAt)));
  if (known.readiness === null) return;
  const troubles = [...known.readiness.reasons.map((reason) => `${capitalised(visible(reason))}.`), ...problemsOf(known)];
  keepTexts(byId("troubles"), troubles);
  show(byId("troubles"), troubles.length > 0);
  say(byId("mode"), known.scale ? terms.in_scale_mode() : terms.in_legacy_mode());
  const full = known.scale ? ` ${loadInWords(known.gateways)}` : "";
  const rooms = known.scale ? `${terms.rooms(sum(known.gateways, "rooms"))}, ` : "";
  const drained = known.gateways.filter((gateway) => gateway.draining).sort(byName).map(({ name }) => visible(name));
  const draining = drained.length === 0 ? "" : ` ${terms.all_draining(shortened(drained))}`;
  const gateways = terms.gateways(known.gateways.length);
  say(byId("sums"), `${gateways}, ${rooms}${terms.users(sum(known.gateways, "users"))}.${full}${draining}`);
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
  let words = terms.not_understood(clock(since));
  if (failure instanceof Unreachable) words = terms.unreachable(clock(since));
  if (failure instanceof Refused) words = `${terms.refusing(clock(since))}: ${failure.message}`;
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
say(byId("decisions-title"), terms.newest_decisions());
refresh();
