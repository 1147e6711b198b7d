// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A deed is a planned action of a user on one member. Its time counts from the start of the run.
type deed struct {
	at     time.Duration
	what   string
	member *member
}

// deeds is the rate of each deed, per minute and hundred members.
var deeds = map[string]float64{
	deletes:   10,
	edits:     10,
	empties:   5,
	spoils:    8,
	strips:    5,
	rotates:   10,
	requests:  8,
	reshapes:  6,
	displaces: 3,
}

const (
	deletes   = "target deleted"
	edits     = "token edited"
	empties   = "token removed"
	spoils    = "other key edited"
	strips    = "label removed"
	rotates   = "client secret rotated"
	requests  = "refresh requested"
	reshapes  = "template changed"
	displaces = "target displaced by a foreign Secret"
)

// quiet is the minimum time between two deeds on a member, so that each has its own effect.
const quiet = 25 * time.Second

// A visit is a foreign Secret in the place of a target.
type visit struct {
	stranger *corev1.Secret
	breakage *breakage
	until    time.Time
}

// users execute the deeds.
type users struct {
	admin    client.Client
	consumer *consumer
	foreign  *foreigners
	chance   *rand.Rand
	plan     []deed

	visits  []visit
	done    map[string]int
	skipped int
	changes map[*member][]change
}

func newUsers(o Options, admin client.Client, c *consumer, f *foreigners, members []*member) *users {
	u := &users{admin: admin, consumer: c, foreign: f, chance: o.chance(forUsers), done: map[string]int{}, changes: map[*member][]change{}}
	perMinute := 0.0
	var names []string
	for _, name := range sortedKeys(deeds) {
		perMinute += deeds[name]
		for range int(deeds[name]) {
			names = append(names, name)
		}
	}
	mean := min(time.Duration(float64(time.Minute)/(perMinute*float64(len(members))/100)), 2*time.Second) // with few members each is busier
	last := map[*member]time.Duration{}
	for t := around(u.chance, mean); t < o.Duration-10*time.Second; t += around(u.chance, mean) {
		m := pick(u.chance, members)
		if before, touched := last[m]; touched && t-before < quiet {
			continue
		}
		last[m] = t
		u.plan = append(u.plan, deed{t, pick(u.chance, names), m})
	}
	return u
}

// act executes the plan until ctx ends.
func (u *users) act(ctx context.Context, began time.Time) {
	defer u.endAllVisits(ctx)
	for _, d := range u.plan {
		pause(ctx, time.Until(began.Add(d.at)))
		if ctx.Err() != nil {
			return
		}
		u.endVisits(ctx, time.Now())
		if err := u.do(ctx, d); err != nil {
			u.skipped++ // the API server is down, or somebody else was faster
			continue
		}
		u.done[d.what]++
	}
}

func (u *users) do(ctx context.Context, d deed) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if !u.consumer.whole(d.member) {
		return fmt.Errorf("%s is already broken", d.member)
	}
	switch d.what {
	case deletes:
		return u.delete(ctx, d)
	case edits:
		return u.edit(ctx, d, true, func(s *corev1.Secret) { s.Data["token"] = []byte("edited") })
	case empties:
		return u.edit(ctx, d, true, func(s *corev1.Secret) { delete(s.Data, "token") })
	case spoils:
		return u.edit(ctx, d, false, func(s *corev1.Secret) { s.Data["authorization"] = []byte("Bearer edited") })
	case strips:
		return u.edit(ctx, d, false, func(s *corev1.Secret) { delete(s.Labels, v1alpha1.ManagedByLabel) })
	case rotates:
		return u.rotate(ctx, d)
	case requests:
		return u.change(ctx, d, func(obj *v1alpha1.CDPCredential) {
			metav1.SetMetaDataAnnotation(&obj.ObjectMeta, v1alpha1.RefreshRequestedAtAnnotation, strconv.FormatUint(u.chance.Uint64(), 36))
		})
	case reshapes:
		return u.change(ctx, d, func(obj *v1alpha1.CDPCredential) {
			obj.Spec.Target.Data["shape"] = v1alpha1.DataTemplate(strconv.FormatUint(u.chance.Uint64(), 36) + " {{ .clientID }}")
		})
	}
	return u.displace(ctx, d)
}

// asks notes that a deed requires one token.
func (u *users) asks(d deed, since time.Time) {
	u.changes[d.member] = append(u.changes[d.member], change{since, d.what})
}

func (u *users) delete(ctx context.Context, d deed) error {
	secret, err := u.get(ctx, d.member.namespace, d.member.target())
	if err != nil {
		return err
	}
	b := u.consumer.breaks(d.member, d.what, true)
	if err := u.admin.Delete(ctx, secret, client.Preconditions{UID: &secret.UID}); err != nil {
		return u.failed(d, b, err, secret)
	}
	u.consumer.made(b, notOf(secret))
	u.asks(d, b.since)
	return nil
}

// failed handles a change that failed, or possibly did not.
func (u *users) failed(d deed, b *breakage, err error, was *corev1.Secret) error {
	u.consumer.unmade(b, err, was)
	if b.uncertain && b.exchange {
		u.asks(d, b.since)
	}
	return err
}

func (u *users) edit(ctx context.Context, d deed, exchange bool, how func(*corev1.Secret)) error {
	secret, err := u.get(ctx, d.member.namespace, d.member.target())
	if err != nil {
		return err
	}
	b, was := u.consumer.breaks(d.member, d.what, exchange), secret.DeepCopy()
	how(secret)
	if err := u.admin.Update(ctx, secret); err != nil { // only at that version
		return u.failed(d, b, err, was)
	}
	u.consumer.made(b, newerThan(secret))
	if exchange {
		u.asks(d, b.since)
	}
	return nil
}

// rotate changes the secret of a client, first at the endpoint, which accepts the old one for a while, then in the cluster.
func (u *users) rotate(ctx context.Context, d deed) error {
	secret, err := u.get(ctx, d.member.namespace, d.member.clientSecret())
	if err != nil {
		return err
	}
	m := d.member
	renewed := m.client
	renewed.PreviousSecret, renewed.Secret = held(secret), newSecret(u.chance)
	if err := m.site.server.Register(renewed); err != nil {
		return err
	}
	m.client.Secret = renewed.Secret // nobody else reads that field
	secret.StringData = m.values()
	u.asks(d, time.Now()) // even if it fails: perhaps only the response was lost
	return u.admin.Update(ctx, secret)
}

// held returns the client's secret as it is in the cluster, whatever happened to the last rotation.
func held(secret *corev1.Secret) string {
	return cmp.Or(string(secret.Data["client-secret"]), string(secret.Data["oauth-key-secret"]))
}

func (u *users) change(ctx context.Context, d deed, how func(*v1alpha1.CDPCredential)) error {
	obj := &v1alpha1.CDPCredential{}
	if err := u.admin.Get(ctx, client.ObjectKey{Namespace: d.member.namespace, Name: d.member.name}, obj); err != nil {
		return err
	}
	before := obj.DeepCopy()
	how(obj)
	if d.what == requests {
		u.asks(d, time.Now()) // even if it fails: perhaps only the response was lost
	}
	return u.admin.Patch(ctx, obj, client.MergeFrom(before))
}

// displace replaces a target by a foreign Secret for a while.
func (u *users) displace(ctx context.Context, d deed) error {
	secret, err := u.get(ctx, d.member.namespace, d.member.target())
	if err != nil {
		return err
	}
	b := u.consumer.breaks(d.member, d.what, true)
	if err := u.admin.Delete(ctx, secret, client.Preconditions{UID: &secret.UID}); err != nil {
		return u.failed(d, b, err, secret)
	}
	stranger, err := u.foreign.settle(ctx, d.member.namespace, d.member.target())
	if err != nil { // the operator was faster, or the API server went down
		u.consumer.made(b, notOf(secret))
		u.asks(deed{d.at, deletes, d.member}, b.since)
		return err
	}
	u.consumer.made(b, func(s *corev1.Secret) bool { return s.UID != secret.UID && s.UID != stranger.UID })
	u.asks(d, b.since)
	u.visits = append(u.visits, visit{stranger, b, time.Now().Add(between(u.chance, 2*time.Second, 12*time.Second))})
	return nil
}

// endVisits removes the foreign Secrets whose time is over. From then on the operator can repair the target.
func (u *users) endVisits(ctx context.Context, now time.Time) {
	u.visits = slices.DeleteFunc(u.visits, func(v visit) bool {
		if now.Before(v.until) || u.foreign.leave(ctx, v.stranger) != nil {
			return false
		}
		u.consumer.since(v.breakage, time.Now())
		return true
	})
}

func (u *users) endAllVisits(ctx context.Context) {
	for len(u.visits) > 0 && ctx.Err() == nil {
		u.endVisits(ctx, time.Now().Add(time.Hour))
		pause(ctx, 200*time.Millisecond)
	}
}

func (u *users) get(ctx context.Context, namespace, name string) (*corev1.Secret, error) {
	secret := &corev1.Secret{}
	err := u.admin.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, secret)
	return secret, err
}
