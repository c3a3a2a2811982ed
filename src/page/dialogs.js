// ---- Dialogs: what is about to be done, and the token.

// Told of any deed: what came of it, in words.
function notice(text) {
  say(byId("notice").querySelector("p"), text);
}
byId("notice").querySelector("button").addEventListener("click", () => notice(""));

const confirmation = { dialog: byId("confirm"), deed: null, busy: false };

// Says what will happen, and does it when that is confirmed. `deed(chosen)` returns what to tell afterwards;
// `choice`: the words of a box to tick; `must`: without it nothing is done.
function confirmDeed({ title, text, button, choice = "", must = false, deed }) {
  const { dialog } = confirmation;
  if (confirmation.busy) return;  // closed by Escape while it is being done
  confirmation.deed = deed;
  say(byId("confirm-title"), title);
  byId("confirm-text").replaceChildren(...text.map((sentence) => make("p", {}, sentence)));
  say(byId("confirm-problem"), "");
  const box = dialog.querySelector("input");
  box.checked = false;
  box.required = must;
  say(dialog.querySelector(".choice span"), choice);
  show(byId("confirm-choice"), choice !== "");
  say(dialog.querySelector(".deed"), button);
  dialog.showModal();
}

confirmation.dialog.querySelector(".cancel").addEventListener("click", () => confirmation.dialog.close());
confirmation.dialog.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (confirmation.busy) return;
  const { dialog, deed } = confirmation;
  confirmation.busy = true;
  say(byId("confirm-problem"), "");
  try {
    notice(await deed(dialog.querySelector("input").checked));
    dialog.close();
  } catch (failure) {
    const problem = failure instanceof Refused ? `Not done. ${failure.message}`
      : "The sidecar did not answer. Whether it was done is not known: look before you try again.";
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
  say(byId("token-problem"), wasRefused ? "The sidecar does not take this token." : "");
  byId("token").value = "";
  tokenDialog.showModal();
}

tokenDialog.querySelector(".cancel").addEventListener("click", () => tokenDialog.close());
tokenDialog.addEventListener("submit", (event) => {
  event.preventDefault();
  const token = byId("token").value.trim();
  // What no token holds, as a hyphen that a text program made of one, no header takes either.
  if (!/^[\w\-.~+/=]+$/.test(token)) {
    say(byId("token-problem"), "A token is of A-Z a-z 0-9 - . _ ~ + / = only. Was something else pasted with it?");
    return;
  }
  sessionStorage.setItem(tokenKey, token);
  tokenDialog.close();
  refresh();
});
byId("give-token").addEventListener("click", () => askForToken(false));
