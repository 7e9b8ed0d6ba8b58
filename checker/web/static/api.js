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

/**
 * Score a file. Where it breaks off, what came before is there.
 * @param {File} file
 * @param {Record<string, string>} fields of the form: columns and language; empty ones are not sent
 * @param {object[]} results gets a result or an error record for each row, in order
 * @param {(done: number, total: number) => void} progress
 * @param {AbortSignal} signal
 */
export async function scoreFile(file, fields, results, progress, signal) {
  const headers = { Accept: "application/x-ndjson" };
  const response = await send("v1/score/file", { method: "POST", body: form(file, fields), headers, signal });
  const total = Number(response.headers.get("Statement-Checker-Rows"));
  progress(0, total);
  for await (const lines of linesOf(response)) {
    for (const one of lines.map((line) => JSON.parse(line))) {
      if (!("id" in one)) throw new Refused(0, one.error, one.fix);
      results.push(one);
    }
    progress(results.length, total);
  }
  if (results.length < total) throw new Refused(0, t("no_answer"));
}

/** `{accounts}`: the judgement on the posts of each account, by name. */
export function judgeAccounts(results, window, signal) {
  return call("v1/accounts", { method: "POST", body: form(scores(results.map(short)), { window }), signal });
}

/** The page of `checker report`, as text. */
export async function reportOf(results, date, signal) {
  return (await send("v1/report", { method: "POST", body: form(scores(results), { date }), signal })).text();
}

function form(file, fields) {
  const body = new FormData();
  body.append("file", file);
  for (const [name, value] of Object.entries(fields)) if (value) body.append(name, value);
  return body;
}

function scores(results) {
  return new File([results.map((one) => JSON.stringify(one)).join("\n")], "scores.jsonl");
}

/** A result without what is largest in it, which a judgement on its account does not take. */
function short(outcome) {
  if (!outcome.verdict) return outcome;
  return { ...outcome, sentences: outcome.sentences.map(({ differences, words, pivot_text, back_translation, ...one }) => one) };
}

/** The lines of an answer, some at a time, as they come. */
async function* linesOf(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  while (true) {
    const { done, value } = await reader.read().catch(silent);
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    yield lines;
  }
}

function silent(error) {
  if (error.name === "AbortError") throw error;
  throw new Refused(0, t("no_answer"));
}

async function call(path, options) {
  return (await send(path, options)).json();
}

async function send(path, options) {
  const headers = { Accept: "application/json", ...options.headers };
  if (token) headers.Authorization = `Bearer ${token}`;
  let response;
  try {
    response = await fetch(path, { ...options, headers, credentials: "omit", cache: "no-store" });
  } catch (error) {
    silent(error);
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  const wait = response.headers.get("Retry-After");
  throw new Refused(
    response.status,
    problem.error ?? t("refused", { status: response.status }),
    problem.fix ?? (wait ? t("again_in", { n: wait }) : t("again_later")),
  );
}
