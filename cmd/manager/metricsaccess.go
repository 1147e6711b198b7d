package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/go-logr/logr"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/cache"
	authenticationclient "k8s.io/client-go/kubernetes/typed/authentication/v1"
	authorizationclient "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

const (
	// accessHolds is how long a reader who was let in is not asked about again: also the time for which metrics outlive the API server.
	accessHolds = time.Minute
	// accessPatience is how long the API server may take to answer, and accessAtOnce how many readers may wait for that.
	accessPatience = 10 * time.Second
	accessAtOnce   = 8
	// mostReaders is how many tokens are remembered.
	mostReaders = 64
)

var (
	errNotAuthenticated = errors.New("authenticate with a bearer token that the API server knows")
	errNotAllowed       = errors.New("reading metrics is not allowed: bind the ClusterRole metrics-reader")
)

// A metricsAccess lets those read the metrics whom the API server knows (TokenReview) and allows to (SubjectAccessReview). It does what
// controller-runtime's filter does; that is made of the API server's own packages, which are a fifth of the program and of its memory.
type metricsAccess struct {
	tokens  authenticationclient.TokenReviewInterface
	access  authorizationclient.SubjectAccessReviewInterface
	allowed *cache.LRUExpireCache
	asking  chan struct{}
}

// A reading is what was allowed. The token is not kept, only its hash.
type reading struct {
	token      [sha256.Size]byte
	verb, path string
}

// metricsFilter makes the filter of a metrics server.
func metricsFilter(config *rest.Config, httpClient *http.Client) (server.Filter, error) {
	m, err := newMetricsAccess(config, httpClient, clock.RealClock{})
	if err != nil {
		return nil, err
	}
	return func(log logr.Logger, metrics http.Handler) (http.Handler, error) { return m.before(metrics, log), nil }, nil
}

func newMetricsAccess(config *rest.Config, httpClient *http.Client, now cache.Clock) (*metricsAccess, error) {
	tokens, err := authenticationclient.NewForConfigAndClient(config, httpClient)
	if err != nil {
		return nil, err
	}
	access, err := authorizationclient.NewForConfigAndClient(config, httpClient)
	if err != nil {
		return nil, err
	}
	return &metricsAccess{
		tokens: tokens.TokenReviews(), access: access.SubjectAccessReviews(),
		allowed: cache.NewLRUExpireCacheWithClock(mostReaders, now), asking: make(chan struct{}, accessAtOnce),
	}, nil
}

// before is a handler that shows the metrics to those who may read them.
func (m *metricsAccess) before(metrics http.Handler, log logr.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch err := m.check(r); {
		case err == nil:
			metrics.ServeHTTP(w, r)
		case errors.Is(err, errNotAuthenticated):
			w.Header().Set("WWW-Authenticate", "Bearer") // RFC 6750 section 3
			http.Error(w, err.Error(), http.StatusUnauthorized)
		case errors.Is(err, errNotAllowed):
			http.Error(w, err.Error(), http.StatusForbidden)
		default:
			log.Error(err, "Could not find out who may read metrics")
			http.Error(w, "find out who may read metrics: the API server does not say; try again later", http.StatusServiceUnavailable)
		}
	})
}

// check is nil if the request may be answered; other errors than the two of this file say nothing about it.
func (m *metricsAccess) check(r *http.Request) error {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" { // RFC 6750 section 2.1; RFC 9110 section 11.1: the scheme has no case
		return errNotAuthenticated
	}
	wanted := reading{token: sha256.Sum256([]byte(token)), verb: strings.ToLower(r.Method), path: r.URL.Path}
	if _, found := m.allowed.Get(wanted); found {
		return nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), accessPatience)
	defer cancel()
	select {
	case m.asking <- struct{}{}:
		defer func() { <-m.asking }()
	case <-ctx.Done():
		return errors.New("too many readers wait to be let in")
	}
	user, err := m.authenticate(ctx, token)
	if err != nil {
		return err
	}
	if err := m.authorize(ctx, user, wanted); err != nil {
		return err
	}
	m.allowed.Add(wanted, nil, accessHolds)
	return nil
}

func (m *metricsAccess) authenticate(ctx context.Context, token string) (*authenticationv1.UserInfo, error) {
	review := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token}}
	answer, err := m.tokens.Create(ctx, review, metav1.CreateOptions{})
	switch {
	case err != nil:
		return nil, fmt.Errorf("review a token: %w", err)
	case !answer.Status.Authenticated:
		return nil, errNotAuthenticated
	}
	return &answer.Status.User, nil
}

func (m *metricsAccess) authorize(ctx context.Context, user *authenticationv1.UserInfo, wanted reading) error {
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: user.Username, UID: user.UID, Groups: user.Groups, Extra: map[string]authorizationv1.ExtraValue{},
		NonResourceAttributes: &authorizationv1.NonResourceAttributes{Verb: wanted.verb, Path: wanted.path},
	}}
	for key, values := range user.Extra {
		review.Spec.Extra[key] = authorizationv1.ExtraValue(values)
	}
	answer, err := m.access.Create(ctx, review, metav1.CreateOptions{})
	switch {
	case err != nil:
		return fmt.Errorf("review the access of a reader: %w", err)
	case !answer.Status.Allowed || answer.Status.Denied:
		return errNotAllowed
	}
	return nil
}
