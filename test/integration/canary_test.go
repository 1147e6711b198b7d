// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// trace is everything that the run leaves for others to read, and the secrets that must not be in it.
type trace struct {
	logs      []string // files
	documents []document
	endpoints []*exchangetest.Server
	more      []string // secrets that no endpoint knows
}

type document struct {
	name string
	text []byte
}

func (c *cluster) remember(add func(*trace)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	add(&c.trace)
}

// documentsOf returns everything in a namespace that may be read without a right to its Secrets, and their metadata. An empty name means all
// namespaces.
func (c *cluster) documentsOf(ctx context.Context, namespace string) ([]document, error) {
	secrets := &metav1.PartialObjectMetadataList{}
	secrets.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("SecretList"))
	var documents []document
	for _, list := range []client.ObjectList{&v1alpha1.CDPCredentialList{}, &eventsv1.EventList{}, secrets} {
		if err := c.Client.List(ctx, list, client.InNamespace(namespace)); err != nil {
			return nil, err
		}
		text, err := json.Marshal(list)
		if err != nil {
			return nil, err
		}
		documents = append(documents, document{fmt.Sprintf("%T of %q", list, namespace), text})
	}
	return documents, nil
}

// keep adds what others may read of a namespace to the trace.
func (c *cluster) keep(ctx context.Context, namespace string) error {
	documents, err := c.documentsOf(ctx, namespace)
	c.remember(func(t *trace) { t.documents = append(t.documents, documents...) })
	return err
}

// searchTheRun searches everything that the run has left for its secrets and tokens: logs, events, status, the metadata of Secrets, the metrics page
// and profiles. It must find nothing; a control proves each time that the search works.
func (c *cluster) searchTheRun() error {
	ctx := context.Background()
	if err := errors.Join(c.keep(ctx, ""), c.keepPages(ctx)); err != nil {
		return fmt.Errorf("collect the traces of the run: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, log := range c.trace.logs {
		text, err := os.ReadFile(log)
		if err != nil {
			return err
		}
		c.trace.documents = append(c.trace.documents, document{"log " + log, text})
	}
	secrets := slices.Clone(c.trace.more)
	for _, endpoints := range c.trace.endpoints {
		secrets = append(secrets, endpoints.Secrets()...)
	}
	return searchAll(c.trace.documents, secrets)
}

func searchAll(documents []document, secrets []string) error {
	search := newNeedles(secrets)
	var errs []error
	size := 0
	for _, document := range documents {
		size += len(document.text)
		for _, found := range search.in(document.text) {
			errs = append(errs, fmt.Errorf("%s contains a secret: the %s", document.name, found))
		}
	}
	fmt.Fprintf(os.Stderr, "searched %d documents of %d KiB for %d secrets\n", len(documents), size>>10, len(secrets))
	if len(secrets) == 0 || len(documents) == 0 {
		return errors.Join(errs...)
	}
	control := slices.Concat(documents[len(documents)-1].text, []byte(secrets[len(secrets)/2]), []byte("\n"))
	if len(search.in(control)) == 0 {
		errs = append(errs, errors.New("the search does not find the secret of the control"))
	}
	return errors.Join(errs...)
}

// keepPages adds what the shared manager serves to the trace: metrics, and profiles, which show stacks and arguments.
func (c *cluster) keepPages(ctx context.Context) error {
	metrics, err := c.scrape(ctx)
	if err != nil {
		return err
	}
	if !bytes.Contains(metrics, []byte("controller_runtime_reconcile_total")) {
		return errors.New("the metrics page lacks controller_runtime_reconcile_total")
	}
	c.remember(func(t *trace) { t.documents = append(t.documents, document{"metrics", metrics}) })
	for _, path := range []string{"", "cmdline", "goroutine?debug=2", "goroutine?debug=1", "heap?debug=1", "allocs?debug=1", "block?debug=1", "mutex?debug=1", "threadcreate?debug=1"} {
		page, err := get(ctx, http.DefaultClient, c.manager.pprof+"/debug/pprof/"+path, "")
		if err != nil {
			return err
		}
		c.remember(func(t *trace) { t.documents = append(t.documents, document{"/debug/pprof/" + path, page}) })
	}
	return nil
}

// get returns the body of a page that must exist.
func get(ctx context.Context, client *http.Client, url, token string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("get %s: %s", url, response.Status)
	}
	return body, err
}
