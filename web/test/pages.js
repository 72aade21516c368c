// The files of web/ on an origin of their own, under a strict policy, as a static host serves them.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";

const KINDS = { html: "text/html", js: "text/javascript", css: "text/css" };

/** `change` sees each text before it is served. */
export async function servePages(change = (text) => text) {
  const server = createServer(async (request, answer) => {
    const { pathname } = new URL(request.url, "http://pages");
    const path = pathname.endsWith("/") ? `${pathname}index.html` : pathname;
    try {
      const text = await readFile(new URL(`..${path}`, import.meta.url), "utf8");
      const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src http://127.0.0.1:*; require-trusted-types-for 'script'";
      const headers = { "content-type": `${KINDS[path.split(".").at(-1)]}; charset=utf-8`, "content-security-policy": policy };
      answer.writeHead(200, headers).end(change(text));
    } catch {
      answer.writeHead(path === "/favicon.ico" ? 204 : 404).end();
    }
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { origin: `http://127.0.0.1:${server.address().port}`, stop: () => server.close() };
}
