// A Lambda authorizer of a REST API (type REQUEST). The environment has ISSUER and AUDIENCE.

import { createRemoteJWKSet, errors, jwtVerify } from "jose";

const { ISSUER: issuer, AUDIENCE: audience } = process.env;

// Errors of the issuer: the gateway answers 500. All other errors of jose are the token's: 401.
const issuersFault = ["ERR_JOSE_GENERIC", "ERR_JWKS_INVALID", "ERR_JWKS_TIMEOUT"];

// One set per instance: it keeps the keys, and fetches unknown ones at most once in 30 seconds.
let keys;

async function discover() {
  const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(5000) });
  if (!answer.ok) throw new Error(`the issuer answered ${answer.status}`);
  const configuration = await answer.json();
  if (configuration.issuer !== issuer) throw new Error("the issuer does not match");
  return createRemoteJWKSet(new URL(configuration.jwks_uri), { cacheMaxAge: 3_600_000 });
}

export async function handler(event) {
  keys ??= await discover();
  const authorization = event.headers?.Authorization ?? event.headers?.authorization ?? "";
  const [scheme, token, ...more] = authorization.split(" ");
  // The gateway makes a 401 of exactly this message.
  if (scheme.toLowerCase() !== "bearer" || !token || more.length) throw new Error("Unauthorized");
  try {
    const { payload } = await jwtVerify(token, keys, {
      algorithms: ["RS256"],
      typ: "at+jwt",
      issuer,
      audience,
      clockTolerance: 5, // seconds between the issuer's clock and yours
      requiredClaims: ["iss", "sub", "aud", "exp", "iat", "jti", "client_id"],
    });
    return allow(payload, event.methodArn);
  } catch (error) {
    const refuses = error instanceof errors.JOSEError && !issuersFault.includes(error.code);
    throw refuses ? new Error("Unauthorized") : error;
  }
}

// For every method of this stage, because the gateway caches the policy for the token.
function allow(payload, methodArn) {
  const [api, stage] = methodArn.split("/");
  const statement = { Action: "execute-api:Invoke", Effect: "Allow", Resource: `${api}/${stage}/*` };
  return {
    principalId: payload.sub,
    policyDocument: { Version: "2012-10-17", Statement: [statement] },
    // Texts, numbers and booleans only: the function finds them in requestContext.authorizer.
    context: { sub: payload.sub, auth_time: payload.auth_time },
  };
}
