// The service. The token lives in this module and ends with the page.

let token = "";

/** An answer that is not the one asked for: what is wrong, and what to do about it. */
export class Refused extends Error {
  constructor(status, problem, fix) {
    super([problem, fix].filter(Boolean).join(" "));
    this.status = status;
  }
}

/** Use a bearer token from now on. */
export function useToken(given) {
  token = given.trim();
}

/** The result of a post. */
export function scorePost(text, signal) {
  const body = JSON.stringify({ text });
  return call("v1/score", { method: "POST", body, headers: { "Content-Type": "application/json" }, signal });
}

/** `{results}`: a result or an error record for each row of a file, in order. */
export function scoreFile(file, column, signal) {
  const body = new FormData();
  body.append("file", file);
  body.append("text_column", column);
  return call("v1/score/file", { method: "POST", body, signal });
}

async function call(path, options) {
  const headers = { Accept: "application/json", ...options.headers };
  if (token) headers.Authorization = `Bearer ${token}`;
  let response;
  try {
    response = await fetch(path, { ...options, headers, credentials: "omit", cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, "The service does not answer.", "See whether it still runs, then try again.");
  }
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  const wait = response.headers.get("Retry-After");
  throw new Refused(
    response.status,
    problem.error ?? `The service answered with status ${response.status}.`,
    problem.fix ?? (wait ? `Try again in ${wait} s.` : "Try again later."),
  );
}
