// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

func TestSentRequestShowsOnlyWhatIsPlain(t *testing.T) {
	t.Parallel()
	h := secretsOf(&corev1.Secret{Data: map[string][]byte{"client-secret": []byte("p@ss word")}}, exchange.Token{Value: "the-token"})
	address, err := url.Parse("https://auth.example.com/token?key=in-the-url")
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{
		sent: &http.Request{Method: http.MethodPost, URL: address, Header: http.Header{
			"Authorization": {"Basic abc"}, "Content-Type": {"application/x-www-form-urlencoded"}, "X-Api-Key": {"in-a-header"}, "User-Agent": {"p@ss word"},
		}},
		body: []byte("grant_type=client_credentials&scope=p%40ss+word&client_secret=p%40ss+word&extra=in-the-body"),
	}
	want := &SentRequest{
		Method: "POST", URL: "https://auth.example.com/token?REDACTED",
		Headers: []Part{{"Authorization", "Basic REDACTED"}, {"Content-Type", "application/x-www-form-urlencoded"}, {"User-Agent", "REDACTED"}, {"X-Api-Key", "REDACTED"}},
		Body:    []Part{{"client_secret", "REDACTED"}, {"extra", "REDACTED"}, {"grant_type", "client_credentials"}, {"scope", "REDACTED"}},
	}
	if diff := cmp.Diff(want, r.request(h)); diff != "" {
		t.Error(diff)
	}
}

func TestAnswersShape(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		said string
		want []Part
	}{
		"kinds":    {`{"a":"x","b":1,"c":true,"d":null,"e":[1,2],"f":{"g":"y"}}`, []Part{{"a", "string"}, {"b", "number"}, {"c", "boolean"}, {"d", "null"}, {"e", "list of 2"}, {"f.g", "string"}}},
		"JWT":      {`{"t":"eyJhbGciOiJub25lIn0.eyJleHAiOjEsInN1YiI6IngifQ.AA"}`, []Part{{"t", "string, a JWT with the claims exp, sub"}}},
		"text":     {`"plain"`, []Part{{".", "string"}}},
		"no JSON":  {`<html>`, nil},
		"secret":   {`{"the-secret":1}`, []Part{{"REDACTED", "number"}}},
		"too deep": {`{"a":{"b":{"c":{"d":{"e":1}}}}}`, []Part{{"a.b.c.d", "object"}}},
	} {
		r := &recorder{response: &http.Response{StatusCode: http.StatusOK, Header: http.Header{}}}
		r.said.WriteString(test.said)
		got := r.answer(hidden{"the-secret"})
		if diff := cmp.Diff(test.want, got.Shape); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
