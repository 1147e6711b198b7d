// Serves oidc-provider on a free loopback port until its standard input closes, and prints the port. Argument: a JSON file with cert, key
// (PEM) and clients (RFC 7591 metadata).
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import Provider from 'oidc-provider';

const { cert, key, clients } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const server = createServer({ cert, key });

server.listen(0, '127.0.0.1', () => {
  const issuer = `https://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients,
    clientDefaults: { grant_types: ['client_credentials'], response_types: [], redirect_uris: [] },
    scopes: ['read', 'write'],
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    enabledJWA: { clientAuthSigningAlgValues: ['RS256', 'ES256'] },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        getResourceServerInfo: () => ({ scope: 'read write', accessTokenTTL: 900, accessTokenFormat: 'jwt' }),
      },
    },
  });
  server.on('request', provider.callback());
  process.stdout.write(`${server.address().port}\n`);
});
process.stdin.resume().on('end', () => process.exit(0));
