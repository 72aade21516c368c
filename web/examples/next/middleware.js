// Renews the tokens before a page or a route needs them. From Next.js 16 on, the file is proxy.js and
// the function may be called `proxy`.
import { NextResponse } from "next/server.js";
import { ACCESS, REFRESH, cookiesOf, isFresh, renew } from "./tokens.js";

/** @param {import("next/server.js").NextRequest} request */
export async function middleware(request) {
  const refreshToken = request.cookies.get(REFRESH)?.value;
  if (!refreshToken || isFresh(request.cookies.get(ACCESS)?.value)) return NextResponse.next();
  let tokens;
  try {
    tokens = await renew(refreshToken);
  } catch {
    return NextResponse.next(); // the API does not answer: nobody is logged out for that
  }
  // What follows in this request sees the new cookies, and the browser gets them.
  const cookies = tokens ? cookiesOf(tokens) : [];
  if (!tokens) for (const name of [ACCESS, REFRESH]) request.cookies.delete(name);
  for (const [name, value] of cookies) request.cookies.set(name, value);
  const answer = NextResponse.next({ request: { headers: request.headers } });
  if (!tokens) for (const name of [ACCESS, REFRESH]) answer.cookies.delete(name);
  for (const cookie of cookies) answer.cookies.set(...cookie);
  return answer;
}

export const config = { matcher: ["/((?!_next/static|_next/image|favicon.ico).*)"] };
