// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"crypto/x509"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// hard has every character that a careless encoder gets wrong.
const hard = "s+e/c=r:e%t!&x y"

func start(t *testing.T, options Options, clients ...Client) *Server {
	t.Helper()
	s, err := Start(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, c := range clients {
		if err := s.Register(c); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// ask is one request of a test. Its zero value is a POST without a body.
type ask struct {
	method string
	url    string
	kind   string // content type
	header map[string]string
	body   string
}

type reply struct {
	status int
	header http.Header
	raw    string
	fields map[string]any
}

// text is a field of the answer; a dot descends.
func (r reply) text(name string) string {
	fields := r.fields
	for {
		outer, rest, nested := strings.Cut(name, ".")
		if !nested {
			text, _ := fields[name].(string)
			return text
		}
		fields, _ = fields[outer].(map[string]any)
		name = rest
	}
}

func do(t *testing.T, s *Server, a ask) reply {
	t.Helper()
	if a.method == "" {
		a.method = http.MethodPost
	}
	request, err := http.NewRequestWithContext(t.Context(), a.method, a.url, strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	if a.kind != "" {
		request.Header.Set("Content-Type", a.kind)
	}
	for name, value := range a.header {
		request.Header.Set(name, value)
	}
	client := s.HTTPClient()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	r := reply{status: response.StatusCode, header: response.Header, raw: string(raw)}
	_ = json.Unmarshal(raw, &r.fields) // not every answer is JSON
	return r
}

// edited returns a request like a, but for what change does.
func (a ask) edited(change func(*ask)) ask {
	a.header = maps.Clone(a.header)
	if a.header == nil {
		a.header = map[string]string{}
	}
	change(&a)
	return a
}

func formOf(pairs ...string) string {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	return values.Encode()
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// refusals runs requests that must be refused: code is where the vendor's error shape has it.
func refusals(t *testing.T, s *Server, codeField string, cases map[string]refused) {
	t.Helper()
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := do(t, s, tc.ask)
			if r.status != tc.status || r.text(codeField) != tc.code {
				t.Errorf("got %d %q, want %d %q: %s", r.status, r.text(codeField), tc.status, tc.code, r.raw)
			}
		})
	}
}

type refused struct {
	ask    ask
	status int
	code   string
}

func TestUnknownPathAndMethod(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	if r := do(t, s, ask{url: s.URL(OAuth2) + "/elsewhere"}); r.status != 404 {
		t.Errorf("unknown path: got %d", r.status)
	}
	r := do(t, s, ask{method: http.MethodGet, url: s.URL(OAuth2) + "/oauth2/token"})
	if r.status != 405 || r.header.Get("Allow") != "POST" {
		t.Errorf("GET of a token: got %d, Allow %q", r.status, r.header.Get("Allow"))
	}
	if n := s.Stats().Requests(OAuth2, "other"); n != 1 {
		t.Errorf("counted %d requests elsewhere", n)
	}
}

func TestRegisterRefusesWhatCannotBe(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	if err := s.Register(Client{System: "nobody", ID: "x"}); err == nil {
		t.Error("an unknown system was accepted")
	}
	if err := s.Register(Client{System: Apsis}); err == nil {
		t.Error("an empty id was accepted")
	}
}

// A certificate of another authority must not do, or a test of caBundle would prove nothing.
func TestAuthorityIsItsOwn(t *testing.T) {
	t.Parallel()
	one, other := start(t, Options{}), start(t, Options{})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, one.APIURL(Basic), nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := other.HTTPClient().Do(request)
	if err == nil {
		_ = response.Body.Close()
		t.Error("the certificate was accepted")
	}
}

func TestClockOffsetShowsButDoesNotKill(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	s := start(t, Options{Now: func() time.Time { return now }, Behaviour: Behaviour{ClockOffset: -10 * time.Minute}},
		Client{System: Apsis, ID: "id", Secret: hard, Lifetime: 5 * time.Minute})
	r := do(t, s, apsisAsk(t, s))
	if got := r.header.Get("Date"); got != "Sat, 14 Mar 2026 14:59:26 GMT" {
		t.Errorf("Date is %q", got)
	}
	claims := verify(t, s, r.text("access_token"))
	if claims["iat"] != 1773500366.0 || claims["exp"] != 1773500666.0 {
		t.Errorf("iat %v, exp %v", claims["iat"], claims["exp"])
	}
	if a := do(t, s, ask{method: "GET", url: s.URL(Apsis) + "/api", header: map[string]string{"Authorization": "Bearer " + r.text("access_token")}}); a.status != 200 {
		t.Errorf("the API refused the token with %d", a.status)
	}
}

// TestServerListensAtGivenAddresses: a server may be called from elsewhere, by a name of its choice.
func TestServerListensAtGivenAddresses(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Addresses: map[System]string{OAuth2: "127.0.0.2:0"}, Hosts: []string{"127.0.0.2", "standin.example"}})
	if got := s.Host(OAuth2); !strings.HasPrefix(got, "127.0.0.2:") {
		t.Errorf("oauth2 listens on %s, want 127.0.0.2", got)
	}
	if got := s.Host(Adobe); !strings.HasPrefix(got, "127.0.0.1:") {
		t.Errorf("adobe listens on %s, want 127.0.0.1", got)
	}
	leaf, err := x509.ParseCertificate(s.authority.leaf.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"127.0.0.2", "standin.example", "localhost", "127.0.0.1"} {
		if err := leaf.VerifyHostname(name); err != nil {
			t.Error(err)
		}
	}
	response, err := s.HTTPClient().Get(s.APIURL(OAuth2))
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusUnauthorized {
		t.Errorf("status %d without a token, want 401", response.StatusCode)
	}
}
