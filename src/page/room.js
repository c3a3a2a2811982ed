// ---- One room: where it is, and why.

let chosen = null;  // { room, country, from } while one is shown; from: where the focus was when it was asked for

async function askRoom() {
  const about = chosen;
  if (about === null) return null;
  const { room, country } = about;
  // A question that is always refused is asked only once, since the browser logs each refusal.
  if (!isRoom(room)) about.problem = "No room can have this name.";
  if (about.problem !== undefined) return { about, problem: about.problem };
  try {
    const query = country === "" ? "" : `?country_code=${inPath(country)}`;
    const found = { about, row: null, explained: await ask("GET", `/v2/rooms/${inPath(room)}/explain${query}`) };
    found.decisions = (await ask("GET", `/v2/decisions?limit=5&room=${inPath(room)}`)).decisions;
    // An unknown room would be answered 404, which the browser logs, too.
    if (found.explained.error !== "room_not_found") found.row = await ask("GET", `/v2/rooms/${inPath(room)}`);
    return found;
  } catch (failure) {
    // These are problems of this room only; the page shows all others as a whole.
    if (failure.status !== 400 && failure.status !== 404) throw failure;
    if (failure.status === 400) about.problem = failure.message;
    return { about, problem: failure.message };
  }
}

function whereIsIt(row, scale) {
  if (row === null) return "The sidecar does not know this room: it is not configured, or it is disabled or removed.";
  const name = row.name === null ? "" : ` It is called “${visible(row.name)}”.`;
  const byDefault = row.default_gateway === null ? " It has no default gateway."
    : ` Its default gateway is ${visible(row.default_gateway)}.`;
  if (row.janus === null) return `It is on no gateway now.${name}${byDefault}`;
  const since = scale && row.assigned_at !== null ? ` since ${clock(row.assigned_at)}` : "";
  return `It is on ${visible(row.janus)}${since}, with ${count(row.users, "user")} now.${name}${byDefault}`;
}

function whereWouldOneGo(explained) {
  const { janus, regional_match: match } = explained;
  const from = `A user who comes now${chosen.country === "" ? "" : ` from ${chosen.country.toUpperCase()}`}`;
  if (janus === null) return `${from} is refused: ${refusedBecause(explained)}.`;
  const region = match ? " (it serves such a user first)" : "";
  return `${from} is sent to ${visible(janus)}: ${chosenBecause(explained)}${region}.`;
}

function showRoom(found, scale) {
  show(byId("found"), found !== null);
  if (found === null) return;
  say(byId("found-title"), `Room ${quoted(chosen.room)}`);
  say(byId("found-problem"), found.problem ?? "");
  show(byId("found-problem"), found.problem !== undefined);
  show(byId("found-facts"), found.problem === undefined);
  if (found.problem !== undefined) return;
  const { row, explained, decisions } = found;
  say(byId("found-where"), whereIsIt(row, scale));
  say(byId("found-next"), whereWouldOneGo(explained));
  showCandidates(byId("found-gateways").querySelector("ul"), explained.candidates);
  show(byId("found-gateways"), explained.candidates.length > 0);
  show(byId("found-undecided"), decisions.length === 0);
  showDecisions(byId("found-decisions"), decisions, false);
  const button = byId("release");
  button.row = row;
  show(button, scale && row !== null && row.assigned_at !== null);
}

function findRoom(room, country) {
  chosen = { room, country, from: document.activeElement };
  byId("room").value = room;
  byId("country").value = country;
  refresh();
}

// Once, as soon as the answer is there; not if the reader is elsewhere by then.
function takeReaderThere() {
  const { from } = chosen ?? {};
  if (from === undefined) return;
  delete chosen.from;
  if (document.activeElement !== from) return;
  byId("found-title").focus();
  byId("search").scrollIntoView({ block: "nearest" });
}

byId("search-form").addEventListener("submit", (event) => {
  event.preventDefault();
  findRoom(byId("room").value.trim(), byId("country").value.trim());
});
byId("close-found").addEventListener("click", () => {
  chosen = null;
  showRoom(null);
  byId("room").focus();
});

byId("release").addEventListener("click", () => {
  const { room, users } = byId("release").row;
  const janus = visible(byId("release").row.janus);
  const occupied = users > 0;
  confirmAction({
    title: `Release room ${quoted(room)}?`, button: `Release ${quoted(room)}`,
    text: [`The sidecar forgets that it is on ${janus}. The next request places it anew, perhaps elsewhere.`,
      ...(occupied ? [`There ${users === 1 ? "is" : "are"} ${count(users, "user")} in it. They stay on ${janus}, while`
        + " new users may get another gateway: the meeting is split until all have joined anew."] : [])],
    choice: occupied ? "Release it all the same." : "", must: occupied,
    action: async (force) => {
      try {
        await ask("DELETE", `/v2/assignments/${inPath(room)}${force ? "?force=true" : ""}`);
      } catch (failure) {
        if (failure.code === "assignment_not_found") throw new Undone("Nothing to do: it is on no gateway any more.");
        if (failure.code !== "room_occupied") throw failure;
        throw new Undone(`Not done: users are in it by now. Wait until it is empty, or tick the box: they stay on ${janus},`
          + " while new users may get another gateway.", "Release it all the same.");
      }
      return `Room ${quoted(room)} is released; the next request places it anew.`;
    },
  });
});
