// A strict OAuth server that is not ours: the package `oidc-provider`, set up as an issuer for `codex`.
//
//   npm install --prefix DIR oidc-provider@9
//   OIDC_TTL=10 node oidc.mjs DIR
//
// It prints `listening on http://127.0.0.1:PORT`, and then a line for everything that it granted, refused
// or revoked. Whoever comes is signed in as one invented person, who agrees to everything; the redirects
// and cookies on the way there are as they would be with a form. OIDC_TTL is how many seconds an access
// token is valid. Nothing is kept; it ends when standard input does.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder] = process.argv.slice(2);
if (!folder) {
  console.error('usage: node oidc.mjs DIR, where DIR has node_modules/oidc-provider');
  process.exit(2);
}
const entry = join(resolve(folder), 'node_modules/oidc-provider/lib/index.js');
const { default: Provider } = await import(pathToFileURL(entry));

const CLIENT = 'app_EMoamEEZ73f0CkXaXp7hrann';
const API = 'https://api.openai.com/v1';
const AUTH = { chatgpt_account_id: 'acct-oidc', chatgpt_plan_type: 'plus' };
const EMAIL = 'somebody@example.com';
const ttl = Number(process.env.OIDC_TTL ?? 10);

const configuration = {
  clients: [{
    client_id: CLIENT,
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    // "web", because for "native" clients any port of this machine would do.
    application_type: 'web',
    redirect_uris: ['http://localhost:1455/auth/callback', 'http://localhost:1457/auth/callback'],
  }],
  pkce: { required: () => true }, // S256 is the only method it knows
  routes: {
    authorization: '/oauth/authorize',
    token: '/oauth/token',
    revocation: '/oauth/revoke',
  },
  rotateRefreshToken: true,
  ttl: { AuthorizationCode: 60, RefreshToken: 3600, Session: 3600, Grant: 3600, Interaction: 600, IdToken: 3600 },
  scopes: ['openid', 'offline_access'],
  claims: { openid: ['sub', 'https://api.openai.com/auth'], email: ['email'], profile: ['name'] },
  conformIdTokenClaims: false, // the claims are in the id token, as nobody asks for them elsewhere
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: EMAIL, name: 'Somebody', 'https://api.openai.com/auth': AUTH }),
  }),
  extraTokenClaims: () => ({
    'https://api.openai.com/auth': AUTH,
    'https://api.openai.com/profile': { email: EMAIL },
  }),
  features: {
    devInteractions: { enabled: false },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true, // access tokens are JWTs only for a named resource
      defaultResource: () => API,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: '',
        audience: API,
        accessTokenFormat: 'jwt',
        accessTokenTTL: ttl,
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  cookies: { keys: [randomBytes(16).toString('hex')] },
  jwks: {
    keys: [{
      ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }),
      kid: 'one',
      use: 'sig',
      alg: 'RS256',
    }],
  },
};

/** What a person would do on the pages: sign in, and agree to everything that is asked for. */
async function interact(provider, request, response) {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  if (prompt.name === 'login') {
    return provider.interactionFinished(request, response, { login: { accountId: 'somebody' } });
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  const consent = { grantId: await grant.save() };
  return provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
}

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const url = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(url, configuration);
  // It leaves `offline_access` out unless the client says prompt=consent, and no setting changes that. The
  // real issuer does not ask for it, so it is added on the way in, and to nothing but such a request.
  provider.use((ctx, next) => {
    const { scope, prompt } = ctx.query;
    if (ctx.path === '/oauth/authorize' && String(scope).split(' ').includes('offline_access') && !prompt) {
      ctx.query = { ...ctx.query, prompt: 'consent' };
    }
    return next();
  });
  const say = (...words) => console.log(...words);
  const refused = (what) => (_, error) => {
    say('refused', what, error.error, error.error_description, error.error_detail ?? '');
  };
  provider.on('authorization.success', () => say('authorized'));
  provider.on('authorization.error', refused('authorization'));
  provider.on('grant.success', (ctx) => say('granted', ctx.oidc.params.grant_type));
  provider.on('grant.error', refused('grant'));
  provider.on('grant.revoked', (ctx) => say('revoked', ctx.oidc.route));
  provider.on('revocation.error', refused('revocation'));
  provider.on('server_error', (_, error) => say('broken', error.stack));
  const answer = provider.callback();
  server.on('request', (request, response) => {
    if (!request.url.startsWith('/interaction/')) return answer(request, response);
    return interact(provider, request, response).catch((error) => {
      response.writeHead(400, { 'content-type': 'text/plain' }).end(`${error.message}\n`);
    });
  });
  say(`listening on ${url}`);
});
process.stdin.on('end', () => process.exit()).resume();
