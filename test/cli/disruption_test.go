// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// newDisruption is newStage in a world of its own, for a test that breaks it.
func newDisruption(t *testing.T, hosts []string, flags ...string) *stage {
	t.Helper()
	if testing.Short() {
		t.Skip("needs an API server")
	}
	w, err := start(hosts, func(end func() error) {
		t.Cleanup(func() {
			if err := end(); err != nil {
				t.Error(err)
			}
		})
	}, flags...)
	if err != nil {
		t.Fatal(err)
	}
	return w.stage(t)
}

// TestIncidentOfAProxyAndOfALeader has two incidents, since both want a manager of their own: a proxy that lets nothing through to the endpoint, and then a
// leader that is killed.
func TestIncidentOfAProxyAndOfALeader(t *testing.T) {
	t.Parallel()
	const host = "auth.example.com"
	var proxy connectProxy
	server := httptest.NewServer(&proxy)
	defer server.Close()
	s := newDisruption(t, []string{host}, "HTTPS_PROXY="+server.URL, "NO_PROXY=127.0.0.1")
	proxy.to = s.endpoints.Host(exchangetest.OAuth2)
	s.credential("etl", func(obj *v1alpha1.CDPCredential, secret *corev1.Secret) {
		obj.Spec.Provider.OAuth2.TokenURL = "https://" + host + exchangetest.OAuth2TokenPath
		secret.Annotations[v1alpha1.AllowedHostsAnnotation] = host
	})

	a := s.eventually(3, "Why    EndpointUnavailable: the proxy ", "status", "etl")
	for _, text := range []string{"Why    EndpointUnavailable: the proxy refused the connection", "Next   the operator's administrator: correct HTTPS_PROXY"} {
		if !strings.Contains(firstLines(a.out), text) {
			t.Errorf("%q is not in the first lines of\n%s", text, a.out)
		}
	}
	proxy.open.Store(true)
	s.run("renew", "etl")
	s.eventually(0, "nothing is wrong", "status", "etl")

	s.must(s.manager.Kill())
	obj := &v1alpha1.CDPCredential{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "etl"}}
	s.must(s.Client.Patch(t.Context(), obj, client.RawPatch(types.MergePatchType, []byte(`{"spec":{"refresh":{"before":"10m"}}}`))))
	a = s.eventually(3, "Why    OperatorAbsent", "status", "etl")
	if !strings.Contains(firstLines(a.out), "Why    OperatorAbsent: the operator does not work on this object") || !strings.Contains(a.out, "kubectl cdpcred check") {
		t.Errorf("status: %s", a.out)
	}
	s.deployment("gone", "controller-manager", 0)
	s.eventually(3, " is gone: it last renewed the Lease ", "check", "-o", "json")
	a = s.expect(3, nil, "check")
	if first := strings.Join(strings.Fields(firstLines(a.out)), " "); !strings.Contains(first, "PROBLEM operator ") || !strings.Contains(first, "0 of 1 replicas are ready") {
		t.Errorf("check: %s", a.out)
	}
}

// A connectProxy lets everything through to one address once it is open, and nothing before.
type connectProxy struct {
	to   string
	open atomic.Bool
}

func (p *connectProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect || !p.open.Load() {
		http.Error(w, "not through here", http.StatusForbidden)
		return
	}
	target, err := new(net.Dialer).DialContext(r.Context(), "tcp", p.to)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.WriteHeader(http.StatusOK)
	source, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		_ = target.Close()
		return
	}
	join(target, buffered, source)
}

// join copies what comes from either side to the other, until one of them ends.
func join(target net.Conn, from io.Reader, source net.Conn) {
	var ends sync.Once
	end := func() { ends.Do(func() { _, _ = source.Close(), target.Close() }) }
	go func() {
		_, _ = io.Copy(target, from)
		end()
	}()
	_, _ = io.Copy(source, target)
	end()
}

// TestIncidentOfASlowAPIServer: an API server that takes more than a second for each answer is named first, and what else there is to see is still seen.
func TestIncidentOfASlowAPIServer(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.credential("etl", func(_ *v1alpha1.CDPCredential, secret *corev1.Secret) { secret.Annotations = nil })
	s.eventually(3, "HostNotAllowed", "status", "etl")
	server, err := url.Parse(s.Config.Host)
	s.must(err)
	slow := slowLink(t, server.Host, 1100*time.Millisecond)

	began := time.Now()
	a := s.expect(3, nil, "check", "--server", "https://"+slow)
	if first := firstLines(a.out); !strings.HasPrefix(first, "PROBLEM  API server: it took ") || !strings.Contains(first, "ask whoever runs the cluster") {
		t.Errorf("check: %s", a.out)
	}
	if took := time.Since(began); took > 50*time.Second {
		t.Errorf("it took %s", took)
	}
	s.expect(3, []string{"Why    HostNotAllowed"}, "status", "etl", "--server", "https://"+slow)
}

// slowLink listens for connections to an address, and passes on each part of an answer only after a while.
func slowLink(t *testing.T, to string, delay time.Duration) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(func() { cancel(); _ = listener.Close() })
	go func() {
		for {
			source, err := listener.Accept()
			if err != nil {
				return
			}
			target, err := new(net.Dialer).DialContext(ctx, "tcp", to)
			if err != nil {
				_ = source.Close()
				continue
			}
			go join(target, source, &slowConn{Conn: source, delay: delay})
		}
	}()
	return listener.Addr().String()
}

// A slowConn writes late.
type slowConn struct {
	net.Conn
	delay time.Duration
}

func (c *slowConn) Write(part []byte) (int, error) {
	<-time.After(c.delay)
	return c.Conn.Write(part)
}
