package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/client-go/rest"
	clocktesting "k8s.io/utils/clock/testing"
)

// A reviewer is an API server that only reviews: "known" is the token of a user, "reader" that of one who may read the metrics.
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
			User: "reader", UID: "7", Groups: []string{"scrapers"}, Extra: map[string]authorizationv1.ExtraValue{"pod": {"p"}},
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

// guarded is the metrics page behind a reviewer.
func guarded(t *testing.T, r *reviewer) (http.Handler, *clocktesting.FakeClock) {
	t.Helper()
	api := httptest.NewServer(r)
	t.Cleanup(api.Close)
	config := &rest.Config{Host: api.URL, ContentConfig: rest.ContentConfig{ContentType: "application/json"}, QPS: -1}
	now := clocktesting.NewFakeClock(time.Unix(1_800_000_000, 0))
	m, err := newMetricsAccess(config, api.Client(), now)
	if err != nil {
		t.Fatal(err)
	}
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("metrics")) })
	return m.before(page, logr.Discard()), now
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

func TestWhoMayReadMetrics(t *testing.T) {
	for name, tc := range map[string]struct {
		authorization, method, path string
		down                        bool
		status, requests            int
	}{
		"nobody":                 {"", "GET", "/metrics", false, 401, 0},
		"another scheme":         {"Basic cmVhZGVyOg==", "GET", "/metrics", false, 401, 0},
		"no token":               {"Bearer ", "GET", "/metrics", false, 401, 0},
		"an unknown token":       {"Bearer forged", "GET", "/metrics", false, 401, 1},
		"a user without a right": {"Bearer known", "GET", "/metrics", false, 403, 2},
		"a reader":               {"Bearer reader", "GET", "/metrics", false, 200, 2},
		"the scheme has no case": {"bearer reader", "GET", "/metrics", false, 200, 2},
		"a reader elsewhere":     {"Bearer reader", "GET", "/debug", false, 403, 2},
		"a reader who writes":    {"Bearer reader", "POST", "/metrics", false, 403, 2},
		"no API server":          {"Bearer reader", "GET", "/metrics", true, 503, 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := &reviewer{down: tc.down}
			page, _ := guarded(t, r)
			if status := read(t, page, tc.method, tc.path, tc.authorization); status != tc.status {
				t.Errorf("status %d, want %d", status, tc.status)
			}
			if n := r.requests(); n != tc.requests {
				t.Errorf("%d requests to the API server, want %d", n, tc.requests)
			}
		})
	}
}

// Metrics are wanted most when the API server is in trouble: who was let in may come again for a minute, and no longer.
func TestReadersAreRemembered(t *testing.T) {
	r := &reviewer{}
	page, now := guarded(t, r)
	var got []int
	again := func(authorization string) { got = append(got, read(t, page, "GET", "/metrics", authorization)) }
	again("Bearer reader")
	r.set(true)
	now.Step(accessHolds - time.Second)
	again("Bearer reader")
	again("Bearer known")
	now.Step(2 * time.Second)
	again("Bearer reader")
	r.set(false)
	again("Bearer reader")
	if diff := cmp.Diff([]int{200, 200, 503, 503, 200}, got); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
}
