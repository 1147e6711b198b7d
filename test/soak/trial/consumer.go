// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"context"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// A gap is a period in which a consumer had something wrong although no user had broken the target.
type gap struct {
	member   *member
	verdict  verdict
	from, to time.Time
	token    exchangetest.Token // the token that it had, if that was one
}

// A breakage is what a user did to a target, until it is repaired.
type breakage struct {
	member   *member
	what     string
	exchange bool // a new token is needed to repair it
	since    time.Time
	repaired time.Time          // zero: not yet
	token    exchangetest.Token // the token that repaired it
	// harmed is set if a consumer saw it. uncertain is set if the API server went down before it answered: perhaps nothing is broken.
	harmed, uncertain bool
	// done reports whether a Secret is newer than the change. Nil: the change is being made.
	done func(*corev1.Secret) bool
}

// A consumer reads all targets many times a second and records what was wrong.
type consumer struct {
	watcher *secretWatcher
	members []*member

	mu        sync.Mutex
	gaps      []*gap
	open      map[*member]*gap
	breakages []*breakage
	broken    map[*member]*breakage
	reads     int
	slowest   time.Duration // time between two rounds
	stalls    []blockage    // in which this machine was too busy even to look
}

func newConsumer(w *secretWatcher, members []*member) *consumer {
	return &consumer{watcher: w, members: members, open: map[*member]*gap{}, broken: map[*member]*breakage{}}
}

// sampling is the interval between two rounds; from stalled on, the machine is too busy to judge by.
const (
	sampling = 50 * time.Millisecond
	stalled  = 300 * time.Millisecond
)

// watch looks at all targets until ctx ends.
func (c *consumer) watch(ctx context.Context) {
	ticker := time.NewTicker(sampling)
	defer ticker.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := time.Now()
		if passed := now.Sub(last); passed > stalled {
			c.mu.Lock()
			c.stalls = append(c.stalls, blockage{last, now, "machine too busy"})
			c.mu.Unlock()
		}
		c.slowest = max(c.slowest, now.Sub(last))
		last = now
		for _, m := range c.members {
			secret := c.watcher.secret(m.namespace, m.target())
			v, token := judge(m, secret, time.Now())
			c.found(m, secret, v, token, time.Now())
		}
	}
}

// found records the result of a look at a target.
func (c *consumer) found(m *member, secret *corev1.Secret, v verdict, token exchangetest.Token, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reads++
	b, g := c.broken[m], c.open[m]
	switch {
	case b != nil:
		c.foundBroken(b, secret, v, token, now)
	case v == good && g != nil:
		g.to = now
		delete(c.open, m)
	case v != good && g == nil:
		g = &gap{member: m, verdict: v, from: now, to: now, token: token}
		if v == expired {
			g.from = token.Expires
		}
		c.gaps, c.open[m] = append(c.gaps, g), g
	case v != good:
		g.to = now
	}
}

// foundBroken records the result of a look at a target that a user has broken.
func (c *consumer) foundBroken(b *breakage, secret *corev1.Secret, v verdict, token exchangetest.Token, now time.Time) {
	switch {
	case v != good:
		b.harmed = true
	case b.done != nil && b.done(secret):
		b.repaired, b.token = now, token
		delete(c.broken, b.member)
	}
}

// breaks notes that a user is about to break a target. Until made or unmade is called, what is found may be from before the change.
func (c *consumer) breaks(m *member, what string, exchange bool) *breakage {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := &breakage{member: m, what: what, exchange: exchange, since: time.Now()}
	if g := c.open[m]; g != nil {
		g.to = b.since
		delete(c.open, m)
	}
	c.broken[m] = b
	return b
}

// made notes that the change was made: done distinguishes Secrets from before and after it.
func (c *consumer) made(b *breakage, done func(*corev1.Secret) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b.done = done
	c.breakages = append(c.breakages, b)
}

// since sets the time from which the operator can repair a breakage.
func (c *consumer) since(b *breakage, from time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b.since = from
}

// unmade notes that the API server refused the change, or went down meanwhile; was is the Secret before.
func (c *consumer) unmade(b *breakage, err error, was *corev1.Secret) {
	if apierrors.ReasonForError(err) == metav1.StatusReasonUnknown {
		b.uncertain = true
		c.made(b, newerThan(was))
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.broken, b.member)
}

// whole reports whether nothing is known to be wrong with a target.
func (c *consumer) whole(m *member) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.broken[m] == nil && c.open[m] == nil
}

// notOf returns a check that a Secret is not the deleted one.
func notOf(deleted *corev1.Secret) func(*corev1.Secret) bool {
	return func(s *corev1.Secret) bool { return s.UID != deleted.UID }
}

// newerThan returns a check that a Secret has been written since.
func newerThan(edited *corev1.Secret) func(*corev1.Secret) bool {
	than, _ := strconv.ParseUint(edited.ResourceVersion, 10, 64)
	return func(s *corev1.Secret) bool {
		version, err := strconv.ParseUint(s.ResourceVersion, 10, 64)
		return err == nil && (s.UID != edited.UID || version > than)
	}
}
