// ---- One room: where it is, and why.

let chosen = null;  // { room, country, from } while one is shown; from: where the focus was when it was asked for

async function askRoom() {
  const about = chosen;
  if (about === null) return null;
  const { room, country } = about;
  // A question that is always refused is asked only once, since the browser logs each refusal.
  if (!isRoom(room)) about.problem = terms.no_such_name();
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
  if (row === null) return terms.unknown_room();
  const janus = row.janus === null ? null : visible(row.janus);
  const users = terms.users(row.users);
  return [
    janus === null ? terms.is_on_none()
      : scale && row.assigned_at !== null ? terms.is_on_since(janus, clock(row.assigned_at), users)
      : terms.is_on(janus, users),
    ...(row.name === null ? [] : [terms.called(visible(row.name))]),
    row.default_gateway === null ? terms.no_default_gateway() : terms.default_gateway(visible(row.default_gateway)),
  ].join(" ");
}

function whereWouldOneGo(explained) {
  const { janus, regional_match: match } = explained;
  const room = quoted(chosen.room);
  const country = chosen.country.toUpperCase();
  const user = country === "" ? terms.new_user(room) : terms.new_user_from(room, country);
  if (janus === null) return `${terms.is_refused(user)}: ${refusedBecause(explained)}.`;
  const region = match && country !== "" ? ` ${terms.serves_callers(visible(janus), country)}` : "";
  return `${terms.is_sent(user, visible(janus))}: ${chosenBecause(explained)}.${region}`;
}

function showRoom(found, scale) {
  show(byId("found"), found !== null);
  if (found === null) return;
  say(byId("found-title"), terms.room(quoted(chosen.room)));
  say(byId("found-problem"), found.problem ?? "");
  show(byId("found-problem"), found.problem !== undefined);
  show(byId("found-facts"), found.problem === undefined);
  if (found.problem !== undefined) return;
  const { row, explained, decisions } = found;
  say(byId("found-where"), whereIsIt(row, scale));
  say(byId("found-next"), whereWouldOneGo(explained));
  showCandidates(byId("found-gateways").querySelector("ul"), explained.candidates);
  show(byId("found-gateways"), explained.candidates.length > 0);
  say(byId("found-undecided"), terms.no_decision(quoted(chosen.room)));
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
  const called = quoted(room);
  const janus = visible(byId("release").row.janus);
  const occupied = users > 0;
  confirmAction({
    title: terms.release_title(called), button: terms.release_button(called),
    text: [terms.release_forgets(janus), ...(occupied ? [terms.release_splits(users, janus)] : [])],
    choice: occupied ? terms.release_choice() : "", must: occupied,
    action: async (force) => {
      try {
        await ask("DELETE", `/v2/assignments/${inPath(room)}${force ? "?force=true" : ""}`);
      } catch (failure) {
        if (failure.code === "assignment_not_found") throw new Undone(terms.released_before());
        if (failure.code !== "room_occupied") throw failure;
        throw new Undone(terms.occupied_by_now(janus), terms.release_choice());
      }
      return terms.room_released(called);
    },
  });
});
