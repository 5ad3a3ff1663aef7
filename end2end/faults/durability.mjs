// What happens to comments while processes die: `cargo xtask faults` runs this against the release binary.
//
// Eight clients post comments without pause, each with an idempotency key that is used again until an answer comes. In
// the middle of it the server is killed (SIGKILL), then its Postgres is stopped at once (what `pg_ctl stop -m immediate`
// does), several times each. Afterwards every comment that was acknowledged has to be there exactly once, and no answer may
// have been anything but 201, or 503 with Retry-After.
import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const [binary, folder, address, roundsText] = process.argv.slice(2);
if (!roundsText) throw new Error("usage: durability.mjs BINARY FOLDER ADDRESS ROUNDS (cargo xtask faults passes them)");
const ROUNDS = Number(roundsText);
const CLIENTS = 8;
/** Milliseconds from the fault to the next acknowledged comment: the bar. */
const RECOVERY_BAR = 10_000;

const data = join(folder, "data");
const base = `http://${address}`;
const env = { ...process.env, PLUMBLINE_DATA_DIR: data, PLUMBLINE_LISTEN: address, PLUMBLINE_LOG: "json" };
delete env.DATABASE_URL;

let server;
const stopServer = () => server?.kill("SIGTERM");
process.on("exit", stopServer);
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(1));

function start() {
  server = spawn(binary, ["serve", "--demo"], { env, stdio: ["ignore", "pipe", "ignore"] });
  const lines = createInterface({ input: server.stdout });
  return new Promise((ready, failed) => {
    lines.on("line", (line) => line.startsWith("ready ") && ready());
    server.once("exit", (code) => failed(new Error(`the server ended with ${code}`)));
  });
}

function command(...words) {
  const done = spawnSync(binary, words, { env, encoding: "utf8" });
  if (done.status !== 0) throw new Error(`plumbline ${words.join(" ")}: ${done.stderr}`);
  return done.stdout.trim();
}

await start();
const person = "ada@example.com";
const token = command("admin", "create-token", "--email", person, "--name", "faults", "--scopes", "read,write");
const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };

async function call(method, path, body, more = {}) {
  const answer = await fetch(`${base}/api/v1${path}`, {
    method,
    headers: { ...headers, ...more },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  });
  return { status: answer.status, retryAfter: answer.headers.get("retry-after"), body: await answer.json() };
}

async function expect(status, ...request) {
  const answer = await call(...request);
  if (answer.status !== status) throw new Error(`${request.slice(0, 2).join(" ")}: ${JSON.stringify(answer)}`);
  return answer.body;
}

const draft = { title: "Fault drill", kind: "process", body: "# Fault drill\n\nOne paragraph.\n", services: [] };
const { number } = await expect(201, "POST", "/rfcs", draft);
await expect(200, "POST", `/rfcs/${number}/status`, { to: "in_review" });
const threads = [];
for (let client = 0; client < CLIENTS; client++) {
  const opened = { revision: 1, start: 15, end: 28, body: `Client ${client}`, severity: "note" };
  threads.push((await expect(201, "POST", `/rfcs/${number}/threads`, opened)).id);
}

const acknowledged = new Map();
const wrong = [];
let posting = true;
let lastAcknowledged = 0;
let [repeated, unavailable, cutOff] = [0, 0, 0];

async function post(client) {
  for (let count = 0; posting; count++) {
    const body = `Comment ${client}-${count}`;
    const path = `/threads/${threads[client]}/comments`;
    for (let tries = 0; ; tries++) {
      try {
        const answer = await call("POST", path, { body }, { "idempotency-key": body });
        if (answer.status === 201) {
          acknowledged.set(body, answer.body.id);
          lastAcknowledged = performance.now();
          if (tries > 0) repeated++;
          break;
        }
        if (answer.status === 503 && answer.retryAfter) unavailable++;
        else wrong.push(`${answer.status} ${JSON.stringify(answer.body)}`);
      } catch {
        cutOff++;
      }
      await pause(20);
    }
  }
}

async function recovery(since) {
  while (lastAcknowledged <= since && performance.now() - since < 60_000) await pause(5);
  return performance.now() - since;
}

const clients = threads.map((_, client) => post(client));
const times = { "server killed": [], "Postgres stopped at once": [] };
const faults = {
  "server killed": async () => {
    server.removeAllListeners("exit");
    const gone = new Promise((ended) => server.once("exit", ended));
    server.kill("SIGKILL");
    await gone;
    const since = performance.now();
    await start();
    return since;
  },
  "Postgres stopped at once": async () => {
    const pid = Number(readFileSync(join(data, "postgres", "postmaster.pid"), "utf8").split("\n")[0]);
    // An answer that is already on its way may still arrive: what counts comes after.
    process.kill(pid, "SIGQUIT");
    await pause(50);
    return performance.now();
  },
};
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, fault] of Object.entries(faults)) {
    await pause(300 + 137 * ((round * 7) % 5));
    times[name].push(await recovery(await fault()));
  }
}
await pause(300);
posting = false;
await Promise.all(clients);

const present = new Map();
for (let cursor = ""; cursor !== null; ) {
  const page = await expect(200, "GET", `/rfcs/${number}/threads?revision=1&limit=200&cursor=${cursor}`);
  for (const comment of page.items.flatMap((thread) => thread.comments)) {
    present.set(comment.body, [...(present.get(comment.body) ?? []), comment.id]);
  }
  cursor = page.next_cursor;
}
const lost = [...acknowledged].filter(([body, id]) => !present.get(body)?.includes(id));
const doubled = [...present].filter(([, ids]) => ids.length > 1);
const slow = Object.values(times).flat().filter((time) => time > RECOVERY_BAR);

const sorted = (list) => [...list].sort((a, b) => a - b);
for (const [name, list] of Object.entries(times)) {
  const ordered = sorted(list);
  const seconds = (time) => `${(time / 1000).toFixed(2)} s`;
  const median = seconds(ordered[Math.floor(ordered.length / 2)]);
  console.log(`${name}, ${list.length} times: next comment acknowledged after ${median} (median), ${seconds(ordered.at(-1))} (longest)`);
}
console.log(`${acknowledged.size} comments acknowledged, ${repeated} of them only when asked again; ${cutOff} requests cut off, ${unavailable} times 503`);
console.log(`lost: ${lost.length}, twice there: ${doubled.length}, other answers: ${wrong.length}, slower than ${RECOVERY_BAR / 1000} s: ${slow.length}`);
for (const answer of wrong.slice(0, 5)) console.log(`  ${answer}`);

const gone = new Promise((ended) => server.once("exit", ended));
stopServer();
await gone;
if (acknowledged.size === 0 || lost.length || doubled.length || wrong.length || slow.length) process.exit(1);
