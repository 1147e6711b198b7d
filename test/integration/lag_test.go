// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestLaggingCacheRepeatsNothing blocks the operator's watch of CDPCredentials, so that the operator does not see its own writes. It must not repeat
// anything because of that, nor wait for the watch: it reads the object from the API server.
func TestLaggingCacheRepeatsNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	dam := &dam{}
	o := s.operate(assembly{wrap: dam.wrap})
	c := s.ready("etl")
	c.settled()
	dam.hold()
	s.must(s.Client.Delete(t.Context(), c.target())) // the watch of Secrets shows it
	c.waitIssued(2)
	c.editSecret("etl-token", func(secret *corev1.Secret) {
		metav1.SetMetaDataAnnotation(&secret.ObjectMeta, "example.com/seen", "yes")
	}) // and this
	s.until(patience, "a read past the cache", func() error {
		if !slices.Contains(o.requests.since(0), "get cdpcredentials/etl") {
			return errors.New("the operator relied on the cache")
		}
		return nil
	})
	s.throughout(5*time.Second, "while the watch is held", func() error { return c.issuedAndHealthy(2) })
	dam.release()
	c.settled()
	c.request("after the lag")
	c.waitIssued(3)
}

// dam blocks what watches of CDPCredentials deliver.
type dam struct {
	mu   sync.Mutex
	open chan struct{} // nil: it is open
}

func (d *dam) hold() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open = make(chan struct{})
}

func (d *dam) release() {
	d.mu.Lock()
	defer d.mu.Unlock()
	close(d.open)
	d.open = nil
}

func (d *dam) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		response, err := next.RoundTrip(request)
		if err == nil && request.URL.Query().Get("watch") != "" && strings.HasSuffix(request.URL.Path, "/cdpcredentials") {
			response.Body = &dammed{response.Body, d}
		}
		return response, err
	})
}

type dammed struct {
	io.ReadCloser
	dam *dam
}

// Read waits after reading, so that a read in progress is blocked, too.
func (d *dammed) Read(p []byte) (int, error) {
	n, err := d.ReadCloser.Read(p)
	d.dam.mu.Lock()
	open := d.dam.open
	d.dam.mu.Unlock()
	if open != nil {
		<-open
	}
	return n, err
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }
