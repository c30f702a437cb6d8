// npm's oidc-provider on loopback, for the tests: whoever comes is the person that the tests chose, and agrees.
// Its first line of output is its address. It ends with its input.
// POST /control with JSON changes: person (claims, or null for one who refuses), rotate (new keys), names_issuer.

import http from "node:http";
import { once } from "node:events";
import { createPrivateKey, generateKeyPairSync, randomUUID } from "node:crypto";
import { Provider } from "oidc-provider";

const state = { person: { sub: "ada" }, people: {}, keys: newKeys(), requests: [] };

function newKeys() {
  const rsa = { modulusLength: 2048 };
  return { keys: [newKey("rsa", rsa, "RS256"), newKey("rsa", rsa, "PS256"), newKey("ec", { namedCurve: "P-256" }, "ES256")] };
}

// A key as it comes from the generator shares a lock with it, and Node 20 waits for that lock for ever if it collects
// the generator while it exports the key. One that was read from a text shares nothing.
function newKey(type, options, alg) {
  const encoded = { publicKeyEncoding: { type: "spki", format: "pem" }, privateKeyEncoding: { type: "pkcs8", format: "pem" } };
  const { privateKey } = generateKeyPairSync(type, { ...options, ...encoded });
  return { ...createPrivateKey(privateKey).export({ format: "jwk" }), kid: randomUUID(), use: "sig", alg };
}

// What one provider knows, the next one with other keys knows too.
const stored = new Map();

class Adapter {
  constructor(name) { this.name = name; }
  key(id) { return `${this.name}:${id}`; }
  async upsert(id, payload) { stored.set(this.key(id), payload); }
  async find(id) { return stored.get(this.key(id)); }
  async findByUid(uid) { return this.first((payload) => payload.uid === uid); }
  async findByUserCode(code) { return this.first((payload) => payload.userCode === code); }
  async destroy(id) { stored.delete(this.key(id)); }
  async consume(id) { stored.get(this.key(id)).consumed = Math.floor(Date.now() / 1000); }
  async revokeByGrantId(grantId) {
    for (const [key, payload] of stored) if (payload.grantId === grantId) stored.delete(key);
  }
  first(wanted) {
    for (const [key, payload] of stored) if (key.startsWith(`${this.name}:`) && wanted(payload)) return payload;
    return undefined;
  }
}

function configuration() {
  return {
    adapter: Adapter,
    jwks: state.keys,
    claims: {
      openid: ["sub"],
      email: ["email", "email_verified"],
      profile: ["name", "given_name", "family_name", "preferred_username", "locale", "zoneinfo"],
      groups: ["groups"],
    },
    scopes: ["openid", "email", "profile", "groups", "offline_access"],
    conformIdTokenClaims: true,
    enabledJWA: { idTokenSigningAlgValues: ["RS256", "PS256", "ES256", "HS256"] },
    clientBasedCORS: () => false,
    cookies: { keys: ["tests"] },
    features: {
      devInteractions: { enabled: false },
      registration: {
        enabled: true,
        idFactory: () => randomUUID(),
        secretFactory: () => `p%2B w+:a&b=c/${randomUUID()}`,
      },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        // Nobody is asked: the page's form would be sent at once.
        logoutSource: async (ctx, form) => { ctx.body = `<html><body>${form}</body></html>`; },
      },
    },
    clientDefaults: { grant_types: ["authorization_code"], response_types: ["code"] },
    pkce: { required: () => true },
    interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (ctx, sub) => ({ accountId: sub, claims: () => ({ ...state.people[sub], sub }) }),
    renderError: (ctx, out) => { ctx.type = "text"; ctx.body = JSON.stringify(out); },
    // The sites of the tests are on loopback too, which it would not call otherwise.
    fetch: (url, { dispatcher, ...options }) => globalThis.fetch(url, options),
    ttl: { Session: 3600, Grant: 3600, Interaction: 600, AccessToken: 600, IdToken: 600, AuthorizationCode: 60 },
  };
}

let provider;
let address;

function start() {
  provider = new Provider(address, configuration());
  provider.proxy = false;
  provider.on("server_error", (ctx, error) => console.error("server_error", error));
  provider.on("backchannel.error", (ctx, error) => console.error("backchannel.error", error.message));
}

async function interact(request, response) {
  const details = await provider.interactionDetails(request, response);
  if (!state.person) {
    return provider.interactionFinished(request, response, { error: "access_denied" }, { mergeWithLastSubmission: false });
  }
  if (details.prompt.name === "login") {
    state.people[state.person.sub] = state.person;
    return provider.interactionFinished(request, response, { login: { accountId: state.person.sub } });
  }
  const grant = new provider.Grant({ accountId: details.session.accountId, clientId: details.params.client_id });
  grant.addOIDCScope(details.params.scope);
  return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
}

async function control(request, response) {
  let body = "";
  for await (const chunk of request) body += chunk;
  const asked = JSON.parse(body);
  if ("person" in asked) {
    state.person = asked.person;
    if (asked.person) state.people[asked.person.sub] = asked.person;
  }
  if (asked.rotate) {
    state.keys = newKeys();
    start();
  }
  const requests = state.requests.splice(0);
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify({ requests }));
}

const server = http.createServer(async (request, response) => {
  try {
    if (request.url === "/control") return await control(request, response);
    state.requests.push(`${request.method} ${request.url.split("?")[0]}`);
    if (request.url.startsWith("/interaction/")) return await interact(request, response);
    return await provider.callback()(request, response);
  } catch (error) {
    console.error(error);
    response.statusCode = 500;
    response.end(String(error));
  }
});

server.listen(0, "127.0.0.1");
await once(server, "listening");
address = `http://127.0.0.1:${server.address().port}`;
start();
console.log(address);
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
