// SPDX-License-Identifier: Apache-2.0

package interop

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// unavailable skips the test because something is missing on this machine. In CI that is a failure, or nobody would notice.
func unavailable(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// installOIDCProvider returns a folder in which server.mjs can run. It is kept between runs, keyed by what is installed.
func installOIDCProvider(t *testing.T) string {
	t.Helper()
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			unavailable(t, program+" is not installed: oidc-provider is not tried")
		}
	}
	sum := sha256.New()
	files := map[string][]byte{}
	for _, name := range []string{".npmrc", "package-lock.json", "package.json", "server.mjs"} {
		content, err := os.ReadFile(filepath.Join("oidc-provider", name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = content
		sum.Write(content)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	cache = filepath.Join(cache, "cdp-credential-operator")
	installed := filepath.Join(cache, "interop-"+hex.EncodeToString(sum.Sum(nil)[:8]))
	if _, err := os.Stat(installed); err == nil {
		return installed
	}
	if err := os.MkdirAll(cache, 0o750); err != nil {
		t.Fatal(err)
	}
	// Installed into a temporary folder and renamed, so that neither an incomplete nor a concurrent installation is ever used.
	folder, err := os.MkdirTemp(cache, "installing-") //nolint:usetesting // a test's own folder may be on another disk
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(folder)
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	install := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts")
	install.Dir = folder
	if output, err := install.CombinedOutput(); err != nil {
		unavailable(t, "npm cannot install oidc-provider, which is not tried: "+string(output))
	}
	if err := os.Rename(folder, installed); err != nil {
		if _, found := os.Stat(installed); found != nil {
			t.Fatal(err)
		}
	}
	return installed
}

// startOIDCProvider serves the npm package oidc-provider to these clients.
func startOIDCProvider(t *testing.T, clients []map[string]any) server {
	t.Helper()
	folder := installOIDCProvider(t)
	identity := httptest.NewTLSServer(nil) // for its certificate, and a transport that trusts it
	t.Cleanup(identity.Close)
	certificate := identity.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	config, err := json.Marshal(map[string]any{
		"cert":    string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]})),
		"key":     string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})),
		"clients": clients,
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(path, config, 0o600); err != nil {
		t.Fatal(err)
	}

	node := exec.Command("node", "server.mjs", path)
	node.Dir = folder
	var stderr bytes.Buffer
	node.Stderr = &stderr
	stdin, err := node.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := node.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close() // which ends it, as the end of this process would
		_ = node.Wait()
		if t.Failed() {
			t.Logf("oidc-provider logged: %s", stderr.String())
		}
	})
	port, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		_ = node.Wait()
		t.Fatalf("oidc-provider did not start: %v: %s", err, stderr.String())
	}
	return server{url: "https://127.0.0.1:" + strings.TrimSpace(port) + "/token", rt: identity.Client().Transport}
}

func TestOIDCProvider(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := startOIDCProvider(t, []map[string]any{
		{"client_id": "basic", "client_secret": hard, "token_endpoint_auth_method": "client_secret_basic"},
		{"client_id": "post", "client_secret": hard, "token_endpoint_auth_method": "client_secret_post"},
		{
			"client_id": "rsa", "token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": "RS256",
			"jwks": map[string]any{"keys": []any{map[string]string{
				"kty": "RSA", "use": "sig", "kid": "k1", "n": number(rsaKey.N), "e": number(big.NewInt(int64(rsaKey.E))),
			}}},
		},
		{
			"client_id": "ec", "token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": "ES256",
			"jwks": map[string]any{"keys": []any{map[string]string{
				"kty": "EC", "crv": "P-256", "use": "sig", "x": coordinate(ecKey, 1), "y": coordinate(ecKey, 33),
			}}},
		},
	})
	client := func(id exchange.Secret) exchange.Values { return exchange.Values{"clientID": id, "clientSecret": hard} }
	keyed := func(id exchange.Secret, key any, keyID exchange.Secret) exchange.Values {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return exchange.Values{"clientID": id, "privateKey": exchange.Secret(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "keyID": keyID}
	}
	const resource = "https://api.example.com"
	opaque := outcome{Lifetime: 10 * time.Minute}
	refused := outcome{Failed: true, Kind: exchange.Rejected, Status: 401, Code: "invalid_client"}

	tests := map[string]struct {
		req  ask
		want outcome
	}{
		"basic": {ask{v1alpha1.OAuth2{AuthMethod: "ClientSecretBasic"}, client("basic")}, opaque},
		// It decodes the credentials, as RFC 6749 section 2.3.1 requires, and so damages those that are not encoded.
		"raw basic, which it decodes": {ask{v1alpha1.OAuth2{AuthMethod: "ClientSecretBasicRaw"}, client("basic")}, outcome{
			Failed: true, Kind: exchange.Rejected, Status: 400, Code: "invalid_request",
		}},
		"post":      {ask{v1alpha1.OAuth2{AuthMethod: "ClientSecretPost"}, client("post")}, opaque},
		"RSA key":   {ask{v1alpha1.OAuth2{AuthMethod: "PrivateKeyJWT"}, keyed("rsa", rsaKey, "k1")}, opaque},
		"EC key":    {ask{v1alpha1.OAuth2{AuthMethod: "PrivateKeyJWT"}, keyed("ec", ecKey, "")}, opaque},
		"wrong key": {ask{v1alpha1.OAuth2{AuthMethod: "PrivateKeyJWT"}, keyed("ec", otherKey(t), "")}, refused},
		"wrong secret": {
			ask{v1alpha1.OAuth2{AuthMethod: "ClientSecretPost"}, exchange.Values{"clientID": "post", "clientSecret": "wrong"}}, refused,
		},
		// It does not distinguish the two.
		"post where basic is registered": {ask{v1alpha1.OAuth2{AuthMethod: "ClientSecretPost"}, client("basic")}, opaque},
		"scopes": {
			ask{v1alpha1.OAuth2{AuthMethod: "ClientSecretPost", Scopes: []v1alpha1.Scope{"read", "write"}}, client("post")},
			outcome{Lifetime: 10 * time.Minute, Granted: []string{"read", "write"}},
		},
		"a scope that it does not know": {
			ask{v1alpha1.OAuth2{AuthMethod: "ClientSecretPost", Scopes: []v1alpha1.Scope{"read", "admin"}}, client("post")},
			outcome{Lifetime: 10 * time.Minute, Granted: []string{"read"}},
		},
		// It silently drops unknown scopes, and says nothing about those that are left, although there are none.
		"scopes with commas": {
			ask{v1alpha1.OAuth2{AuthMethod: "ClientSecretPost", Scopes: []v1alpha1.Scope{"read", "write"}, ScopeSeparator: ","}, client("post")},
			opaque,
		},
		"a resource makes it a JWT": {
			ask{v1alpha1.OAuth2{AuthMethod: "ClientSecretPost", Resources: []string{resource}, Scopes: []v1alpha1.Scope{"read"}}, client("post")},
			outcome{JWT: true, Lifetime: 15 * time.Minute, Granted: []string{"read"}},
		},
		"a resource, basic": {
			ask{v1alpha1.OAuth2{Resources: []string{resource}}, client("basic")}, outcome{JWT: true, Lifetime: 15 * time.Minute},
		},
		"a resource that is no URI": {
			ask{v1alpha1.OAuth2{AuthMethod: "ClientSecretPost", Resources: []string{"api"}}, client("post")},
			outcome{Failed: true, Kind: exchange.Rejected, Status: 400, Code: "invalid_target"},
		},
		"JSON": {
			ask{v1alpha1.OAuth2{AuthMethod: "ClientSecretPost", RequestFormat: "JSON"}, client("post")},
			outcome{Failed: true, Kind: exchange.Rejected, Status: 400, Code: "invalid_request"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			try(t, s, test.req, test.want)
		})
	}
}

func otherKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// number returns a Base64urlUInt of RFC 7518.
func number(n *big.Int) string { return base64.RawURLEncoding.EncodeToString(n.Bytes()) }

// coordinate returns one coordinate of a P-256 key, which begins at this byte of the uncompressed point.
func coordinate(key *ecdsa.PrivateKey, from int) string {
	point, err := key.PublicKey.Bytes()
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(point[from : from+32])
}
