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

// An Exchanger trades a client's credentials for a token, in one attempt. What the endpoint says against it is an *exchange.Error.
type Exchanger interface {
	Exchange(ctx context.Context, rt http.RoundTripper, req exchange.Request) (exchange.Token, error)
}

// Transports gives the way to endpoints for the requests of one namespace. Certificates are checked against a CA bundle; none means the
// system's roots and --ca-file.
type Transports interface {
	For(namespace string, caBundle []byte) (http.RoundTripper, error)
}

// Cluster is the API server, as far as the operator reads and writes it.
type Cluster struct {
	// Client writes, and reads CDPCredentials and the metadata of Secrets from the cache. Whole Secrets must not be read with it: that
	// would fill the cache with their data.
	Client client.Client
	// Live reads whole Secrets from the API server.
	Live     client.Reader
	Recorder events.EventRecorder
}

// Endpoints are who issues tokens and takes them, and the way there.
type Endpoints struct {
	Exchanger  Exchanger
	Transports Transports
	// Gate decides who may call token endpoints, and APIs to verify a token, and when.
	Gate *egress.Gate
}

// A LocalClock says how the local clock, which anybody may set at any moment, stands to two that nobody sets: the reconciler's own Clock, which
// counts on from the start of the process, and the API server's, which all replicas see. The times that we show are on the local clock; all that
// is decided and remembered is on the reconciler's.
type LocalClock interface {
	// Ahead is the local clock minus the reconciler's Clock.
	Ahead() time.Duration
	// Server is the API server's clock minus the local one, good to a second or so. False: not known.
	Server() (time.Duration, bool)
}

// Sources are where time and chance come from.
type Sources struct {
	// Clock only runs: whoever sets the local clock does not change it, and it runs on while the machine sleeps. LocalClock says how the local clock
	// stands to it. Nil: they are the same.
	Clock      clock.PassiveClock
	LocalClock LocalClock
	// Jitter gives numbers in [0, 1). Rand gives unpredictable bytes, for salts.
	Jitter func() float64
	Rand   io.Reader

	named sync.Once
	// process tells the times that this process wrote from those of others.
	process string
}

func (r *Sources) processName() string {
	r.named.Do(func() {
		name := make([]byte, 4)
		if _, err := r.Rand.Read(name); err == nil { // else it is as if every record were another process's
			r.process = hex.EncodeToString(name)
		}
	})
	return r.process
}

// clocks say how the clocks stand at this moment.
func (r *Sources) clocks() credential.Clocks {
	c := credential.Clocks{Process: r.processName()}
	if r.LocalClock != nil {
		c.Ahead = r.LocalClock.Ahead().Round(time.Second)
		c.Server, c.ServerKnown = r.LocalClock.Server()
	}
	return c
}

func (r *Sources) localNow() time.Time { return r.Clock.Now().Add(r.clocks().Ahead) }

// random gives unpredictable bytes.
func (r *Sources) random(n int) ([]byte, error) {
	bytes := make([]byte, n)
	if _, err := r.Rand.Read(bytes); err != nil {
		return nil, fmt.Errorf("read random bytes: %w", err)
	}
	return bytes, nil
}

// retryFirst and retryMost are the first and the longest wait after an error.
const (
	retryFirst = 500 * time.Millisecond
	retryMost  = time.Minute
)

// Fields of the cache's indexes.
const (
	// secretNameField finds CDPCredentials by the Secrets that they name, client and target alike. What is found is of the same bucket.
	secretNameField = "secretName"
	// ownedByField finds Secrets by the UID of the CDPCredential that controls them. What is found is of the same bucket.
	ownedByField = "ownedBy"
)
