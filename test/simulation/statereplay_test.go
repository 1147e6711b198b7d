// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A stateReplay is the world of one state, in which a process has just started. The clocks stand still while it works, so that the number of
// reconciles and reads makes no difference.
type stateReplay struct {
	*world
	replica *replica
	state   *state
	rounds  []*round
	// known is how much of the API server's history is in the rounds.
	known int
	// versions maps the versions that the API server has assigned since to names.
	versions map[string]string
	writes   map[string]int
	// status is the last status without its messages.
	status string
}

// A round is what was done at one moment, as plain JSON, so that it depends on no type of the operator.
type round struct {
	// At is the time since the start, Next the time from then until the next reconcile.
	At   string `json:"at"`
	Next string `json:"next"`
	// Did are exchanges, verifications and writes, in order.
	Did    []map[string]any    `json:"did,omitempty"`
	Events []map[string]string `json:"events,omitempty"`
	Failed []map[string]string `json:"failed,omitempty"`
	// Reworded are writes of status that changed only messages, compared with the recorded status.
	Reworded []any  `json:"reworded,omitempty"`
	Broken   string `json:"broken,omitempty"`
}

const (
	// atOnce is the time within which everything belongs to the same round; roundPasses limits its reconciles.
	atOnce      = 50 * time.Millisecond
	roundPasses = 12
	// replayVersions is higher than the versions of all states.
	replayVersions = 7_000_000
)

// replayState lets a new process reconcile a state, and again at the time that it requests.
func replayState(s *state, wires *wiring, story func(string)) []*round {
	w := newWorld(1e9, wires)
	p := &stateReplay{world: w, state: s, versions: map[string]string{}, writes: map[string]int{}}
	name := s.object()
	w.story, w.alone, w.judge.off, w.vendors.knowAll = story, &name, true, true
	w.judge.objects = []*object{{w: w, name: name}}
	w.epoch, w.offset = s.Time, s.Offset
	w.dice = dice{rand.New(sameNumber{})}
	w.lag = -time.Second // a change reaches the cache before anything else happens
	w.ends = func(ended *pass) {
		if ended.err != nil {
			p.round().Failed = append(p.round().Failed, map[string]string{"message": p.named(ended.err.Error())})
		}
	}
	w.overhears = func(_ types.NamespacedName, what string) {
		if w.apiFault.deny(what) != nil { // it does not reach the API server's history
			p.round().Did = append(p.round().Did, map[string]any{"do": what, "refused": "Forbidden"})
		}
		if event, ok := strings.CutPrefix(what, "event "); ok {
			reason, text, _ := strings.Cut(event, ": ")
			p.round().Events = append(p.round().Events, map[string]string{"reason": reason, "message": p.named(text)})
		}
	}
	broken := w.watched(func() {
		p.furnish()
		p.replica = w.startReplica(0)
		p.replica.reconciler.Transports = &tappedVendors{w.vendors, p}
		p.settle()
		wants, ok := p.replica.queue[name]
		for at, more := w.agenda.next(); ok && more && at <= wants && len(p.rounds) < 5; at, more = w.agenda.next() {
			w.now = at
			p.settle()
		}
	})
	if broken != nil {
		p.round().Broken = broken.Error()
	}
	return p.rounds
}

// sameNumber is a random source that always returns the same number.
type sameNumber struct{}

func (sameNumber) Uint64() uint64 { return 0x5a5a5a5a5a5a5a5a }

func (p *stateReplay) round() *round { return p.rounds[len(p.rounds)-1] }

// furnish sets up the state.
func (p *stateReplay) furnish() {
	s, w := p.state, p.world
	w.api.ending[s.Namespace] = s.Ending
	if s.Refuses {
		w.apiFault.denied = []string{"create Secret", "patch Secret"}
		w.apiFault.denial = apierrors.NewForbidden(secretResource, "", fmt.Errorf("a policy refuses it"))
	}
	for _, name := range hostNames {
		h := &host{
			name: name, lifetime: s.Lifetime, opaque: name != apsisHost && (name == algonomyHost || s.Opaque), dated: true, steady: true,
			kept: map[string]*token{}, troubled: map[string]trouble{},
		}
		if name != apiHost {
			h.trouble = s.Trouble
		}
		w.vendors.hosts[name] = h
	}
	for _, obj := range s.Credentials {
		w.api.setCredential(nil, types.NamespacedName{Namespace: obj.Namespace, Name: obj.Name}, obj)
	}
	for _, secret := range s.Secrets {
		w.api.setSecret(nil, types.NamespacedName{Namespace: secret.Namespace, Name: secret.Name}, secret)
		if value := string(secret.Data["token"]); len(value) > len("edited") {
			w.vendors.tokens[value] = &token{value: value, end: 1000 * time.Hour, dies: 1000 * time.Hour}
		}
	}
	if obj := s.self(); obj != nil {
		p.reworded(p.tree(obj.Status))
	}
	w.api.skipped, w.api.history = replayVersions, &history{}
}

// settle runs everything that is due at once.
func (p *stateReplay) settle() {
	w := p.world
	began, passes := w.now, w.passes
	p.rounds = append(p.rounds, &round{At: began.String()})
	for at, ok := w.agenda.next(); ok && (p.busy() || at <= began+atOnce && w.passes-passes < roundPasses); at, ok = w.agenda.next() {
		w.agenda.pop().do()
		p.wrote()
	}
	r := p.round()
	slices.SortFunc(r.Events, func(a, b map[string]string) int {
		return strings.Compare(a["reason"]+a["message"], b["reason"]+b["message"])
	})
	if r.Next = "never"; p.replica == nil {
		return
	}
	if next, ok := p.replica.queue[p.state.object()]; ok {
		r.Next = (next - began).String()
	}
}

// busy reports whether a reconcile is running. It is waited for, however long its requests take.
func (p *stateReplay) busy() bool { return p.replica != nil && len(p.replica.running) > 0 }

// wrote notes the writes that the API server was asked for since.
func (p *stateReplay) wrote() {
	all := p.world.api.history.all
	for _, h := range all[p.known:] {
		if h.verb == "" {
			continue
		}
		did := map[string]any{"do": string(h.verb), "name": h.name.Name}
		if h.err != nil {
			did["refused"] = string(apierrors.ReasonForError(h.err))
		}
		switch kind := strings.Fields(string(h.verb))[0]; {
		case h.err != nil || kind == "dry-run" || h.verb == remove:
		case h.ofSecret && h.secret != nil:
			p.name(&h.secret.ObjectMeta, "Secret")
			did["secret"] = p.secretText(h.secret)
		case h.credential != nil:
			p.name(&h.credential.ObjectMeta, "status")
			status := p.tree(h.credential.Status)
			if p.reworded(status) {
				p.round().Reworded = append(p.round().Reworded, status)
				continue
			}
			did["status"] = status
		}
		p.round().Did = append(p.round().Did, did)
	}
	p.known = len(all)
}

// reworded reports whether a status differs from the last one only in messages.
func (p *stateReplay) reworded(status any) bool {
	text := jsonText(wordless(status))
	before := p.status
	p.status = text
	return text == before
}

// wordless returns a tree without messages.
func wordless(tree any) any {
	switch tree := tree.(type) {
	case map[string]any:
		rest := maps.Clone(tree)
		delete(rest, "message")
		for key, value := range rest {
			rest[key] = wordless(value)
		}
		return rest
	case []any:
		rest := slices.Clone(tree)
		for i, value := range rest {
			rest[i] = wordless(value)
		}
		return rest
	}
	return tree
}

// name names a resource version that was assigned during the replay.
func (p *stateReplay) name(o *metav1.ObjectMeta, kind string) {
	if p.versions[o.ResourceVersion] == "" {
		what := kind + " " + o.Name
		p.writes[what]++
		p.versions[o.ResourceVersion] = fmt.Sprintf("version %d of %s", p.writes[what], what)
	}
}

var replayVersion = regexp.MustCompile(`\b70\d{5}\b`)

// named replaces versions by their names.
func (p *stateReplay) named(text string) string {
	return replayVersion.ReplaceAllStringFunc(text, func(version string) string { return p.versions[version] })
}

func (p *stateReplay) tree(what any) any {
	text, err := json.Marshal(what)
	if err != nil {
		panic(err)
	}
	return jsonTree(p.named(string(text)))
}

// jsonTree parses JSON.
func jsonTree(text string) any {
	var tree any
	if err := json.Unmarshal([]byte(text), &tree); err != nil {
		panic(err)
	}
	return tree
}

// secretText returns a Secret in the form in which it is compared.
func (p *stateReplay) secretText(secret *corev1.Secret) any {
	tree := map[string]any{
		"labels": secret.Labels, "owners": secret.OwnerReferences, "type": secret.Type, "data": texts(secret.Data), "finalizers": secret.Finalizers,
	}
	annotations := map[string]any{}
	for key, value := range secret.Annotations {
		if annotations[key] = value; key == v1alpha1.StateAnnotation && json.Valid([]byte(value)) {
			annotations[key] = jsonTree(value)
		}
	}
	tree["annotations"] = annotations
	return p.tree(tree)
}

// tappedVendors note the requests that they receive.
type tappedVendors struct {
	*vendors
	replay *stateReplay
}

func (v *tappedVendors) For(namespace string, caBundle []byte) (http.RoundTripper, error) {
	_, err := v.vendors.For(namespace, caBundle)
	return v, err
}

func (v *tappedVendors) RoundTrip(req *http.Request) (*http.Response, error) {
	header := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(req.Header)) {
		header[name] = strings.Join(req.Header[name], ", ")
	}
	did := map[string]any{"do": "exchange", "request": req.Method + " " + req.URL.String(), "header": header}
	if req.Method == http.MethodGet {
		did["do"] = "verify"
	}
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
		did["body"] = string(body)
	}
	v.replay.round().Did = append(v.replay.round().Did, did)
	return v.vendors.RoundTrip(req)
}
