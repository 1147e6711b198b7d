// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// apiClient calls the APIs with the tokens of the targets.
type apiClient struct {
	watcher *secretWatcher
	admin   client.Client
	members []*member
	clients map[*site]*http.Client

	mu       sync.Mutex
	calls    int
	live     int // targets read from the API server
	slow     []blockage
	problems []string
}

// tardy is the duration of a read of the API server from which this machine is too busy for anyone to react in time.
const tardy = 300 * time.Millisecond

func newAPIClient(w *secretWatcher, admin client.Client, members []*member) *apiClient {
	a := &apiClient{watcher: w, admin: admin, members: members, clients: map[*site]*http.Client{}}
	for _, m := range members {
		if a.clients[m.site] == nil {
			a.clients[m.site] = m.site.server.HTTPClient()
		}
	}
	return a
}

// ask calls an API at this interval, with one target after the other, until ctx ends.
func (a *apiClient) ask(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		m := a.members[i%len(a.members)]
		secret := a.watcher.secret(m.namespace, m.target())
		if i%20 == 0 {
			if read := a.read(ctx, m); read != nil {
				secret = read
			}
		}
		a.try(ctx, m, secret)
	}
}

// read returns a target from the API server, nil if there is none.
func (a *apiClient) read(ctx context.Context, m *member) *corev1.Secret {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	secret, began := &corev1.Secret{}, time.Now()
	err := a.admin.Get(ctx, client.ObjectKey{Namespace: m.namespace, Name: m.target()}, secret)
	a.mu.Lock()
	defer a.mu.Unlock()
	if now := time.Now(); now.Sub(began) > tardy {
		a.slow = append(a.slow, blockage{began, now, "API server slow"})
	}
	if err != nil {
		return nil
	}
	a.live++
	return secret
}

// try calls the API, whose answer must agree with the ledger. Tokens that are bad according to the ledger are the consumer's business.
func (a *apiClient) try(ctx context.Context, m *member, secret *corev1.Secret) {
	before, _ := judge(m, secret, time.Now())
	if before != good && before != expired {
		return // there is no token to call an API with
	}
	status, err := a.call(ctx, m, secret)
	if err != nil {
		if ctx.Err() == nil {
			a.problem("%s: call to its API failed: %v", m, err)
		}
		return
	}
	now := time.Now()
	if verdict, _ := judge(m, secret, now); verdict != before {
		return // it expired meanwhile
	}
	a.mu.Lock()
	a.calls++
	a.mu.Unlock()
	if (before == good) != (status == http.StatusOK) {
		a.problem("%s: its API answered %d to %s", m, status, verdictText(before))
	}
}

func verdictText(v verdict) string {
	if v == good {
		return "a valid token"
	}
	return string(v)
}

func (a *apiClient) call(ctx context.Context, m *member, secret *corev1.Secret) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, m.site.server.APIURL(m.client.System), nil)
	if err != nil {
		return 0, err
	}
	for name := range m.companions() {
		request.Header[name] = []string{string(secret.Data[name])} // exact spelling, not the canonical one
	}
	if m.client.System == exchangetest.Algonomy {
		request.Header["access_token"] = []string{string(secret.Data["token"])}
	} else {
		request.Header.Set("Authorization", string(secret.Data["authorization"]))
	}
	response, err := a.clients[m.site].Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

func (a *apiClient) problem(format string, args ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.problems = append(a.problems, fmt.Sprintf(format, args...))
}
