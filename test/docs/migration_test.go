// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

const (
	migrationPage = "docs/migration.md"

	// oldInterval is how often the token was renewed before the operator: the 20 minutes of the guides.
	oldInterval = 8 * time.Second
)

// A guide is a way to migrate in docs/migration.md, by the headings of its steps.
type guide struct {
	have, handOver, rollBack, finish string
	// before starts a stand-in for the previous way of renewing the token.
	before func(*migration)
	// renews is set if the previous way renews the token by itself.
	renews bool
}

var guides = map[string]guide{
	"CronJob": {
		"The CronJob", "Hand over the CronJob's Secret", "Roll back to the CronJob", "Finish without the CronJob",
		(*migration).runJobs, true,
	},
	"External Secrets Operator": {
		"The ExternalSecret", "Hand over the ExternalSecret's Secret", "Roll back to the ExternalSecret", "Finish without the ExternalSecret",
		(*migration).refreshExternalSecrets, true,
	},
	"made by hand": {
		"The Secret made by hand", "Hand over the Secret made by hand", "Roll back to the token made by hand", "Finish without the token made by hand",
		(*migration).copyTokenByHand, false,
	},
}

// Headings of steps that all guides have in common.
const (
	sideBySide    = "Side by side"
	finishAll     = "Finish"
	rollBackLeave = "What a roll back leaves"
)

// migrate follows a guide: it hands the Secret over, rolls back, hands it over again and removes the previous way, while a consumer constantly reads
// the Secret and calls the API with its token.
func (m *migration) migrate(g guide) {
	g.before(m)
	m.follow(g.have)
	c := m.consume()
	if g.renews {
		c.renewed(1, "before the migration")
	}
	m.follow(sideBySide)
	m.sameKeys()
	m.follow(g.handOver)
	old := m.oldWrites.Load()
	m.outliveTokens()
	if got := m.oldWrites.Load() - old; got > 1 { // one may have been in flight
		m.Errorf("%s: the previous way wrote the Secret %d times since", g.handOver, got)
	}
	m.follow(g.rollBack)
	m.follow(rollBackLeave)
	if g.renews {
		c.renewed(1, "after the roll back")
	}
	m.follow(sideBySide)
	m.follow(g.handOver)
	m.follow(g.finish)
	m.follow(finishAll)
	c.renewed(1, "at the end")
	c.finish()
}

// TestMigrationGuidesLeaveNothingOut: each block that the page marks as run belongs to a step of a guide.
func TestMigrationGuidesLeaveNothingOut(t *testing.T) {
	t.Parallel()
	root, err := framework.ModuleRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	steps := []string{sideBySide, finishAll, rollBackLeave}
	for g := range maps.Values(guides) {
		steps = append(steps, g.have, g.handOver, g.rollBack, g.finish)
	}
	for _, b := range pages(t, root)[migrationPage] {
		if b.marker != endpointMarker || !slices.Contains(steps, b.heading) {
			t.Errorf("%s:%d: no step runs the block below %q", migrationPage, b.line, b.heading)
		}
	}
}

// A migration follows one guide in a namespace of its own.
type migration struct {
	*endpointReader
	oldWrites atomic.Int64 // by the previous way
}

// follow runs the blocks below a heading.
func (m *migration) follow(heading string) {
	m.Helper()
	begin := time.Now()
	m.run(migrationPage, func(b block) bool { return b.heading == heading })
	m.Logf("%s: %.1fs", heading, time.Since(begin).Seconds())
}

// outliveTokens waits until every current token has expired, so that tokens read afterwards were issued since.
func (m *migration) outliveTokens() {
	m.Helper()
	end := time.Now().Add(tokenLifetime)
	m.await("the tokens of the hand-over have expired", func() string {
		if left := time.Until(end); left > 0 {
			return left.String()
		}
		return ""
	})
}

// sameKeys checks that the Secret of the trial has the keys of the current one.
func (m *migration) sameKeys() {
	m.Helper()
	var now, trial corev1.Secret
	for name, secret := range map[string]*corev1.Secret{"etl-token": &now, "etl-token-new": &trial} {
		if err := m.reader.cluster.Client.Get(m.Context(), client.ObjectKey{Namespace: m.namespace, Name: name}, secret); err != nil {
			m.Fatal(err)
		}
	}
	for key := range now.Data {
		if len(trial.Data[key]) == 0 {
			m.Errorf("the Secret of the trial has no key %s", key)
		}
	}
}

// copyTokenByHand gets a token from the vendor's console, whose tokens live longer.
func (m *migration) copyTokenByHand() {
	m.Helper()
	m.loop(func(context.Context) error { return nil })
	client := exchangetest.Client{System: exchangetest.OAuth2, ID: "console", Secret: "console", Lifetime: time.Hour}
	if err := m.endpoints.Register(client); err != nil {
		m.Fatal(err)
	}
	token, err := m.requestToken(m.Context(), "https://auth.example.com/oauth2/token", http.MethodPost, "grant_type=client_credentials", map[string]string{
		"Content-Type": "application/x-www-form-urlencoded", "Authorization": basicAuthorization("console", "console"),
	})
	if err != nil {
		m.Fatal(err)
	}
	m.environment = []string{"TOKEN=" + fmt.Sprint(token["access_token"])}
}
