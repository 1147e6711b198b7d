// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestConsume: the log of a pod, on which the end-to-end test relies, says what happened.
func TestConsume(t *testing.T) {
	t.Parallel()
	// {"exp":1700000000}, and two tokens that are not JWTs.
	const dated = "e30.eyJleHAiOjE3MDAwMDAwMDB9.x"
	statuses := map[string]int{"Bearer " + dated: http.StatusOK, "Bearer old": http.StatusUnauthorized, "Bearer odd": http.StatusTeapot}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(statuses[r.Header.Get("Authorization")])
	}))
	t.Cleanup(api.Close)
	tokens := []string{dated, dated, "old", "old", "odd", "", dated}
	var log strings.Builder
	c := &consumer{url: api.URL, client: api.Client(), log: &log, read: func() (string, error) {
		token := tokens[0]
		tokens = tokens[1:]
		if token == "" {
			return "", errors.New("no such file")
		}
		return token, nil
	}}
	for range 7 {
		c.turn(t.Context())
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if want := "a token that expires at 2023-11-14T22:13:20Z"; lines[0] != want {
		t.Errorf("the first line is %q, want %q", lines[0], want)
	}
	if got, want := lines[len(lines)-1], "renewals 3, calls 7, 401s 2, other failures 2, locked out for "; !strings.HasPrefix(got, want) {
		t.Errorf("the last line is %q, want %q", got, want)
	}
	if strings.Contains(log.String(), "e30") {
		t.Error("a token is in the log")
	}
}

// TestConsumerLockedOut: a period lasts from the first 401 to the next success, and the longest one counts.
func TestConsumerLockedOut(t *testing.T) {
	t.Parallel()
	c := &consumer{}
	for second, is := range []bool{false, true, true, false, false, true, false, true} {
		c.lockedOut(is, time.Unix(int64(second), 0))
	}
	if c.longest != 2*time.Second {
		t.Errorf("got %v, want 2s", c.longest)
	}
}
