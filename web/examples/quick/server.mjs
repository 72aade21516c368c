import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { Client } from "login-with-otp";

const api = process.env.API_URL ?? "http://127.0.0.1:3000";
const visitors = new Map(); // by cookie; a real server has a store

const server = createServer(async (request, answer) => {
  const id = /visitor=([\w-]+)/.exec(request.headers.cookie)?.[1];
  const visitor = visitors.get(id) ?? { client: new Client({ api, storage: "memory" }) };
  const { client, challenge } = visitor;
  if (request.method === "GET") {
    const name = challenge ? "code" : "email";
    const form = `<form method="post"><input name="${name}" aria-label="${name}"> <button>Continue</button> <button name="again" value="1">Start again</button></form>`;
    return answer.setHeader("content-type", "text/html").end(client.session ? `Hello, ${client.session.userId}` : form);
  }
  try {
    const typed = new URLSearchParams(Buffer.concat(await request.toArray()).toString());
    if (typed.has("again")) visitor.challenge = undefined;
    else if (challenge) await client.validate(challenge, typed.get("code"));
    else visitor.challenge = await client.requestCode({ email: typed.get("email") });
    const next = randomUUID(); // a new one, so that nobody can choose it
    visitors.delete(id);
    visitors.set(next, visitor);
    answer.setHeader("set-cookie", `visitor=${next}; HttpOnly; SameSite=Strict; Path=/`); // and Secure
    answer.writeHead(303, { location: "/" }).end();
  } catch (error) {
    answer.writeHead(error.status || 502).end("This did not work. Go back, and try again."); // docs/screens.md says more
  }
});

server.listen(process.env.PORT ?? 8090, "127.0.0.1", () => console.log(`http://localhost:${server.address().port}`));
