// ---- Dialogs: what is about to be done, and the token.

// Shows what came of an action and when. It stays until it is closed or the next one replaces it.
function notice(text) {
  say(byId("notice").querySelector("p"), text === "" ? "" : `${clock(Date.now())} ${text}`);
}
let cameFrom = null;
byId("notice").addEventListener("focusin", ({ relatedTarget }) => {
  if (relatedTarget !== null) cameFrom = relatedTarget;
});
byId("notice").querySelector("button").addEventListener("click", () => {
  notice("");
  const isThere = cameFrom !== null && cameFrom.isConnected && cameFrom.checkVisibility();
  (isThere ? cameFrom : byId("state-title")).focus({ preventScroll: true });
});

// An action that was refused. The words say what can be done here; `choice`: a box to tick before another try.
class Undone extends Error {
  constructor(words, choice = "") {
    super(words);
    this.choice = choice;
  }
}

const confirmation = { dialog: byId("confirm"), action: null, busy: false, opener: null };

function offerChoice(choice, must) {
  const { dialog } = confirmation;
  const box = dialog.querySelector("input");
  box.checked = false;
  box.required = must;
  say(dialog.querySelector(".choice span"), choice);
  show(byId("confirm-choice"), choice !== "");
}

// Says what will happen, and does it when that is confirmed. `action(chosen)` returns the notice to show afterwards.
// `choice`: the words of a box to tick; `must`: the box has to be ticked.
function confirmAction({ title, text, button, choice = "", must = false, action }) {
  const { dialog } = confirmation;
  if (confirmation.busy) return;  // closed by Escape while it is being done
  Object.assign(confirmation, { action, opener: document.activeElement });
  say(byId("confirm-title"), title);
  byId("confirm-text").replaceChildren(...text.map((sentence) => make("p", {}, sentence)));
  say(byId("confirm-problem"), "");
  offerChoice(choice, must);
  say(dialog.querySelector(".action"), button);
  dialog.showModal();
}

confirmation.dialog.querySelector(".cancel").addEventListener("click", () => confirmation.dialog.close());
// Where it was opened may be gone meanwhile.
confirmation.dialog.addEventListener("close", () => {
  if (document.activeElement === document.body) land(confirmation.opener);
});
confirmation.dialog.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (confirmation.busy) return;
  const { dialog, action } = confirmation;
  confirmation.busy = true;
  say(byId("confirm-problem"), "");
  try {
    notice(await action(dialog.querySelector("input").checked));
    dialog.close();
  } catch (failure) {
    const problem = failure instanceof Undone ? failure.message
      : failure instanceof Refused ? terms.not_done(failure.message)
      : terms.perhaps_done();
    if (failure.choice) offerChoice(failure.choice, true);
    if (dialog.open) say(byId("confirm-problem"), problem);
    else notice(problem);
  } finally {
    confirmation.busy = false;
    refresh();
  }
});

const tokenDialog = byId("token-dialog");

function askForToken(wasRefused) {
  if (tokenDialog.open) return;
  confirmation.dialog.close();
  say(byId("token-problem"), wasRefused ? terms.token_refused() : "");
  byId("token").value = "";
  tokenDialog.showModal();
}

tokenDialog.querySelector(".cancel").addEventListener("click", () => tokenDialog.close());
tokenDialog.addEventListener("submit", (event) => {
  event.preventDefault();
  const token = byId("token").value.trim();
  // A header refuses other characters, such as a dash that a text program made of a hyphen.
  if (!/^[\w\-.~+/=]+$/.test(token)) {
    say(byId("token-problem"), terms.token_malformed());
    return;
  }
  sessionStorage.setItem(tokenKey, token);
  tokenDialog.close();
  refresh();
});
byId("give-token").addEventListener("click", () => askForToken(false));
