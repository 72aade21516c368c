// node verify.mjs LIBRARY ISSUER AUDIENCE < tokens, one in each line
//
// Prints a verdict for each token: `accepted SUB`, `refused REASON` or `cannot tell REASON`.

import { once } from "node:events";
import { createInterface } from "node:readline";
import express from "express";
import { auth } from "express-oauth2-jwt-bearer";
import { createRemoteJWKSet, errors, jwtVerify } from "jose";
import * as oauth from "oauth4webapi";

class Refused extends Error {}

const insecure = { [oauth.allowInsecureRequests]: true }; // http on loopback
// Errors of these kinds are the issuer's, not the token's.
const issuersFault = {
  jose: ["ERR_JOSE_GENERIC", "ERR_JWKS_INVALID", "ERR_JWKS_TIMEOUT"],
  oauth4webapi: [
    oauth.HTTP_REQUEST_FORBIDDEN, oauth.INVALID_SERVER_METADATA, oauth.MISSING_SERVER_METADATA,
    oauth.RESPONSE_IS_NOT_CONFORM, oauth.RESPONSE_IS_NOT_JSON,
  ],
};

async function discover(issuer) {
  const url = new URL(issuer);
  const answer = await oauth.discoveryRequest(url, { ...insecure, algorithm: "oauth2" });
  return oauth.processDiscoveryResponse(url, answer);
}

const libraries = {
  async oauth4webapi(issuer, audience) {
    const server = await discover(issuer);
    return async (token) => {
      const headers = { authorization: `Bearer ${token}` };
      const request = new Request("http://api.example/", { headers });
      const options = { ...insecure, [oauth.clockTolerance]: 0 };
      try {
        return (await oauth.validateJwtAccessToken(server, request, audience, options)).sub;
      } catch (error) {
        const known = error instanceof oauth.OperationProcessingError ||
          error instanceof oauth.UnsupportedOperationError;
        if (!known || issuersFault.oauth4webapi.includes(error.code)) throw error;
        throw new Refused(error.message);
      }
    };
  },

  async jose(issuer, audience) {
    const keys = createRemoteJWKSet(new URL((await discover(issuer)).jwks_uri));
    const requiredClaims = ["iss", "sub", "aud", "exp", "iat", "jti", "client_id"];
    const rules = { issuer, audience, algorithms: ["RS256"], typ: "at+jwt", requiredClaims };
    return async (token) => {
      try {
        return (await jwtVerify(token, keys, rules)).payload.sub;
      } catch (error) {
        const known = error instanceof errors.JOSEError;
        if (!known || issuersFault.jose.includes(error.code)) throw error;
        throw new Refused(error.message);
      }
    };
  },

  async "express-oauth2-jwt-bearer"(issuer, audience) {
    await discover(issuer);
    const app = express();
    app.use(auth({ issuerBaseURL: issuer, audience, strict: true, clockTolerance: 0 }));
    app.get("/", (request, response) => response.send(request.auth.payload.sub));
    // The library answers 401 also if the issuer is away. Only the message tells.
    app.use((error, _request, response, _next) =>
      response.status(error.status ?? 500).send(error.message));
    const server = app.listen(0, "127.0.0.1");
    await once(server, "listening");
    server.unref();
    return async (token) => {
      const headers = { authorization: `Bearer ${token}` };
      const answer = await fetch(`http://127.0.0.1:${server.address().port}/`, { headers });
      const text = await answer.text();
      if (answer.ok) return text;
      const away = /Failed to (fetch|parse)|Key Set HTTP response|ECONN|socket|timed out/.test(text);
      if (away || answer.status >= 500) throw new Error(text);
      throw new Refused(text);
    };
  },
};

// The Lambda authorizer of examples/aws-verifiers, which is jose behind a gateway's event.
libraries["Lambda authorizer"] = async (issuer, audience) => {
  Object.assign(process.env, { ISSUER: issuer, AUDIENCE: audience });
  const { handler } = await import("./authorizer/index.mjs");
  const methodArn = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/v1/GET/hello";
  return async (token) => {
    try {
      const event = { headers: { Authorization: `Bearer ${token}` }, methodArn };
      return (await handler(event)).principalId;
    } catch (error) {
      throw error.message === "Unauthorized" ? new Refused(error.message) : error;
    }
  };
};

const [library, issuer, audience] = process.argv.slice(2);
let check;
for await (const token of createInterface({ input: process.stdin })) {
  try {
    check ??= await libraries[library](issuer, audience);
    console.log(`accepted ${await check(token)}`);
  } catch (error) {
    const verdict = error instanceof Refused ? "refused" : "cannot tell";
    console.log(`${verdict} ${error.message.replaceAll("\n", " ")}`);
  }
}
process.exit();
