// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/client-go/rest"
)

// A reviewer is an API server that only handles reviews: "known" is the token of a user, "reader" that of a user who may read metrics.
type reviewer struct {
	mu    sync.Mutex
	down  bool
	asked []string
}

func (r *reviewer) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, request.URL.Path)
	if r.down {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	switch request.URL.Path {
	case "/apis/authentication.k8s.io/v1/tokenreviews":
		var review authenticationv1.TokenReview
		_ = json.NewDecoder(request.Body).Decode(&review)
		token := review.Spec.Token
		review.Spec.Token = ""
		if review.Status.Authenticated = token == "known" || token == "reader"; review.Status.Authenticated {
			review.Status.User = authenticationv1.UserInfo{Username: token, UID: "7", Groups: []string{"scrapers"}, Extra: map[string]authenticationv1.ExtraValue{"pod": {"p"}}}
		}
		_ = json.NewEncoder(w).Encode(review)
	case "/apis/authorization.k8s.io/v1/subjectaccessreviews":
		var review authorizationv1.SubjectAccessReview
		_ = json.NewDecoder(request.Body).Decode(&review)
		review.Status.Allowed = cmp.Equal(review.Spec, authorizationv1.SubjectAccessReviewSpec{
			User: "reader", UID: "7", Groups: []string{"scrapers", "system:authenticated"}, Extra: map[string]authorizationv1.ExtraValue{"pod": {"p"}},
			NonResourceAttributes: &authorizationv1.NonResourceAttributes{Verb: "get", Path: "/metrics"},
		})
		_ = json.NewEncoder(w).Encode(review)
	}
}

func (r *reviewer) set(down bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = down
}

func (r *reviewer) requests() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.asked)
}

// guarded returns the metrics page with the manager's options, behind a reviewer.
func guarded(t *testing.T, r *reviewer) http.Handler {
	t.Helper()
	api := httptest.NewServer(r)
	t.Cleanup(api.Close)
	config := &rest.Config{Host: api.URL, ContentConfig: rest.ContentConfig{ContentType: "application/json"}, QPS: -1}
	filter, err := metricsOptions(&options{metricsSecure: true}).FilterProvider(config, api.Client())
	if err != nil {
		t.Fatal(err)
	}
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("metrics")) })
	handler, err := filter(logr.Discard(), page)
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

func read(t *testing.T, page http.Handler, method, path, authorization string) int {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	answer := httptest.NewRecorder()
	page.ServeHTTP(answer, request)
	if shown := answer.Body.String() == "metrics"; shown != (answer.Code == http.StatusOK) {
		t.Errorf("the metrics are shown: %t, with status %d", shown, answer.Code)
	}
	return answer.Code
}

func TestMetricsAreForWhoMayReadThem(t *testing.T) {
	for name, tc := range map[string]struct {
		authorization, method, path string
		status, requests            int
	}{
		"nobody":                 {"", "GET", "/metrics", 401, 0},
		"another scheme":         {"Basic cmVhZGVyOg==", "GET", "/metrics", 401, 0},
		"no token":               {"Bearer ", "GET", "/metrics", 401, 0},
		"an unknown token":       {"Bearer forged", "GET", "/metrics", 500, 1},
		"a user without a right": {"Bearer known", "GET", "/metrics", 403, 2},
		"a reader":               {"Bearer reader", "GET", "/metrics", 200, 2},
		"the scheme has no case": {"bearer reader", "GET", "/metrics", 200, 2},
		"a reader elsewhere":     {"Bearer reader", "GET", "/debug", 403, 2},
		"a reader who writes":    {"Bearer reader", "POST", "/metrics", 403, 2},
	} {
		t.Run(name, func(t *testing.T) {
			r := &reviewer{}
			page := guarded(t, r)
			if status := read(t, page, tc.method, tc.path, tc.authorization); status != tc.status {
				t.Errorf("status %d, want %d", status, tc.status)
			}
			if n := r.requests(); n != tc.requests {
				t.Errorf("%d requests to the API server, want %d", n, tc.requests)
			}
		})
	}
}

// TestMetricsReadersAreCached: metrics matter most while the API server is in trouble, so authorized readers are remembered for a while.
func TestMetricsReadersAreCached(t *testing.T) {
	r := &reviewer{}
	page := guarded(t, r)
	if status := read(t, page, "GET", "/metrics", "Bearer reader"); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	r.set(true)
	if status := read(t, page, "GET", "/metrics", "Bearer reader"); status != http.StatusOK {
		t.Errorf("status %d without the API server, want 200", status)
	}
}

// TestMetricsRefusalsAreCached: clients without the right cannot make the operator ask the API server again and again.
func TestMetricsRefusalsAreCached(t *testing.T) {
	for token, want := range map[string]struct{ status, requests int }{"forged": {500, 1}, "known": {403, 2}} {
		r := &reviewer{}
		page := guarded(t, r)
		for range 100 {
			if status := read(t, page, "GET", "/metrics", "Bearer "+token); status != want.status {
				t.Fatalf("status %d, want %d", status, want.status)
			}
		}
		if n := r.requests(); n != want.requests {
			t.Errorf("%s: %d requests to the API server, want %d", token, n, want.requests)
		}
	}
}
