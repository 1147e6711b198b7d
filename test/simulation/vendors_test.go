// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// vendors are all token endpoints, the API that accepts their tokens, and the network to them.
type vendors struct {
	w      *world
	hosts  map[string]*host
	serial int
	// secrets is the valid secret of each client.
	secrets map[string]string
	// tokens are all issued tokens, by value.
	tokens map[string]*token
	// byClient are the valid tokens by host and client, the oldest first.
	byClient map[string][]*token
	// knowAll lets them accept every client with every secret.
	knowAll bool
	// learns is how long it takes until all nodes of the API know a new token.
	learns time.Duration
}

// A host is one endpoint.
type host struct {
	name string
	// offset is the error of its clock.
	offset   time.Duration
	lifetime time.Duration
	// opaque hosts issue opaque tokens, others JWTs.
	opaque bool
	// dated hosts send a Date, scoped ones the granted scopes; caching ones return a token again until shortly before it expires.
	dated, scoped, caching bool
	trouble                trouble
	// troubled is how it mistreats single clients.
	troubled map[string]trouble
	// early is the fraction of its lifetime after which the API rejects a token; lie is the factor by which expires_in is wrong. Zero: 1.
	early, lie float64
	// active is the number of tokens of a client that are valid at a time. Zero: all that were issued.
	active int
	// sameUntilDead hosts return a client's token again until it expires; caching ones return a new one a little earlier. didRepeat hosts did so and no
	// longer do.
	sameUntilDead, didRepeat bool
	// retryAfter is the maximum Retry-After of a 429 or 503, in seconds. Zero: minutes.
	retryAfter int
	// stray is the HTTP status that the next caller gets, whoever that is. Zero: none.
	stray int
	// steady hosts do not vary their answers: they use the first of several, or the middle of a range.
	steady bool
	kept   map[string]*token
}

// A token is a token that a host has issued.
type token struct {
	value, client string
	// request is what was requested; tokens of equal requests are interchangeable.
	request request
	host    string
	// end is its actual expiry, expires the expiry as it was announced, and dies when the API begins to reject it.
	end, expires, dies time.Duration
	revoked            bool
	// refused is set once the API has answered 401 to it.
	refused bool
	// first is the answer with which it was first issued.
	first *answer
}

// A request is what an exchange requests.
type request struct {
	host, client, secret, rest, resources string
}

// An ask is a request as it was sent.
type ask struct {
	request
	// update is the token whose resources are to be changed. Empty: a new token is requested.
	update string
}

// An answer is the result of an exchange.
type answer struct {
	ask  ask
	pass *pass
	// sent and received are true times.
	sent, received time.Duration
	// token is nil if the vendor issued none. failure is set if the operator cannot use the answer; retryAfter is negative unless it had a Retry-After.
	token      *token
	failure    failureKind
	retryAfter time.Duration
	// had is set if there was a current token when an attempt failed; left is its remaining lifetime.
	had  bool
	left time.Duration
	// doubtful is set if milliseconds decide whether the token is usable.
	doubtful bool
	// published is set once the token is in a target.
	published bool
}

// A failureKind is a row of the table in section 4 of the contract.
type failureKind int

const (
	none failureKind = iota
	rejected
	throttled
	unavailable
)

// trouble is how a host misbehaves.
type trouble int

const (
	fine trouble = iota
	serverError
	serverErrorRetryAfter
	throttling
	throttlingRetryAfter
	unauthorized
	garbage
	deadTokens
	slow
	hanging
	issuingAndHanging
	resetting
	redirecting
	lostName
	refusing
	flaky
	rejectingTokens
	forbidding
	troubles
)

func (t trouble) String() string {
	return [...]string{"fine", "5xx", "503 with Retry-After", "429", "429 with Retry-After", "401", "garbage", "dead tokens", "slow", "hanging",
		"issuing and hanging", "resetting", "redirecting", "lost name", "refusing connections", "flaky", "rejecting tokens", "forbidding"}[t]
}

func newVendors(w *world) *vendors {
	return &vendors{w: w, hosts: map[string]*host{}, secrets: map[string]string{}, tokens: map[string]*token{}, byClient: map[string][]*token{}}
}

// Read returns pseudo-random bytes that depend on the seed.
func (v *vendors) Read(p []byte) (int, error) {
	var eight [8]byte
	for i := range p {
		if i%8 == 0 {
			binary.LittleEndian.PutUint64(eight[:], v.w.chance.Uint64())
		}
		p[i] = eight[i%8]
	}
	return len(p), nil
}

// RoundTrip implements http.RoundTripper.
func (v *vendors) RoundTrip(req *http.Request) (*http.Response, error) {
	p := v.w.running
	h := v.hosts[req.URL.Host]
	if h == nil {
		return nil, &net.DNSError{Err: "no such host", Name: req.URL.Host, IsNotFound: true}
	}
	if req.Method == http.MethodGet {
		return v.verify(p, h, req)
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	a := &answer{ask: v.parse(req, body), pass: p, sent: v.w.now, retryAfter: -1}
	p.requests = append(p.requests, "exchange")
	p.answer = a
	v.w.judge.asked(a)
	p.mayDie(nil)
	arrives := func() {
		h.answer(v, a)
		v.w.tell("replica %d, dead: its exchange for %s arrives nevertheless", p.replica.id, p.name.Name)
	}
	p.mayDie(arrives)
	if !p.on.yield(v.w.between(5*time.Millisecond, 80*time.Millisecond)) {
		if v.w.maybe(0.5) {
			arrives()
		}
		panic(killed{})
	}
	took, reply, err := h.answer(v, a)
	p.sleep(took)
	a.received = v.w.now
	v.w.tell("replica %d: %s: exchange at %s: %s", p.replica.id, p.name.Name, h.name, a)
	v.w.judge.answered(a)
	p.mayDie(nil)
	if p.replica.deadline(a.sent) && v.w.maybe(0.5) {
		return nil, context.DeadlineExceeded // the process was paused meanwhile
	}
	return reply, err
}

// deadline reports whether an exchange sent at that time has timed out.
func (r *replica) deadline(sent time.Duration) bool { return r.w.now-sent > 15*time.Second }

func (a *answer) String() string {
	what := [...]string{"", "rejected", "throttled", "unavailable"}[a.failure]
	if a.failure != none && a.retryAfter >= 0 {
		what += fmt.Sprintf(", Retry-After %s", a.retryAfter)
	}
	if a.token != nil {
		what = strings.TrimSpace(what + " " + a.token.name())
	}
	return what
}

// name returns a short name with the expiry.
func (t *token) name() string {
	serial, _, _ := strings.Cut(strings.TrimPrefix(t.value, "tok-"), "-")
	return fmt.Sprintf("token %s (to %s)", serial[:min(len(serial), 12)], t.expires)
}

// parse parses the request of a provider.
func (v *vendors) parse(req *http.Request, body []byte) ask {
	a := ask{request: request{host: req.URL.Host}}
	if tenant := req.Header["tenant_hash"]; tenant != nil { //nolint:staticcheck // the header is sent in this case
		var sent struct {
			Resource []string
			Validity int
			Token    string
		}
		_ = json.Unmarshal(body, &sent)
		a.client, a.secret = tenant[0], strings.Join(req.Header["oauth_key_secret"], "") //nolint:staticcheck // see above
		a.rest, a.resources, a.update = fmt.Sprintf("%s %d", strings.Split(req.URL.Path, "/")[3], sent.Validity), strings.Join(sent.Resource, " "), sent.Token
		return a
	}
	if id, secret, ok := req.BasicAuth(); ok {
		a.client, a.secret, a.rest = id, secret, req.URL.Path+"?"+string(body)
		return a
	}
	sent := map[string]string{}
	_ = json.Unmarshal(body, &sent)
	a.client, a.secret, a.rest = sent["client_id"], sent["client_secret"], req.URL.Path+" "+sent["audience"]
	return a
}

// answer decides what a host answers, and after which time.
func (h *host) answer(v *vendors, a *answer) (took time.Duration, reply *http.Response, err error) {
	w := v.w
	took = w.between(5*time.Millisecond, 200*time.Millisecond)
	how := h.mood(w, a.ask.client)
	fail := func(kind failureKind, status int, header http.Header, body string) (time.Duration, *http.Response, error) {
		a.failure = kind
		if after := header.Get("Retry-After"); after != "" {
			var seconds int
			fmt.Sscan(after, &seconds)
			a.retryAfter = time.Duration(seconds) * time.Second
		}
		return took, h.reply(w, status, header, body), nil
	}
	if stray := h.stray; stray != 0 {
		h.stray = 0
		kind := rejected
		if stray >= 500 {
			kind = unavailable
		}
		return fail(kind, stray, nil, "<html>who are you?</html>")
	}
	switch how {
	case serverError:
		return fail(unavailable, oneOf(h, w, 500, 502, 503), nil, "<html>sorry</html>")
	case serverErrorRetryAfter:
		return fail(unavailable, 503, http.Header{"Retry-After": {h.seconds(w, 120)}}, "")
	case throttling:
		return fail(throttled, 429, nil, `{"error":"slow_down"}`)
	case throttlingRetryAfter:
		return fail(throttled, 429, http.Header{"Retry-After": {h.seconds(w, 300)}}, "")
	case unauthorized:
		return fail(rejected, oneOf(h, w, 400, 401, 403), nil, `{"error":"invalid_client"}`)
	case redirecting:
		return fail(unavailable, 302, http.Header{"Location": {"https://elsewhere.example/"}}, "")
	case garbage:
		kind := unavailable
		if a.ask.update != "" {
			kind = rejected // the token cannot be updated, so the operator requests a new one
		}
		return fail(kind, 200, nil, oneOf(h, w, "", "{", `[]`, `{"access_token":""}`, `{"access_token":"a b","expires_in":60}`, `{"error":"no"}`, `"x"`))
	case resetting:
		a.failure = unavailable
		return took, nil, &net.OpError{Op: "read", Err: syscall.ECONNRESET}
	case refusing:
		a.failure = unavailable
		return took, nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	case lostName:
		a.failure = unavailable
		return took, nil, &net.DNSError{Err: "server misbehaving", IsTemporary: true}
	case hanging:
		a.failure = unavailable
		return 15 * time.Second, nil, context.DeadlineExceeded
	case slow:
		took = w.between(time.Second, 14500*time.Millisecond)
	}
	if !v.knowAll && v.secrets[a.ask.client] != a.ask.secret {
		return fail(rejected, 401, nil, `{"error":"invalid_client"}`)
	}
	if a.ask.update != "" {
		return h.update(v, a, took, fail)
	}
	lifetime := h.lifetime
	if h.name == algonomyHost { // its lifetime is the requested one
		minutes := 0
		fmt.Sscanf(a.ask.rest, "profile %d", &minutes)
		lifetime = time.Duration(minutes) * time.Minute
	} else if how == deadTokens {
		a.doubtful = true
		lifetime = time.Duration(w.chance.IntN(4)) * time.Second
		took += w.between(0, 6*time.Second)
	}
	t, body := h.issue(v, a, lifetime)
	a.token = t
	if how == issuingAndHanging {
		a.failure = unavailable
		return 15 * time.Second, nil, context.DeadlineExceeded
	}
	return took, h.reply(w, 200, nil, body), nil
}

// mood returns how a host treats a client this time.
func (h *host) mood(w *world, client string) trouble {
	how := h.trouble
	if of := h.troubled[client]; of != fine {
		how = of
	}
	switch {
	case how != flaky:
		return how
	case w.maybe(0.4):
		return trouble(1 + w.chance.IntN(int(flaky)-1))
	}
	return fine
}

// oneOf picks one of several possible answers.
func oneOf[T any](h *host, w *world, list ...T) T {
	if h.steady {
		return list[0]
	}
	return pick(w, list)
}

// seconds returns a Retry-After.
func (h *host) seconds(w *world, most int) string {
	if h.retryAfter > 0 {
		most = h.retryAfter
	}
	if h.steady {
		return fmt.Sprint(most / 2)
	}
	return fmt.Sprint(1 + w.chance.IntN(most))
}

// update changes the resources of an Algonomy token.
func (h *host) update(v *vendors, a *answer, took time.Duration, fail func(failureKind, int, http.Header, string) (time.Duration, *http.Response, error)) (time.Duration, *http.Response, error) {
	held := v.tokens[a.ask.update]
	if held == nil || held.dies <= v.w.now || !h.steady && v.w.maybe(0.3) {
		a.failure = rejected
		return fail(rejected, oneOf(h, v.w, 400, 404, 409), nil, `{}`)
	}
	held.request.resources = a.ask.resources
	a.token = held
	return took, h.reply(v.w, 200, nil, fmt.Sprintf(`{"token":%q}`, held.value)), nil
}

// issue issues a token and returns it with the body of the response.
func (h *host) issue(v *vendors, a *answer, lifetime time.Duration) (*token, string) {
	w := v.w
	key := fmt.Sprint(a.ask.request)
	t, lie := h.kept[key], 1.0
	if !h.again(w, t, lifetime) {
		t, lie = h.mint(v, a, lifetime), cmp.Or(h.lie, 1)
		if h.caching || h.sameUntilDead {
			h.kept[key] = t
		}
		h.retire(v, t)
	}
	if h.name == algonomyHost {
		t.expires = t.end
		return t, fmt.Sprintf(`{"token":%q}`, t.value)
	}
	scope := ""
	if form, err := url.ParseQuery(a.ask.rest[strings.Index(a.ask.rest, "?")+1:]); h.scoped && err == nil {
		scope = fmt.Sprintf(`,"scope":%q`, form.Get("scope"))
	}
	if !h.opaque && h.lie == 0 {
		t.expires = t.end
		return t, fmt.Sprintf(`{"access_token":%q,"token_type":"Bearer"%s}`, t.value, scope)
	}
	said := int(t.left(w).Seconds() * lie)
	switch says := w.now + time.Duration(said)*time.Second; {
	case h.opaque:
		t.expires = max(t.expires, says)
	case h.name == apsisHost, said == 0: // its expires_in is deprecated; and if that is zero, only the token's own expiry is left
		t.expires = t.end
	default:
		t.expires = max(t.expires, min(t.end, says))
	}
	return t, fmt.Sprintf(`{"access_token":%q,"token_type":"bearer","expires_in":%d%s}`, t.value, said, scope)
}

// again reports whether a host returns a token that it has issued before.
func (h *host) again(w *world, t *token, lifetime time.Duration) bool {
	switch {
	case t == nil || t.revoked:
		return false
	case h.sameUntilDead:
		return t.left(w) >= time.Second
	}
	return h.caching && t.left(w) >= max(lifetime/10, 25*time.Second)
}

func (t *token) left(w *world) time.Duration { return t.end - w.now }

// mint makes a new token.
func (h *host) mint(v *vendors, a *answer, lifetime time.Duration) *token {
	w := v.w
	v.serial++
	t := &token{client: a.ask.client, request: a.ask.request, host: h.name, end: w.now + lifetime, first: a}
	if h.opaque {
		t.value = fmt.Sprintf("tok-%d-%s", v.serial, subject(a.ask.client))
	} else {
		clock := w.clock().Add(h.offset)
		exp := clock.Add(lifetime).Truncate(time.Second)
		t.end = exp.Add(-h.offset).Sub(w.epoch)
		encode := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
		t.value = encode(fmt.Sprintf(`{"kid":"%d"}`, v.serial)) + "." +
			encode(fmt.Sprintf(`{"iat":%d,"exp":%d,"sub":%q}`, clock.Unix(), exp.Unix(), subject(a.ask.client))) + ".c2ln"
	}
	t.dies = w.now + time.Duration(float64(t.end-w.now)*cmp.Or(h.early, 1))
	v.tokens[t.value] = t
	return t
}

// subject returns the client's name in a token, shortened so that the token does not become too long.
func subject(client string) string { return client[:min(len(client), 100)] }

// retire revokes the oldest tokens of a client that has too many.
func (h *host) retire(v *vendors, t *token) {
	if h.active == 0 {
		return
	}
	of := h.name + " " + t.client
	live := append(v.byClient[of], t)
	for ; len(live) > h.active; live = live[1:] {
		live[0].revoked = true
	}
	v.byClient[of] = live
}

func (h *host) reply(w *world, status int, header http.Header, body string) *http.Response {
	if header == nil {
		header = http.Header{}
	}
	if h.dated {
		header.Set("Date", w.clock().Add(h.offset).UTC().Format(http.TimeFormat))
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(bytes.NewReader([]byte(body)))}
}

// verify is the API that accepts the tokens.
func (v *vendors) verify(p *pass, h *host, req *http.Request) (*http.Response, error) {
	w := v.w
	p.requests = append(p.requests, "verify")
	p.mayDie(nil)
	p.sleep(w.between(5*time.Millisecond, 100*time.Millisecond))
	_, value, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	if token := req.Header["access_token"]; token != nil { //nolint:staticcheck // the header is sent in this case
		value = token[0]
	}
	status := 200
	t := v.tokens[value]
	switch {
	case h.stray != 0:
		status, h.stray = h.stray, 0
		if t != nil {
			t.refused = t.refused || status == 401
		}
	case t != nil && t.first != nil && w.now-t.first.received < v.learns && w.maybe(0.5): // a node that does not know it yet
		status, t.refused = 401, true
	case h.trouble == rejectingTokens || t == nil && strings.Count(value, "-") > 0 || t != nil && (t.revoked || t.dies <= w.now):
		status = 401
		if t != nil {
			t.refused = true
		}
	case h.trouble == forbidding:
		status = 403
	case h.trouble == throttling, h.trouble == throttlingRetryAfter:
		status = 429
	case h.trouble != fine:
		status = 503
	}
	w.tell("replica %d: %s: the API answers %d", p.replica.id, p.name.Name, status)
	p.sleep(w.between(5*time.Millisecond, 100*time.Millisecond))
	p.mayDie(nil)
	return h.reply(w, status, nil, ""), nil
}
