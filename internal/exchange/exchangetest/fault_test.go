// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func faulty(fault *Fault) Behaviour { return Behaviour{Fault: func(Request) *Fault { return fault }} }

func TestAnswersOfFaults(t *testing.T) {
	t.Parallel()
	s := start(t, Options{}, Client{System: Apsis, ID: "id", Secret: hard})
	for name, tc := range map[string]struct {
		fault *Fault
		check func(reply) bool
	}{
		"own error":        {Answer(503), func(r reply) bool { return r.status == 503 && r.text("title") == "Service Unavailable" }},
		"throttled":        {Throttled("120"), func(r reply) bool { return r.status == 429 && r.header.Get("Retry-After") == "120" }},
		"throttled, silly": {Throttled(""), func(r reply) bool { return r.status == 429 && r.header.Get("Retry-After") == "" }},
		"empty":            {Empty(403), func(r reply) bool { return r.status == 403 && r.raw == "" }},
		"HTML":             {HTML(502), func(r reply) bool { return r.status == 502 && strings.HasPrefix(r.raw, "<!doctype html>") }},
		"garbage":          {Garbage(), func(r reply) bool { return r.status == 200 && r.fields == nil }},
		"oversized":        {Oversized(), func(r reply) bool { return r.status == 200 && len(r.raw) > 2<<20 }},
		"redirect": {Redirect(307, "https://elsewhere.example.com/"), func(r reply) bool {
			return r.status == 307 && r.header.Get("Location") == "https://elsewhere.example.com/"
		}},
		"unsafe": {Unsafe(), func(r reply) bool { return strings.Contains(r.text("access_token"), "\r\n") }},
		"BOM":    {BOM(), func(r reply) bool { return strings.HasPrefix(r.raw, "\xef\xbb\xbf{") }},
		"plain text": {PlainText(), func(r reply) bool {
			return r.header.Get("Content-Type") == "text/plain" && r.text("access_token") != ""
		}},
		"no expires_in": {Without("expires_in"), func(r reply) bool { return r.fields["expires_in"] == nil && r.text("access_token") != "" }},
		"drip":          {Drip(time.Microsecond), func(r reply) bool { return r.text("access_token") != "" }},
		"expired":       {Expired(), func(r reply) bool { return r.fields["expires_in"] == -60.0 }},
		"delay":         {&Fault{Delay: time.Millisecond}, func(r reply) bool { return r.status == 200 }},
		"none":          {nil, func(r reply) bool { return r.status == 200 }},
	} {
		s.SetBehaviour(faulty(tc.fault))
		if r := do(t, s, apsisAsk(t, s)); !tc.check(r) {
			t.Errorf("%s: got %d %v %.200s", name, r.status, r.header, r.raw)
		}
	}
	s.SetBehaviour(faulty(Expired()))
	dead := do(t, s, apsisAsk(t, s)).text("access_token")
	s.SetBehaviour(Behaviour{})
	if r := do(t, s, ask{method: "GET", url: s.APIURL(Apsis), header: map[string]string{"Authorization": "Bearer " + dead}}); r.status != 401 {
		t.Errorf("the API answered a dead token with %d", r.status)
	}
}

// With HTTP/1.1 and with HTTP/2 the client sees a broken connection, not an answer.
func TestResetAndHang(t *testing.T) {
	t.Parallel()
	for _, http2 := range []bool{false, true} {
		s := start(t, Options{Behaviour: faulty(Reset())}, Client{System: Apsis, ID: "id", Secret: hard})
		client := s.HTTPClient()
		transport, _ := client.Transport.(*http.Transport)
		transport.ForceAttemptHTTP2 = http2
		send := func(ctx context.Context) error {
			request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL(Apsis)+"/oauth/token", strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			response, err := client.Do(request)
			if err == nil {
				_, _ = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
			}
			return err
		}
		if err := send(t.Context()); err == nil {
			t.Errorf("HTTP/2 %t: reset gave an answer", http2)
		}
		arrived, ended := make(chan struct{}, 1), make(chan error, 1)
		s.SetBehaviour(Behaviour{Fault: func(Request) *Fault { arrived <- struct{}{}; return Hang() }})
		ctx, cancel := context.WithCancel(t.Context())
		go func() { ended <- send(ctx) }()
		<-arrived
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("HTTP/2 %t: hang ended with %v", http2, err)
		}
		go func() { ended <- send(t.Context()) }()
		<-arrived
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; err == nil {
			t.Errorf("HTTP/2 %t: closing the server gave an answer", http2)
		}
		if n := s.Stats().Answers[AnswerKey{Apsis, "/oauth/token", 0}]; n != 3 {
			t.Errorf("HTTP/2 %t: counted %d requests without an answer", http2, n)
		}
	}
}

func TestHookIsToldWhoAsks(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var seen []Request
	s := start(t, Options{}, Client{System: Apsis, ID: "id", Secret: hard}, Client{System: Algonomy, ID: "tenant"},
		Client{System: OAuth2, ID: "o id", Secret: hard}, Client{System: OAuth2, ID: "raw+", Secret: hard, Auth: AuthBasicRaw})
	s.SetBehaviour(Behaviour{Fault: func(r Request) *Fault {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, r)
		return nil
	}})
	token := do(t, s, apsisAsk(t, s)).text("access_token")
	do(t, s, apsisAsk(t, s))
	do(t, s, ask{method: "GET", url: s.APIURL(Apsis), header: map[string]string{"Authorization": "Bearer " + token}})
	do(t, s, ask{url: s.URL(Algonomy) + "/secureApi/token/gdpr/create", kind: "application/json", header: map[string]string{"tenant_hash": "tenant"}})
	oauth2 := ask{url: s.URL(OAuth2) + "/oauth2/token", kind: "application/x-www-form-urlencoded"}
	do(t, s, oauth2.edited(func(a *ask) { a.header["Authorization"] = basicOf("o+id", "x") }))
	do(t, s, oauth2.edited(func(a *ask) { a.header["Authorization"] = basicOf("raw+", "x") }))
	do(t, s, oauth2.edited(func(a *ask) { a.body = "client_id=somebody" }))
	do(t, s, oauth2.edited(func(a *ask) { a.body = "client_assertion=e30.eyJpc3MiOiJzaWduZXIifQ.x" }))

	got := make([]string, 0, len(seen))
	for _, r := range seen {
		got = append(got, strings.Join([]string{string(r.System), r.Path, r.ClientID, strings.Repeat("I", r.Count)}, " "))
	}
	want := []string{
		"apsis /oauth/token id I",
		"apsis /oauth/token id II",
		"apsis /api id I",
		"algonomy /secureApi/token/gdpr/create tenant I",
		"oauth2 /oauth2/token o id I",
		"oauth2 /oauth2/token raw+ I",
		"oauth2 /oauth2/token somebody I",
		"oauth2 /oauth2/token signer I",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestCountsAndSecrets(t *testing.T) {
	t.Parallel()
	s := start(t, Options{}, Client{System: Apsis, ID: "id", Secret: hard})
	arrived, release := make(chan struct{}, 5), make(chan struct{})
	s.SetBehaviour(Behaviour{Fault: func(Request) *Fault { arrived <- struct{}{}; <-release; return nil }})
	var group sync.WaitGroup
	for range 5 {
		group.Go(func() { do(t, s, apsisAsk(t, s)) })
	}
	for range 5 {
		<-arrived
	}
	if n := s.Stats().InFlight[Apsis]; n != 5 {
		t.Errorf("%d in flight", n)
	}
	close(release)
	group.Wait()
	s.SetBehaviour(Behaviour{})
	do(t, s, apsisAsk(t, s).edited(func(a *ask) { a.body = strings.Replace(a.body, `"s+e`, `"presented-in-vain`, 1) }))

	stats := s.Stats()
	seconds := 0
	for _, n := range stats.PerSecond[Apsis] {
		seconds += n
	}
	if stats.MaxInFlight[Apsis] != 5 || seconds != 6 || stats.Requests(Apsis, "/oauth/token") != 6 ||
		stats.Answers[AnswerKey{Apsis, "/oauth/token", 200}] != 5 || stats.Answers[AnswerKey{Apsis, "/oauth/token", 401}] != 1 {
		t.Errorf("counted %+v", stats)
	}
	s.ResetMaxInFlight()
	if n := s.Stats().MaxInFlight[Apsis]; n != 0 {
		t.Errorf("%d in flight after the reset", n)
	}
	secrets := s.Secrets()
	for _, token := range s.Tokens() {
		if !slices.Contains(secrets, token.Value) {
			t.Error("an issued token is no secret")
		}
	}
	for _, want := range []string{
		hard, "s%2Be%2Fc%3Dr%3Ae%25t%21%26x+y", base64.StdEncoding.EncodeToString([]byte("id:" + hard)), "presented-in-vain/c=r:e%t!&x y",
	} {
		if !slices.Contains(secrets, want) {
			t.Errorf("%q is no secret", want)
		}
	}
	if n := s.RevokeClient(Apsis, "id"); n != 5 {
		t.Errorf("revoked %d tokens", n)
	}
}

func TestForgetBoundsMemory(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	l, kept := newLedger(time.Minute), newSecrets(time.Minute)
	histogram := newCounts(10)
	kept.rememberForever("client secret")
	for i := range 5000 {
		value := time.Duration(i).String()
		l.add(Token{Value: value, Issued: now, Expires: now.Add(time.Second)})
		l.use(clientKey{}, value, now, now.Add(time.Second))
		kept.remember(value, now, now.Add(time.Second))
		histogram.arrive(Apsis, now)
		now = now.Add(time.Second)
	}
	if len(l.tokens) > 1100 || len(l.jtis) > 1100 || len(kept.until) > 1100 || len(histogram.stats.PerSecond[Apsis]) > 71 {
		t.Errorf("kept %d tokens, %d ids, %d secrets, %d seconds", len(l.tokens), len(l.jtis), len(kept.until), len(histogram.stats.PerSecond[Apsis]))
	}
	if until, known := kept.until["client secret"]; !known || !until.IsZero() {
		t.Error("the client secret was forgotten")
	}
}
