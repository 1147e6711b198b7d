// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// A consumer uses the Secret etl-token. It watches the Secret, so that it sees every version, and ten times a second reads it and calls the API with
// its token.
type consumer struct {
	*migration
	api   *http.Client
	stop  context.CancelFunc
	loops sync.WaitGroup

	mu     sync.Mutex
	tokens []string // in the order in which they were seen
	calls  int
	failed bool

	finished bool
}

// consume starts a consumer once the Secret exists.
func (m *migration) consume() *consumer {
	m.Helper()
	clientset, err := kubernetes.NewForConfig(m.reader.cluster.Config)
	if err != nil {
		m.Fatal(err)
	}
	secrets := clientset.CoreV1().Secrets(m.namespace)
	ctx, stop := context.WithCancel(m.Context())
	c := &consumer{migration: m, api: m.endpoints.HTTPClient(), stop: stop}
	m.Cleanup(c.finish)

	var first *corev1.Secret
	m.await("the Secret etl-token exists", func() string {
		if first, err = secrets.Get(ctx, "etl-token", metav1.GetOptions{}); err != nil {
			return err.Error()
		}
		return ""
	})
	versions, err := secrets.Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=etl-token", ResourceVersion: first.ResourceVersion})
	if err != nil {
		m.Fatal(err)
	}
	c.loops.Go(func() {
		for event := range versions.ResultChan() {
			secret, ok := event.Object.(*corev1.Secret)
			switch {
			case ctx.Err() != nil: // ctx ended, and the watch with it
			case !ok || event.Type == watch.Deleted:
				c.problem("the Secret: event %s", event.Type)
			default:
				c.look(secret)
			}
		}
	})
	c.loops.Go(func() {
		for ticker := time.NewTicker(100 * time.Millisecond); ; {
			select {
			case <-ctx.Done():
				ticker.Stop()
				return
			case <-ticker.C:
			}
			secret, err := secrets.Get(ctx, "etl-token", metav1.GetOptions{})
			if err == nil {
				c.look(secret)
				err = c.call(ctx, string(secret.Data["access_token"]))
			}
			if err != nil && ctx.Err() == nil {
				c.problem("%v", err)
			}
		}
	})
	return c
}

// look checks what must hold for every version of the Secret.
func (c *consumer) look(secret *corev1.Secret) {
	token, authorization := string(secret.Data["access_token"]), string(secret.Data["authorization"])
	if token == "" || authorization != "Bearer "+token {
		c.problem("version %s of the Secret lacks access_token or authorization, or they have different tokens", secret.ResourceVersion)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Contains(c.tokens, token) {
		c.tokens = append(c.tokens, token)
	}
}

// call returns an error if the API does not accept the token.
func (c *consumer) call(ctx context.Context, token string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.endpoints.APIURL(exchangetest.OAuth2), nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	answer, err := c.api.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	c.mu.Lock()
	c.calls++
	c.mu.Unlock()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the API answers %d to the token in the Secret", answer.StatusCode)
	}
	return nil
}

// problem fails the test with the first problem only; later ones repeat it.
func (c *consumer) problem(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.failed {
		c.Errorf(format, args...)
	}
	c.failed = true
}

// renewed waits until the consumer has seen n more tokens.
func (c *consumer) renewed(n int, when string) {
	c.Helper()
	seen := func() int {
		c.mu.Lock()
		defer c.mu.Unlock()
		return len(c.tokens)
	}
	want := seen() + n
	c.await(fmt.Sprintf("%d renewals %s", n, when), func() string {
		if got := seen(); got < want {
			return fmt.Sprintf("%d more are needed", want-got)
		}
		return ""
	})
}

// finish stops the consumer. It may be called twice.
func (c *consumer) finish() {
	c.stop()
	c.loops.Wait()
	if c.finished {
		return
	}
	c.finished = true
	c.Logf("the consumer saw %d tokens in %d calls", len(c.tokens), c.calls)
}

// await waits until missing returns an empty text, for 90 seconds.
func (m *migration) await(what string, missing func() string) {
	m.Helper()
	deadline := time.After(90 * time.Second)
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		last := missing()
		if last == "" {
			return
		}
		select {
		case <-deadline:
			m.Fatalf("not within 90 s: %s: %s", what, last)
		case <-ticker.C:
		}
	}
}
