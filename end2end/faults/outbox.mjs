// What becomes of notices, webhooks and timed jobs while processes die: `cargo xtask faults outbox` runs this against the
// release binary.
//
// Three `plumbline serve` share one database. Comments are posted to them at a steady rate; every few seconds one of the
// three is killed (SIGKILL or SIGTERM) and started again; the receiver of the webhook refuses one call in twenty; the
// clock is moved on by a day several times, so that timed jobs and chases of follow-ups come due. Afterwards: every comment
// that was acknowledged is there once and has its event, its notice (once) and its webhook call (at least once; a repeated
// one carries the same id and signature of the same body), and every timed job and chase has happened once.
import { createHmac } from "node:crypto";
import { spawn, spawnSync } from "node:child_process";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";

const [binary, psql, database, secondsText, rateText] = process.argv.slice(2);
if (!rateText) throw new Error("usage: outbox.mjs BINARY PSQL DATABASE_URL SECONDS RATE (cargo xtask faults outbox passes them)");
const [SECONDS, RATE] = [Number(secondsText), Number(rateText)];
const PROCESSES = 3;
/** Milliseconds between two deaths. */
const DEATHS = 3000;
const FOLLOW_UPS = 20;
/** One call in so many is refused by the receiver. */
const REFUSED = 20;
/** Milliseconds for everything to be done once the deaths are over. */
const SETTLED = 120_000;

const env = {
  ...process.env,
  DATABASE_URL: database,
  PLUMBLINE_LISTEN: "127.0.0.1:0",
  // Whichever process answers and calls, people type one address.
  PLUMBLINE_BASE_URL: "http://plumbline.example",
  PLUMBLINE_LOG: "json",
  PLUMBLINE_RATE_LIMITS: "off",
  PLUMBLINE_WEBHOOK_ALLOWED_NETWORKS: "127.0.0.0/8",
};
/** Always the same numbers: a failure can be had again. */
let seed = 42;
const random = (below) => {
  seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
  return Math.floor((seed / 2 ** 31) * below);
};

const servers = Array.from({ length: PROCESSES }, () => ({ child: null, base: null }));
const stopServers = () => servers.forEach(({ child }) => child?.kill("SIGKILL"));
process.on("exit", stopServers);
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(1));

async function start(server) {
  const child = spawn(binary, ["serve", "--demo"], { env, stdio: ["ignore", "pipe", "ignore"] });
  server.child = child;
  const lines = createInterface({ input: child.stdout });
  server.base = await new Promise((ready, failed) => {
    lines.on("line", (line) => line.startsWith("ready ") && ready(line.slice("ready ".length)));
    child.once("exit", (code) => failed(new Error(`a server ended with ${code}`)));
  });
}

async function end(server, signal) {
  const { child } = server;
  server.base = null;
  child.removeAllListeners("exit");
  const gone = new Promise((ended) => child.once("exit", ended));
  child.kill(signal);
  await gone;
}

function run(program, words) {
  const done = spawnSync(program, words, { env, encoding: "utf8" });
  if (done.status !== 0) throw new Error(`${program} ${words.join(" ")}: ${done.stderr}`);
  return done.stdout.trim();
}
const command = (...words) => run(binary, words);
const query = (sql) => run(psql, ["--no-psqlrc", "-At", "-d", database, "-c", sql]);
const count = (sql) => Number(query(sql));

function token(email) {
  return command("admin", "create-token", "--email", email, "--name", "faults", "--scopes", "read,write,admin");
}

async function call(bearer, method, path, body, more = {}) {
  const alive = servers.filter(({ base }) => base);
  if (alive.length === 0) throw new Error("no server is up");
  const answer = await fetch(`${alive[random(alive.length)].base}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${bearer}`, "content-type": "application/json", ...more },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(20_000),
  });
  return { status: answer.status, body: await answer.json() };
}

async function expect(status, ...request) {
  const answer = await call(...request);
  if (answer.status !== status) throw new Error(`${request.slice(1, 3).join(" ")}: ${JSON.stringify(answer)}`);
  return answer.body;
}

// The receiver: what arrived under which id, and how often.
const received = new Map();
let secret;
let [calls, refused, forged, differing] = [0, 0, 0, 0];
const receiver = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    calls++;
    const body = Buffer.concat(chunks).toString();
    const id = request.headers["webhook-id"];
    const signed = `${id}.${request.headers["webhook-timestamp"]}.${body}`;
    const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
    const signature = `v1,${createHmac("sha256", key).update(signed).digest("base64")}`;
    if (!request.headers["webhook-signature"].split(" ").includes(signature)) forged++;
    if (calls % REFUSED === 0) {
      refused++;
      response.writeHead(500).end();
      return;
    }
    const earlier = received.get(id);
    if (earlier && earlier.body !== body) differing++;
    received.set(id, { body, times: (earlier?.times ?? 0) + 1 });
    response.writeHead(204).end();
  });
});
await new Promise((ready) => receiver.listen(0, "127.0.0.1", ready));

await start(servers[0]);
await Promise.all(servers.slice(1).map(start));
const [ada, grace, ruth] = ["ada@example.com", "grace@example.com", "ruth@example.com"].map(token);
const url = `http://127.0.0.1:${receiver.address().port}/`;
const hook = { name: "Fault drill", url, format: "standard", events: ["comment.posted"] };
({ secret } = await expect(201, ruth, "POST", "/webhooks", hook));

const draft = { title: "Outbox drill", kind: "process", body: "# Outbox drill\n\nOne paragraph.\n", services: [] };
const { number } = await expect(201, ada, "POST", "/rfcs", draft);
await expect(200, ada, "POST", `/rfcs/${number}/status`, { to: "in_review" });
const threads = [];
for (let thread = 0; thread < 16; thread++) {
  const opened = { revision: 1, start: 16, end: 29, body: `Thread ${thread}`, severity: "note" };
  threads.push((await expect(201, grace, "POST", `/rfcs/${number}/threads`, opened)).id);
}
const today = new Date(Date.now()).toISOString().slice(0, 10);
const before = count("select coalesce(max(id), 0) from events");
for (let index = 0; index < FOLLOW_UPS; index++) {
  await expect(201, grace, "POST", "/follow-ups", { title: `Drill ${index}`, owner: "grace@example.com", due: today });
}

// Comments at a steady rate, each until it is acknowledged.
const acknowledged = new Map();
const wrong = [];
let cutOff = 0;
async function post(name) {
  const path = `/threads/${threads[random(threads.length)]}/comments`;
  for (;;) {
    try {
      const answer = await call(grace, "POST", path, { body: name }, { "idempotency-key": name });
      if (answer.status === 201) return acknowledged.set(name, answer.body.id);
      if (answer.status !== 503) return wrong.push(`${answer.status} ${JSON.stringify(answer.body)}`);
    } catch {
      cutOff++;
    }
    await pause(50);
  }
}

let dying = true;
const deaths = { SIGKILL: 0, SIGTERM: 0 };
const killer = (async () => {
  while (dying) {
    await pause(DEATHS / 2 + random(DEATHS));
    if (!dying) return;
    const server = servers[random(PROCESSES)];
    const signal = random(3) === 0 ? "SIGTERM" : "SIGKILL";
    deaths[signal]++;
    await end(server, signal);
    await start(server);
  }
})();

const posts = [];
let days = 0;
const began = performance.now();
while (performance.now() - began < SECONDS * 1000) {
  const elapsed = (performance.now() - began) / 1000;
  while (posts.length < elapsed * RATE) posts.push(post(`Comment ${posts.length}`));
  if (elapsed > ((days + 1) * SECONDS) / 5) {
    command("demo", "clock", "--forward", "1d");
    days++;
  }
  await pause(10);
}
await Promise.all(posts);
const took = (performance.now() - began) / 1000;
dying = false;
await killer;

// What failed waits for its next try: an hour later it is due. Then everything has to come to rest.
command("demo", "clock", "--forward", "1h");
const rest = performance.now();
const waiting = () => count("select count(*) from outbox where state = 'waiting' and (kind = 'event' or attempts > 0 or key like 'webhook:%')");
let left = waiting();
while (left > 0 && performance.now() - rest < SETTLED) {
  await pause(500);
  left = waiting();
  if (left > 0 && left === count("select count(*) from outbox where state = 'waiting' and attempts > 0")) {
    command("demo", "clock", "--forward", "1h");
  }
}
const settled = (performance.now() - rest) / 1000;

const comments = count(`select count(*) from rfc_comments where body like 'Comment %'`);
const twice = count(`select count(*) from (select body from rfc_comments where body like 'Comment %' group by body having count(*) > 1) doubled`);
const events = query(`select id from events where id > ${before} and verb = 'comment.posted' order by id`).split("\n").filter(Boolean);
const notices = query(`select event_id, count(*) from notices join events on events.id = event_id join people on people.id = person_id
  where verb = 'comment.posted' and email = 'ada@example.com' and event_id > ${before} group by event_id`).split("\n").filter(Boolean);
const repeated = [...received.values()].filter(({ times }) => times > 1);
const jobs = query(`select name, count(*), count(*) filter (where state = 'done') from (
  select payload->>'name' as name, state from outbox where kind = 'job') jobs group by name order by name`).split("\n").filter(Boolean);
const jobsTwice = count(`select count(*) from (select 1 from outbox where kind = 'job'
  group by payload->>'name', payload->>'at', payload->>'about' having count(*) > 1 or sum(attempts) <> 1) twice`);
const daily = count("select count(*) from outbox where kind = 'job' and payload->>'name' = 'follow_ups'");
const jobsUndone = count("select count(*) from outbox where kind = 'job' and state <> 'done' and due_at <= (select max(at) from events)");
const chases = query(`select verb, count(*), count(distinct subject_key) from events where id > ${before} and actor_id is null
  and subject_kind = 'follow_up' and subject_key in (select id::text from follow_ups where title like 'Drill %') group by verb order by verb`).split("\n").filter(Boolean);
const dead = count("select count(*) from outbox where state = 'dead'");

const rows = [
  ["processes / killed / stopped and started again", `${PROCESSES} / ${deaths.SIGKILL} / ${deaths.SIGTERM}`],
  ["comments acknowledged", `${acknowledged.size} in ${took.toFixed(1)} s (${(acknowledged.size / took).toFixed(0)} a second, ${cutOff} requests cut off)`],
  ["comments there / there twice", `${comments} / ${twice}`],
  ["their events", events.length],
  ["notices made / more than one for an event", `${notices.length} / ${notices.filter((row) => !row.endsWith("|1")).length}`],
  ["webhook calls / refused by the receiver", `${calls} / ${refused}`],
  ["webhooks delivered / lost", `${received.size} / ${events.length - received.size}`],
  ["delivered again under the same id", repeated.length],
  ["with another body / with a wrong signature", `${differing} / ${forged}`],
  ["everything done after the last death", `${settled.toFixed(1)} s (${left} left, ${dead} given up)`],
  ["days that the clock was moved on", days],
  ["timed jobs put in or done more than once", jobsTwice],
  ...jobs.map((row) => row.split("|")).map(([name, all, done]) => [`timed job ${name}`, `${all} times due, ${done} done`]),
  ...chases.map((row) => row.split("|")).map(([verb, all, of]) => [verb, `${all} for ${of} follow-ups`]),
];
const width = Math.max(...rows.map(([name]) => name.length));
for (const [name, value] of rows) console.log(`${name.padEnd(width)}  ${value}`);
for (const answer of wrong.slice(0, 5)) console.log(`  ${answer}`);

const bad = [
  comments !== acknowledged.size && "comments lost or too many",
  twice && "comments twice",
  events.length !== comments && "events and comments differ",
  notices.length !== events.length && "notices lost",
  notices.some((row) => !row.endsWith("|1")) && "notices twice",
  received.size !== events.length && "webhooks lost",
  (differing || forged) && "webhooks changed",
  (left || dead || jobsUndone) && "work left",
  jobsTwice && "timed jobs twice",
  // The first morning may come by itself, and the hours at the end may reach another one.
  (daily < days || daily > days + 2) && "a timed job did not come every day",
  chases.some((row) => row.split("|")[1] !== row.split("|")[2]) && "a chase happened twice",
  chases.length === 0 && "no chase happened",
  wrong.length && "answers other than 201 and 503",
  acknowledged.size < RATE * SECONDS * 0.95 && "fewer comments than asked for",
].filter(Boolean);
console.log(`outbox drill: ${events.length} events, lost: ${events.length - received.size}, ${bad.length ? `FAILED: ${bad.join("; ")}` : "all as it should be"}`);
for (const server of servers) await end(server, "SIGTERM");
receiver.close();
process.exit(bad.length ? 1 : 0);
