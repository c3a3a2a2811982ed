// ---- The gateways.

const gatewayList = byId("gateway-list");

let occupancy = 1;  // what a room counts for, as the sidecar says
const isFull = (gateway) => gateway.load + occupancy > gateway.capacity;
const takesRooms = (gateway) => gateway.available && !gateway.disabled && !gateway.draining && gateway.state !== "down";

// The conditions of a gateway, the worst first: [level, words]. Levels: bad, warn, quiet, good.
function conditions(gateway, scale) {
  const found = [];
  if (gateway.state === "down") found.push(["bad", "down: does not answer"]);
  if (scale && isFull(gateway)) found.push(["bad", "full"]);
  if (gateway.state === "suspect") found.push(["warn", "suspect: may be down"]);
  if (gateway.draining) {
    const empty = gateway.rooms === 0 && scale ? ", empty" : "";
    found.push(["warn", scale ? `draining: no new rooms${empty}` : "draining: counts in scale mode"]);
  }
  if (gateway.disabled) found.push(["warn", "disabled"]);
  if (!gateway.available && !gateway.disabled) found.push(["quiet", "not listed: no new rooms"]);
  if (gateway.state === "up") found.push(["good", "up"]);
  if (gateway.state === "unknown") found.push(["quiet", "health unknown"]);
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
    move: make("button", { type: "button", hidden: "" }, "Move rooms …"),
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
  say(regions, gateway.regions.length === 0 ? "no region" : visible(gateway.regions.join(", ")));
  keep(words, found, ([, text]) => text, ([level, text]) => make("li", { "data-level": level }, text));
  set(bar, "data-level", share(gateway, scale) >= 1 ? "bad" : share(gateway, scale) >= 0.8 ? "warn" : "good");
  bar.firstChild.style.width = `${Math.min(100, 100 * share(gateway, scale)).toFixed(1)}%`;
  const of = `of ${number(gateway.capacity)} (${percent(amount(gateway, scale), gateway.capacity)})`;
  say(load, scale ? `load ${number(gateway.load)} ${of}` : `${count(gateway.users, "user")} ${of}`);
  say(people, scale ? `${count(gateway.rooms, "room")}, ${count(gateway.users, "user")}` : "");
  const series = history.series.get(gateway.name);
  const readings = series?.[scale ? "load" : "users"] ?? history.times.map(() => null);
  drawSparkline(sparkline, history.times, readings, gateway.capacity, `${scale ? "load" : "users"} of ${called}`);
  say(button, gateway.draining ? "Undrain …" : "Drain …");
  set(button, "aria-label", `${gateway.draining ? "Undrain" : "Drain"} ${called} …`);
  set(move, "aria-label", `Move rooms off ${called} …`);
  show(move, scale && gateway.draining && gateway.rooms > 0);
}

function showGateways({ gateways, scale, history }, force = false) {
  const wanted = byId("filter").value.trim();
  const shown = gateways.filter((gateway) => matches(gateway, scale, wanted));
  gatewayList.classList.toggle("many", gateways.length > many);
  keep(gatewayList, inOrder(shown, scale, force), (gateway) => gateway.name, createGateway,
    (row, gateway) => updateGateway(row, gateway, scale, history));
  say(byId("gateways-title"), shown.length === gateways.length ? `Gateways (${gateways.length})`
    : `Gateways (${shown.length} of ${gateways.length})`);
  say(byId("none-shown"), gateways.length === 0 ? "None is configured." : `None of them matches “${wanted}”.`);
  show(byId("none-shown"), shown.length === 0);
}

const drainPath = (gateway) => `/v2/gateways/${inPath(gateway.name)}/drain`;

async function drain(gateway, wantsMove) {
  const { move } = await ask("PUT", drainPath(gateway), { move: wantsMove });
  const rest = move ? "move to others, as far as these can take them" : "stay";
  return `${visible(gateway.name)} gets no new rooms; those there ${rest}.`;
}

function confirmSteering(gateway, scale) {
  const name = visible(gateway.name);
  const legacy = scale ? []
    : ["The sidecar is in legacy mode, where draining changes nothing: it counts once scale mode is on."];
  if (gateway.draining) {
    confirmAction({
      title: `Undrain ${name}?`, button: `Undrain ${name}`,
      text: [`${name} gets new rooms again.`, ...legacy],
      action: async () => {
        await ask("DELETE", drainPath(gateway));
        return `${name} gets new rooms again.`;
      },
    });
    return;
  }
  confirmAction({
    title: `Drain ${name}?`, button: `Drain ${name}`,
    text: [`${name} gets no new rooms until it is undrained, also after a restart.`,
      `What is there stays until it ends by itself: ${count(gateway.rooms, "room")}, ${count(gateway.users, "user")}.`,
      ...legacy],
    choice: scale && gateway.rooms > 0 ? "Move its rooms to other gateways now: their users have to join anew." : "",
    action: (move) => drain(gateway, move),
  });
}

function confirmMoving(gateway) {
  const name = visible(gateway.name);
  confirmAction({
    title: `Move the rooms off ${name}?`, button: "Move them",
    text: [`What is there moves to other gateways now, as far as these can take it: ${count(gateway.rooms, "room")}, `
      + `${count(gateway.users, "user")}. Rooms that are fixed there by configuration stay.`,
      `Its users have to join anew. ${name} goes on draining.`],
    action: () => drain(gateway, true),
  });
}
