// The service. The token lives in this module and ends with the page.

import { t } from "./names.js";

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

/** The result of a post; its language is found out where none is given. */
export function scorePost(text, language, signal) {
  const body = JSON.stringify(language ? { text, language } : { text });
  return call("v1/score", { method: "POST", body, headers: { "Content-Type": "application/json" }, signal });
}

/** How well a text matches its source, as in docs/quality.md. */
export function compareTexts(source, target, signal) {
  const body = JSON.stringify({ source, target });
  return call("v1/quality", { method: "POST", body, headers: { "Content-Type": "application/json" }, signal });
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
    throw new Refused(0, t("no_answer"));
  }
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  const wait = response.headers.get("Retry-After");
  throw new Refused(
    response.status,
    problem.error ?? t("refused", { status: response.status }),
    problem.fix ?? (wait ? t("again_in", { n: wait }) : t("again_later")),
  );
}
