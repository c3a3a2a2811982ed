// ---- Decisions, and what each gateway looked like then.

function showCandidates(list, candidates) {
  keep(list, candidates, (candidate) => candidate.name,
    () => make("li", {}, make("b"), " ", make("span")),
    (row, { name, load, capacity, verdict }) => {
      say(row.firstChild, visible(name));
      say(row.lastChild, `${terms.load_of(number(load), number(capacity))}: ${terms.verdict(verdict)}`);
      set(row, "data-verdict", verdict);
    });
}

function createDecision(decision, showsRoom) {
  const row = make("li", { "data-level": decision.error !== null ? "bad" : "good" });
  const line = make("p", {}, make("time", { datetime: decision.time }, clock(decision.time)), " ");
  if (showsRoom) {
    const button = make("button", { type: "button", class: "room" }, quoted(decision.room));
    set(button, "aria-label", terms.ask_where(quoted(decision.room)));
    button.addEventListener("click", () => findRoom(decision.room, ""));
    line.append(button, " ");
  }
  line.append(decided(decision));
  row.append(line, make("p", { class: "asked" }, asked(decision)));
  if (!showsRoom && decision.candidates.length > 0) {
    const list = make("ul", { class: "candidates" });
    showCandidates(list, decision.candidates);
    const details = make("details", {}, make("summary", {}, terms.each_gateway_then()), list);
    const leftOut = decision.candidates_left_out;
    if (leftOut > 0) details.append(make("p", {}, terms.more_gateways(leftOut)));
    row.append(details);
  }
  return row;
}

// A decision never changes. The time is in its key since a restarted sidecar counts anew.
function showDecisions(list, decisions, showsRoom) {
  keep(list, decisions, ({ id, time }) => `${id} ${time}`, (decision) => createDecision(decision, showsRoom),
    (row, { time }) => say(row.querySelector("time"), clock(time)));  // it begins with the day once that is over
}

function showSplits(splits) {
  show(byId("splits"), splits.length > 0);
  keepTexts(byId("split-list"), splits.map(({ room, janus, gateways, since }) => {
    const parts = gateways.map(({ name, participants }) => `${visible(name)} (${number(participants)})`).join(", ");
    const split = terms.split(quoted(room), janus === null ? terms.no_gateway() : visible(janus), parts);
    return terms.join_anew(terms.split_since(split, clock(since)));
  }));
}
