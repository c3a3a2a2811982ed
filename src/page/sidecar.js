// ---- Asking the sidecar.

class Unreachable extends Error {}

class Refused extends Error {
  constructor(status, answer) {
    super(answer?.message ?? terms.answered_status(status));
    this.status = status;
    this.code = answer?.error;
    this.answer = answer;
  }
}

const tokenKey = "room-sidecar-token";

// The mode stays "cors". By the Fetch standard any other one with no-referrer sends `Origin: null`, which is refused.
async function ask(method, path, body) {
  const token = sessionStorage.getItem(tokenKey);
  const headers = token === null ? {} : { Authorization: `Bearer ${token}` };
  let answer, read;
  try {
    answer = await fetch(path, {
      method, headers, cache: "no-store", credentials: "omit", redirect: "error", signal: AbortSignal.timeout(10_000),
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    read = await answer.json();
  } catch (failure) {
    throw new Unreachable(failure.message);
  }
  // The first request needs no token and says so in a header: the browser would log each answer that is 401.
  if (answer.headers.get("Room-Sidecar-Token") === "wanted") throw new Refused(401, null);
  if (!answer.ok) throw new Refused(answer.status, read);
  return read;
}

// For a path. A browser would take "." and ".." for folders, and no room has such a name.
const inPath = (name) => encodeURIComponent(name.toWellFormed());
const bytes = (text) => new TextEncoder().encode(text).length;
const isRoom = (name) => !/^\.{0,2}$|\p{Cc}/u.test(name) && bytes(name) <= 255;

async function askReadiness() {
  try {
    return await ask("GET", "/readyz");
  } catch (failure) {
    if (failure.answer?.status === "unavailable") return failure.answer;
    throw failure;
  }
}
