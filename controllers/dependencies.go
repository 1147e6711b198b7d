// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// An Exchanger makes one attempt to exchange a client's credentials for a token. A refusal is an *exchange.Error.
type Exchanger interface {
	Exchange(ctx context.Context, rt http.RoundTripper, req exchange.Request) (exchange.Token, error)
}

// Transports returns the HTTP transport for the requests of one namespace. Certificates are checked against the given CA bundle; nil means the
// system's roots and --ca-file.
type Transports interface {
	For(namespace string, caBundle []byte) (http.RoundTripper, error)
}

// Cluster is the access to the API server.
type Cluster struct {
	// Client writes, and reads CDPCredentials and Secrets' metadata from the cache. Do not read whole Secrets with it: their data would fill the
	// cache.
	Client client.Client
	// Live reads whole Secrets from the API server.
	Live     client.Reader
	Recorder events.EventRecorder
}

// Endpoints is the access to token endpoints and to the APIs that verify tokens.
type Endpoints struct {
	Exchanger  Exchanger
	Transports Transports
	// Gate decides who may call an endpoint, and when.
	Gate *egress.Gate
}

// A LocalClock compares the local clock, which may be set at any moment, with two clocks that cannot: the reconciler's monotonic Clock, and the API
// server's, which all replicas see. Times shown to users are on the local clock; decisions and memory use the reconciler's.
type LocalClock interface {
	// Ahead is the local clock minus the reconciler's Clock.
	Ahead() time.Duration
	// Server is the API server's clock minus the local one, to about a second. False: unknown.
	Server() (time.Duration, bool)
}

// Sources provide time and randomness.
type Sources struct {
	// Clock is monotonic: setting the local clock does not change it, and it includes time that the machine sleeps. LocalClock relates the local
	// clock to it. Nil: they are the same.
	Clock      clock.PassiveClock
	LocalClock LocalClock
	// Jitter returns numbers in [0, 1). Rand returns unpredictable bytes, for salts.
	Jitter func() float64
	Rand   io.Reader

	named sync.Once
	// process distinguishes the times that this process wrote from those of others.
	process string
}

func (r *Sources) processName() string {
	r.named.Do(func() {
		name := make([]byte, 4)
		if _, err := r.Rand.Read(name); err == nil { // without a name, all times count as another process's
			r.process = hex.EncodeToString(name)
		}
	})
	return r.process
}

// clocks returns the clocks' present offsets.
func (r *Sources) clocks() credential.Clocks {
	c := credential.Clocks{Process: r.processName()}
	if r.LocalClock != nil {
		c.Ahead = r.LocalClock.Ahead().Round(time.Second)
		c.Server, c.ServerKnown = r.LocalClock.Server()
	}
	return c
}

func (r *Sources) localNow() time.Time { return r.Clock.Now().Add(r.clocks().Ahead) }

// random returns n unpredictable bytes.
func (r *Sources) random(n int) ([]byte, error) {
	bytes := make([]byte, n)
	if _, err := r.Rand.Read(bytes); err != nil {
		return nil, fmt.Errorf("read random bytes: %w", err)
	}
	return bytes, nil
}

// retryFirst and retryMost are the shortest and the longest wait after an error of the API server.
const (
	retryFirst = 500 * time.Millisecond
	retryMost  = time.Minute
)

// Fields of the cache's indexes.
const (
	// secretNameField finds CDPCredentials by the names of their client and target Secrets. It indexes by hash bucket, so callers must filter.
	secretNameField = "secretName"
	// ownedByField finds Secrets by the UID of the CDPCredential that controls them. It indexes by hash bucket, so callers must filter.
	ownedByField = "ownedBy"
)
