// node check.mjs ISSUER AUDIENCE < token
//
// Prints the subject. Exit code 1: refused. 2: cannot tell.

import { text } from "node:stream/consumers";
import { createRemoteJWKSet, errors, jwtVerify } from "jose";

// Call this once per process: the function that it returns keeps the keys.
async function discover(issuer, audience) {
  const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(5000) });
  if (!answer.ok) throw new Error(`the issuer answered ${answer.status}`);
  const configuration = await answer.json();
  if (configuration.issuer !== issuer) throw new Error("the issuer does not match");
  // If a token's key is unknown, it fetches the keys again, at most once in 30 seconds.
  const keys = createRemoteJWKSet(new URL(configuration.jwks_uri), { cacheMaxAge: 3_600_000 });
  return async function check(token) {
    const { payload } = await jwtVerify(token, keys, {
      algorithms: ["RS256"],
      typ: "at+jwt",
      issuer,
      audience,
      clockTolerance: 5, // seconds between the issuer's clock and yours
      requiredClaims: ["exp", "sub"],
    });
    return payload;
  };
}

// Errors of the issuer: answer 503. All other errors of jose are the token's: answer 401.
const issuersFault = ["ERR_JOSE_GENERIC", "ERR_JWKS_INVALID", "ERR_JWKS_TIMEOUT"];
const refuses = (error) => error instanceof errors.JOSEError && !issuersFault.includes(error.code);

try {
  const [issuer, audience] = process.argv.slice(2);
  const check = await discover(issuer, audience);
  console.log((await check((await text(process.stdin)).trim())).sub);
} catch (error) {
  console.error(`${refuses(error) ? "refused" : "cannot tell"}: ${error.message}`);
  process.exitCode = refuses(error) ? 1 : 2;
}
