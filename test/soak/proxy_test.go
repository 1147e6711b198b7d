// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// A checkpoint identifies a kind of request to the API server.
type checkpoint struct{ method, path string }

func (c checkpoint) is(r *http.Request) bool { return r.Method == c.method && r.URL.Path == c.path }

// A proxy stands between a manager and the API server. Once armed, it triggers at the first request of a kind: before the API server receives it, or
// after that, but before the manager has the response.
type proxy struct {
	kubeconfig string

	mu     sync.Mutex
	at     checkpoint
	after  bool
	spring func()
	sprung chan struct{}
}

func newProxy(t *testing.T) *proxy {
	t.Helper()
	p := &proxy{sprung: make(chan struct{})}
	upstream, err := url.Parse(shared.cluster.Config.Host)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(shared.cluster.Config.CAData)
	forward := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(upstream) },
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true},
		FlushInterval: -1, // watches
		ModifyResponse: func(r *http.Response) error {
			if p.springs(r.Request, true) {
				return errors.New("the manager is gone")
			}
			return nil
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.springs(r, false) {
			panic(http.ErrAbortHandler)
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })

	config, err := clientcmd.LoadFromFile(shared.kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	for name := range config.Clusters {
		config.Clusters[name] = &clientcmdapi.Cluster{
			Server: server.URL, CertificateAuthorityData: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
		}
	}
	p.kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, p.kubeconfig); err != nil {
		t.Fatal(err)
	}
	return p
}

// arm makes the proxy call spring at the next request of a kind. spring must not return before it has taken effect.
func (p *proxy) arm(at checkpoint, after bool, spring func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at, p.after, p.spring = at, after, spring
}

func (p *proxy) springs(r *http.Request, after bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.spring == nil || p.after != after || !p.at.is(r) {
		return false
	}
	p.spring()
	p.spring = nil
	close(p.sprung)
	return true
}

// secretPath and statusPath are paths of the API server.
func secretPath(namespace string, name ...string) string {
	return strings.Join(append([]string{"/api/v1/namespaces", namespace, "secrets"}, name...), "/")
}

func statusPath(namespace, name string) string {
	return "/apis/cdpcredentials.io/v1alpha1/namespaces/" + namespace + "/cdpcredentials/" + name + "/status"
}
