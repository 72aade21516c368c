// A server that keeps its users' tokens. The browser gets an opaque cookie and never a token.
//
//     API_URL=http://127.0.0.1:3000 PORT=8090 node server.mjs
//
// This is the whole protocol; a real one keeps its sessions in a store, not in this process, and
// limits the requests of each visitor: to the API, they all have the address of this server.
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { Client } from "../../client.js";

const api = process.env.API_URL ?? "http://127.0.0.1:3000";
const secure = process.env.NODE_ENV === "production"; // behind HTTPS
const name = secure ? "__Host-session" : "session";

/** One client for each browser, so that two requests at once share one refresh. */
const sessions = new Map();

const routes = {
  /** { "email": … } or { "phone_number": … } */
  async "POST /code"(session, destination) {
    session.challenge = await session.client.requestCode(destination);
    return { code_length: session.challenge.codeLength };
  },
  /** { "otp": … } */
  async "POST /login"(session, { otp }, answer) {
    if (!session.challenge) return { error: "Request a code first." };
    const user = await session.client.validate(session.challenge, otp);
    session.challenge = undefined;
    start(session, answer); // a new identifier, so that nobody can fix it in advance
    return { user_id: user.userId };
  },
  async "GET /me"(session) {
    return (await session.client.fetch("/api/me/")).json();
  },
  async "POST /logout"(session, _, answer) {
    sessions.delete(session.id);
    answer.setHeader("set-cookie", cookie("", 0));
    await session.client.logout();
    return {};
  },
};

const cookie = (value, age = 30 * 86400) =>
  `${name}=${value}; Path=/; Max-Age=${age}; HttpOnly; SameSite=Lax${secure ? "; Secure" : ""}`;

function start(session, answer) {
  sessions.delete(session.id);
  session.id = randomBytes(24).toString("base64url");
  sessions.set(session.id, session);
  answer.setHeader("set-cookie", cookie(session.id));
  return session;
}

function sessionOf(request, answer) {
  const sent = request.headers.cookie?.match(new RegExp(`(?:^|; )${name}=([^;]+)`))?.[1];
  const client = () => new Client({ api, storage: "memory" });
  return sessions.get(sent) ?? start({ client: client() }, answer);
}

async function bodyOf(request) {
  if (request.method === "GET") return {};
  // A form of another site cannot send JSON.
  if (request.headers["content-type"] !== "application/json") throw new Error("JSON only");
  let text = "";
  for await (const chunk of request) if ((text += chunk).length > 4096) throw new Error("too long");
  return JSON.parse(text);
}

createServer(async (request, answer) => {
  const route = routes[`${request.method} ${request.url}`];
  answer.setHeader("content-type", "application/json").setHeader("cache-control", "no-store");
  try {
    const result = route ? await route(sessionOf(request, answer), await bodyOf(request), answer) : {};
    answer.writeHead(route ? 200 : 404).end(JSON.stringify(result));
  } catch (error) {
    // A problem of the API has a type and a sentence; anything else is none of the browser's business.
    const { status = 400, type = "about:blank", detail = "Bad request.", retryAfter } = error;
    answer.writeHead(status || 502).end(JSON.stringify({ type, detail: error.type ? detail : "Bad request.", retry_after: retryAfter }));
  }
}).listen(Number(process.env.PORT ?? 8090), "127.0.0.1", function () {
  console.log(`http://127.0.0.1:${this.address().port}`);
});
