// node renew.mjs LIBRARY ISSUER CLIENT_ID < refresh token
//
// Refreshes twice by discovery, revokes the session, and shows that it is over. Prints the
// last access token.

import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import * as oauth from "oauth4webapi";
import * as openid from "openid-client";

const libraries = {
  async oauth4webapi(issuer, clientId) {
    const insecure = { [oauth.allowInsecureRequests]: true }; // http on loopback
    const url = new URL(issuer);
    const discovery = await oauth.discoveryRequest(url, { ...insecure, algorithm: "oauth2" });
    const server = await oauth.processDiscoveryResponse(url, discovery);
    const client = { client_id: clientId };
    return {
      async refresh(token) {
        const answer = await oauth.refreshTokenGrantRequest(
          server, client, oauth.None(), token, insecure);
        return oauth.processRefreshTokenResponse(server, client, answer);
      },
      async revoke(token) {
        const answer = await oauth.revocationRequest(
          server, client, oauth.None(), token, insecure);
        await oauth.processRevocationResponse(answer);
      },
    };
  },

  async "openid-client"(issuer, clientId) {
    const execute = [openid.allowInsecureRequests]; // http on loopback
    const config = await openid.discovery(
      new URL(issuer), clientId, undefined, openid.None(), { execute });
    return {
      refresh: (token) => openid.refreshTokenGrant(config, token),
      revoke: (token) => openid.tokenRevocation(config, token),
    };
  },
};

const is = (code) => (error) => error.error === code && error.status === 400;

const [library, issuer, clientId] = process.argv.slice(2);
const first = (await text(process.stdin)).trim();
const client = await libraries[library](issuer, clientId);
const one = await client.refresh(first);
assert.equal(one.token_type.toLowerCase(), "bearer");
assert.ok(one.access_token && one.expires_in > 0);
assert.notEqual(one.refresh_token, first);
const two = await client.refresh(one.refresh_token);
await assert.rejects(client.revoke(two.access_token), is("unsupported_token_type"));
await client.revoke(two.refresh_token);
await client.revoke(two.refresh_token); // again: no error (RFC 7009 section 2.2)
await client.revoke("never-issued");
await assert.rejects(client.refresh(two.refresh_token), is("invalid_grant"));
const stranger = await libraries[library](issuer, "somebody-else");
await assert.rejects(stranger.refresh(first), is("invalid_client"));
console.log(two.access_token);
