// ---- The gateways.

const gatewayList = byId("gateway-list");

let occupancy = 1;  // what a room counts for, as the sidecar says
const isFull = (gateway) => gateway.load + occupancy > gateway.capacity;
const takesRooms = (gateway) => gateway.available && !gateway.disabled && !gateway.draining && gateway.state !== "down";

// The conditions of a gateway, the worst first: [level, words]. Levels: bad, warn, quiet, good.
function conditions(gateway, scale) {
  const found = [];
  const { state } = gateway;
  if (state === "down") found.push(["bad", terms.condition(state, terms.verdict(state))]);
  if (scale && isFull(gateway)) found.push(["bad", terms.full()]);
  if (state === "suspect") found.push(["warn", terms.condition(state, terms.verdict(state))]);
  if (gateway.draining) {
    const draining = scale ? terms.no_new_rooms(terms.draining()) : terms.draining_in_legacy();
    found.push(["warn", gateway.rooms === 0 && scale ? terms.empty(draining) : draining]);
  }
  if (gateway.disabled) found.push(["warn", terms.disabled()]);
  if (!gateway.available && !gateway.disabled) found.push(["quiet", terms.no_new_rooms(terms.not_listed())]);
  if (state === "up") found.push(["good", terms.up()]);
  if (state === "unknown") found.push(["quiet", terms.health_unknown()]);
  return found;
}

const amount = (gateway, scale) => (scale ? gateway.load : gateway.users);
const share = (gateway, scale) => amount(gateway, scale) / Math.max(gateway.capacity, 1);
// Such a gateway is shown in short where there are many and little space.
const isWell = (gateway, scale) => gateway.available && share(gateway, scale) < 0.8
  && conditions(gateway, scale).every(([level]) => level === "good" || level === "quiet");
const many = 12;
const byName = (a, b) => a.name.localeCompare(b.name, "en", { numeric: true });
const levels = ["bad", "warn", "quiet", "good"];

const orders = {
  name: () => byName,
  load: (scale) => (a, b) => share(b, scale) - share(a, scale) || byName(a, b),
  worst: (scale) => (a, b) => {
    const rank = (gateway) => levels.indexOf(conditions(gateway, scale)[0]?.[0] ?? "good");
    const quiet = (gateway) => Math.min(rank(gateway), 2) + (gateway.available || gateway.disabled ? 0.5 : 0);
    return quiet(a) - quiet(b) || orders.load(scale)(a, b);
  },
};

function matches(gateway, scale, wanted) {
  const words = [gateway.name, ...gateway.regions, ...conditions(gateway, scale).map(([, text]) => text)];
  return wanted.toLowerCase().split(/\s+/).every((part) => words.some((word) => word.toLowerCase().includes(part)));
}

// No button moves away while a reader is about to press it. A mouse or a focus that rests there does not count: it may
// rest for hours.
const handRests = 15_000;
let handMoved = -Infinity;
for (const event of ["pointermove", "pointerdown", "wheel", "keydown"]) {
  document.addEventListener(event, () => { handMoved = performance.now(); }, { capture: true, passive: true });
}
const handIsThere = () => performance.now() - handMoved < handRests
  && (gatewayList.matches(":hover") || gatewayList.contains(document.activeElement));

function inOrder(gateways, scale, force) {
  const sorted = gateways.toSorted(orders[byId("order").value](scale));
  if (force || !handIsThere()) return sorted;
  const places = new Map([...(gatewayList.kept?.keys() ?? [])].map((name, i) => [name, i]));
  const place = (gateway) => places.get(gateway.name) ?? Infinity;
  return sorted.sort((a, b) => (place(a) === place(b) ? 0 : place(a) - place(b)));
}

function createGateway() {
  const row = make("li", { class: "gateway" });
  row.parts = {
    name: make("h3"), regions: make("span", { class: "regions" }), conditions: make("ul", { class: "conditions" }),
    bar: make("div", { class: "bar", "aria-hidden": "true" }, make("div")), load: make("p"), people: make("p"),
    sparkline: makeSparkline(), button: make("button", { type: "button" }),
    move: make("button", { type: "button", hidden: "" }, terms.move_rooms()),
  };
  const { name, regions, conditions: words, bar, load, people, sparkline, button, move } = row.parts;
  row.append(make("div", { class: "who" }, make("div", {}, name, regions), words),
    make("div", { class: "how-full" }, bar, load, people), sparkline,
    make("div", { class: "gateway-actions" }, button, move));
  button.addEventListener("click", () => confirmSteering(row.gateway, row.scale));
  move.addEventListener("click", () => confirmMoving(row.gateway));
  return row;
}

function updateGateway(row, gateway, scale, history) {
  const { name, regions, conditions: words, bar, load, people, sparkline, button, move } = row.parts;
  const found = conditions(gateway, scale);
  const called = visible(gateway.name);
  Object.assign(row, { gateway, scale });
  set(row, "data-well", String(isWell(gateway, scale)));
  say(name, called);
  say(regions, gateway.regions.length === 0 ? terms.no_region() : visible(gateway.regions.join(", ")));
  keep(words, found, ([, text]) => text, ([level, text]) => make("li", { "data-level": level }, text));
  set(bar, "data-level", share(gateway, scale) >= 1 ? "bad" : share(gateway, scale) >= 0.8 ? "warn" : "good");
  bar.firstChild.style.width = `${Math.min(100, 100 * share(gateway, scale)).toFixed(1)}%`;
  say(load, terms.share(scale ? terms.load(number(gateway.load)) : terms.users(gateway.users), number(gateway.capacity),
    percent(amount(gateway, scale), gateway.capacity)));
  say(people, scale ? `${terms.rooms(gateway.rooms)}, ${terms.users(gateway.users)}` : "");
  const series = history.series.get(gateway.name);
  const what = scale ? "load" : "users";
  const readings = series?.[what] ?? history.times.map(() => null);
  drawSparkline(sparkline, history.times, readings, gateway.capacity, what, called);
  say(button, gateway.draining ? "Undrain …" : "Drain …");
  set(button, "aria-label", `${gateway.draining ? "Undrain" : "Drain"} ${called} …`);
  set(move, "aria-label", terms.move_rooms_off(called));
  show(move, scale && gateway.draining && gateway.rooms > 0);
}

function showGateways({ gateways, scale, history }, force = false) {
  const wanted = byId("filter").value.trim();
  const shown = gateways.filter((gateway) => matches(gateway, scale, wanted));
  gatewayList.classList.toggle("many", gateways.length > many);
  keep(gatewayList, inOrder(shown, scale, force), (gateway) => gateway.name, createGateway,
    (row, gateway) => updateGateway(row, gateway, scale, history));
  say(byId("gateways-title"), shown.length === gateways.length ? terms.gateways_title(gateways.length)
    : terms.some_gateways_title(gateways.length, number(shown.length)));
  say(byId("none-shown"), gateways.length === 0 ? terms.no_gateways() : terms.none_matches(wanted));
  show(byId("none-shown"), shown.length === 0);
}

const drainPath = (gateway) => `/v2/gateways/${inPath(gateway.name)}/drain`;

async function drain(gateway, wantsMove) {
  const { move } = await ask("PUT", drainPath(gateway), { move: wantsMove });
  return (move ? terms.drained_and_moved : terms.drained)(visible(gateway.name));
}

function confirmSteering(gateway, scale) {
  const name = visible(gateway.name);
  const legacy = scale ? [] : [terms.drain_in_legacy()];
  if (gateway.draining) {
    confirmAction({
      title: terms.undrain_title(name), button: terms.undrain_button(name), text: [terms.undrained(name), ...legacy],
      action: async () => {
        await ask("DELETE", drainPath(gateway));
        return terms.undrained(name);
      },
    });
    return;
  }
  confirmAction({
    title: terms.drain_title(name), button: terms.drain_button(name),
    text: [terms.drain_until(name), terms.what_stays(terms.rooms(gateway.rooms), terms.users(gateway.users)), ...legacy],
    choice: scale && gateway.rooms > 0 ? terms.drain_choice() : "",
    action: (move) => drain(gateway, move),
  });
}

function confirmMoving(gateway) {
  const name = visible(gateway.name);
  confirmAction({
    title: terms.move_title(name), button: terms.move_button(),
    text: [terms.what_moves(terms.rooms(gateway.rooms), terms.users(gateway.users)), terms.goes_on_draining(name)],
    action: () => drain(gateway, true),
  });
}
