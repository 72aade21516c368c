// A server that keeps its users' tokens. The browser gets an opaque cookie and never a token.
//
//     npm install && API_URL=http://127.0.0.1:3000 PORT=8090 npm start
//
// A real one keeps its sessions in a store, not in this process, and limits the requests of each
// visitor: to the API, they all have the address of this server.
import { randomBytes } from "node:crypto";
import express from "express";
import { Client, Problem } from "login-with-otp";

const api = process.env.API_URL ?? "http://127.0.0.1:3000";
const secure = process.env.NODE_ENV === "production"; // behind HTTPS
const name = secure ? "__Host-session" : "session";
const day = 86_400_000;

/** By the cookie's value: `{ client, challenge }`. One client for each browser, so that two requests at once share one refresh. */
const sessions = new Map();

const app = express();
app.use((request, answer, next) => {
  answer.set("cache-control", "no-store");
  // A form of another site cannot send JSON.
  if (request.method === "GET" || request.is(["json", "+json"])) next();
  else answer.status(415).json({ type: "/problems/unsupported-media-type", detail: "JSON only." });
});
app.use(express.json({ type: ["json", "+json"], limit: "4kb" }));
app.use((request, _, next) => {
  const sent = request.headers.cookie?.match(new RegExp(`(?:^|; )${name}=([^;]+)`))?.[1];
  request.session = sessions.get(sent);
  request.sessionId = sent;
  next();
});

/** Gives the browser a new identifier, so that nobody can fix it in advance. */
function start(request, answer, session) {
  sessions.delete(request.sessionId);
  const id = randomBytes(24).toString("base64url");
  sessions.set(id, session);
  answer.cookie(name, id, { path: "/", httpOnly: true, sameSite: "lax", secure, maxAge: 30 * day });
}

/** Lets nobody through who is not logged in. */
function loggedIn(request, answer, next) {
  if (request.session?.client.session) next();
  else answer.status(401).json({ type: "/problems/unauthorized", detail: "Log in first." });
}

/** { "email": … } or { "phone_number": … } */
app.post("/code", async (request, answer) => {
  const session = request.session ?? { client: new Client({ api, storage: "memory" }) };
  session.challenge = await session.client.requestCode(request.body);
  if (!request.session) start(request, answer, session);
  answer.json({ code_length: session.challenge.codeLength });
});

/** { "otp": … } */
app.post("/login", async (request, answer) => {
  const { session } = request;
  if (!session?.challenge) return answer.status(409).json({ type: "about:blank", detail: "Request a code first." });
  const user = await session.client.validate(session.challenge, String(request.body?.otp));
  session.challenge = undefined;
  start(request, answer, session);
  answer.json({ user_id: user.userId });
});

app.get("/me", loggedIn, async (request, answer) => {
  const me = await request.session.client.fetch("/api/me/");
  answer.status(me.status).json(await me.json());
});

app.post("/logout", async (request, answer) => {
  sessions.delete(request.sessionId);
  answer.clearCookie(name, { path: "/", httpOnly: true, sameSite: "lax", secure });
  await request.session?.client.logout();
  answer.status(204).end();
});

app.use((_, answer) => answer.status(404).json({ type: "/problems/not-found", detail: "There is nothing here." }));
// A problem of the API has a type and a sentence; anything else is none of the browser's business.
app.use((error, _request, answer, _next) => {
  const known = error instanceof Problem;
  const status = known ? error.status || 502 : (error.status ?? 500);
  if (!known && status > 499) console.error(error);
  answer.status(status).json({ type: known ? error.type : "about:blank", detail: known ? error.detail : "Bad request.", retry_after: error.retryAfter });
});

app.listen(Number(process.env.PORT ?? 8090), "127.0.0.1", function () {
  console.log(`http://127.0.0.1:${this.address().port}`);
});
