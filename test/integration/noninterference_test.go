// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// Each of these attacks once revealed a password in status to a user who may write CDPCredentials but not read Secrets. Each runs twice, with a right
// and a wrong guess of the value; the observer must see the same both times. The simulator's TestPairs checks this for everything that an
// observer may do.

const (
	rightGuess = "etl-client-of-marketing"
	wrongGuess = "etl-client-of-somebody-else"
)

// TestGuessByPendingRestartFails: a template that prints the value is replaced by the guess itself. If unchanged data caused no restart, it would
// confirm the guess.
func TestGuessByPendingRestartFails(t *testing.T) {
	t.Parallel()
	sameView(t, true, func(w *world, secret string) {
		web := w.deploy("Deployment", "web")
		c := w.guessed(secret, restarting(web), composing("{{ .clientID }}"))
		c.rollouts("Deployment/web")
		c.edit(composing(rightGuess))
		w.restarted(web, 1)
		c.rollouts("Deployment/web")
	})
}

// TestGuessByDataRevisionFails: the same with restarts disabled, because status names the data revision anyway.
func TestGuessByDataRevisionFails(t *testing.T) {
	t.Parallel()
	sameView(t, false, func(w *world, secret string) {
		c := w.guessed(secret, restarting(v1alpha1.RolloutRestart{Kind: "Deployment", Name: "web"}), composing("{{ .clientID }}"))
		c.rollouts("Deployment/web RolloutRestartDisabled")
		before := c.revision()
		c.edit(composing(rightGuess))
		c.composed(rightGuess)
		c.rollouts("Deployment/web pending RolloutRestartDisabled")
		if c.revision() == before {
			t.Error("the data revision did not change with the write")
		}
	})
}

// TestGuessByChainedTargetFails: one object's target is another's client Secret. If the second were renewed only for another value, that would reveal
// whether two Secrets hold the same value.
func TestGuessByChainedTargetFails(t *testing.T) {
	t.Parallel()
	sameView(t, false, func(w *world, secret string) {
		w.clientSecret("known", rightGuess)
		w.clientSecret("unknown", secret)
		w.create("first", v1alpha1.CDPCredentialSpec{Provider: v1alpha1.Provider{Basic: &v1alpha1.Basic{}}, ClientSecretRef: v1alpha1.ClientSecretReference{Name: "known"}})
		w.holds("first-token", "username", rightGuess)
		second := w.chained("username", "password")
		w.until(patience, "the second object's token", func() error { return second.ready() })
		second.settled()
		token := second.token()
		first := &credential{stage: w.stage, name: "first"}
		first.edit(func(obj *v1alpha1.CDPCredential) { obj.Spec.ClientSecretRef.Name = "unknown" })
		w.until(patience, "another token of the second object", func() error {
			if second.token() == token {
				return errNotYet
			}
			return second.ready()
		})
	})
}

// TestGuessByEmptyBranchFails: a template that is empty for some values writes an empty key. If another object could use that key, SecretKeyMissing
// would reveal it.
func TestGuessByEmptyBranchFails(t *testing.T) {
	t.Parallel()
	sameView(t, false, func(w *world, secret string) {
		if secret == rightGuess {
			secret = "-" // the last template makes an empty text of it
		}
		c, obj := w.prepare("first", func(known *exchangetest.Client) { known.ID = secret })
		composing(`{{ if eq .clientID "-" }}{{ else }}x{{ end }}`)(obj)
		w.must(w.Client.Create(w.Context(), obj))
		c.waitFailed("Stalled", "InvalidTemplate", "clientID")
		c.edit(composing(`{{ replace "-" "" .clientID | trim }}`))
		c.waitIssued(1)
		second := w.chained("composed", "token")
		second.waitFailed("Stalled", "SecretNotAllowed", "its key composed is not one that the operator writes by default")
	})
}

// world is a stage with an operator, and what an observer sees of both.
type world struct {
	*stage
	operator *operator
	registry *prometheus.Registry

	mu  sync.Mutex
	log []string
}

// sameView runs a history twice, with a right and a wrong guess of the Secret's value, and requires that the observer sees the same.
func sameView(t *testing.T, restarts bool, history func(w *world, secret string)) {
	t.Helper()
	sharedCluster(t) // or skips
	seen := map[string][]string{}
	var mu sync.Mutex
	t.Run("guess", func(t *testing.T) {
		for name, secret := range map[string]string{"right": rightGuess, "wrong": wrongGuess} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, restarts)
				history(w, secret)
				w.quiet("end")
				view := w.view()
				mu.Lock()
				defer mu.Unlock()
				seen[name] = view
			})
		}
	})
	if t.Failed() {
		return
	}
	if len(seen["right"]) < 20 {
		t.Errorf("the observer has seen only %d things: %q", len(seen["right"]), seen["right"])
	}
	if diff := cmp.Diff(seen["wrong"], seen["right"]); diff != "" {
		t.Errorf("the observer can tell whether the guess is right (-wrong +right):\n%s", diff)
	}
}

func newWorld(t *testing.T, restarts bool) *world {
	w := &world{stage: newStage(t), registry: prometheus.NewRegistry()}
	write := func(prefix, line string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.log = append(w.log, prefix+" "+line)
	}
	a := assembly{rolloutRestart: restarts, metrics: w.registry, log: funcr.New(write, funcr.Options{})}
	if restarts {
		a.identity = w.entitled()
	}
	w.operator = w.operate(a)
	return w
}

// guessed creates the credential whose client ID is guessed, and waits for its token.
func (w *world) guessed(secret string, change ...func(*v1alpha1.CDPCredential)) *credential {
	w.Helper()
	c, obj := w.prepare("etl", func(known *exchangetest.Client) { known.ID = secret })
	for _, change := range change {
		change(obj)
	}
	w.must(w.Client.Create(w.Context(), obj))
	c.waitIssued(1)
	return c
}

// clientSecret creates a client Secret for basic, of a client that the endpoint knows.
func (w *world) clientSecret(name, id string) {
	w.Helper()
	known := exchangetest.Client{System: exchangetest.OAuth2, ID: id, Secret: "password of " + id, Auth: exchangetest.AuthPost, Scopes: []string{"read"}}
	if id != rightGuess || name == "known" {
		w.must(w.endpoints.Register(known))
	}
	w.createSecret(name, map[string]string{"token-id": id, "token-secret": known.Secret}, w.allowed())
}

// create creates an object whose target is NAME-token.
func (w *world) create(name string, spec v1alpha1.CDPCredentialSpec) *credential {
	w.Helper()
	obj := &v1alpha1.CDPCredential{ObjectMeta: w.meta(name), Spec: spec}
	obj.Labels = map[string]string{managerLabel: w.manager}
	obj.Spec.Target.Name = name + "-token"
	w.must(w.Client.Create(w.Context(), obj))
	return &credential{stage: w.stage, name: name}
}

// chained creates an object that uses keys of the first one's target, with the consent of its owner.
func (w *world) chained(id, secret v1alpha1.SecretKey) *credential {
	w.Helper()
	w.editSecret("first-token", func(target *corev1.Secret) {
		target.Annotations[v1alpha1.AllowedHostsAnnotation], target.Annotations[v1alpha1.AllowedCAAnnotation] = "127.0.0.1", "*"
	})
	return w.create("second", v1alpha1.CDPCredentialSpec{
		Provider: v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{
			TokenURL: v1alpha1.HTTPSURL(w.endpoints.TokenURL(exchangetest.OAuth2)), AuthMethod: "ClientSecretPost", Scopes: []v1alpha1.Scope{"read"},
		}},
		ClientSecretRef: v1alpha1.ClientSecretReference{Name: "first-token", Keys: &v1alpha1.ClientSecretKeys{ClientID: id, ClientSecret: secret}},
		TLS:             &v1alpha1.TLS{CABundle: w.endpoints.CABundle()},
	})
}

// composing adds a key with a template to the target.
func composing(template v1alpha1.DataTemplate) func(*v1alpha1.CDPCredential) {
	return func(obj *v1alpha1.CDPCredential) {
		obj.Spec.Target.Data = map[string]v1alpha1.DataTemplate{"composed": template}
	}
}

// holds waits until a Secret has a value.
func (w *world) holds(secret, key, value string) {
	w.Helper()
	w.until(patience, secret+" to be written", func() error {
		if found := w.secretOf(secret); found == nil || string(found.Data[key]) != value {
			return errNotYet
		}
		return nil
	})
}

// composed waits until the template was written and status is up to date.
func (c *credential) composed(value string) {
	c.Helper()
	c.until(patience, "the template to be written", func() error {
		if string(c.target().Data["composed"]) != value {
			return errNotYet
		}
		return c.ready()
	})
}

// ready returns an error unless status says that the object's current generation has its token.
func (c *credential) ready() error {
	c.Helper()
	obj := c.object()
	if obj.Status.ObservedGeneration != obj.Generation {
		return fmt.Errorf("observedGeneration is %d of %d", obj.Status.ObservedGeneration, obj.Generation)
	}
	return is(obj, "Ready", "True", "TokenValid")
}

// revision returns the data revision in the target's state annotation.
func (c *credential) revision() string {
	c.Helper()
	var record struct{ DataRevision string }
	c.must(json.Unmarshal([]byte(c.target().Annotations[v1alpha1.StateAnnotation]), &record))
	return record.DataRevision
}

// view returns what an observer sees who may read everything but Secrets: the writes of each object in order, objects, workloads, events, metrics and
// the log.
func (w *world) view() []string {
	w.Helper()
	var lines []string
	writes := w.operator.requests.writes()
	// Objects are reconciled concurrently, so only the order of writes of a single object is deterministic.
	slices.SortStableFunc(writes, func(a, b string) int { return strings.Compare(written(a), written(b)) })
	for _, write := range writes {
		lines = append(lines, "write: "+write)
	}
	lines = append(lines, w.objects()...)
	workloads := &appsv1.DeploymentList{}
	w.must(w.Client.List(w.Context(), workloads, client.InNamespace(w.namespace)))
	for _, item := range workloads.Items {
		lines = append(lines, fmt.Sprintf("workload %s: generation %d, %v", item.Name, item.Generation, item.Spec.Template.Annotations))
	}
	lines = append(lines, w.metrics()...)
	w.mu.Lock()
	defer w.mu.Unlock()
	log := slices.DeleteFunc(slices.Clone(w.log), func(line string) bool { return !strings.Contains(line, w.namespace) || aboutProbe(line) })
	w.cluster.remember(func(t *trace) {
		t.documents = append(t.documents, document{"log of " + w.namespace, []byte(strings.Join(w.log, "\n"))})
	})
	names := map[string]string{}
	for _, line := range log {
		lines = append(lines, "log: "+line)
	}
	for i := range lines {
		lines[i] = w.plain(lines[i], names)
	}
	return lines
}

// written returns the object of a write: everything but its verb.
func written(write string) string {
	_, what, _ := strings.Cut(write, " ")
	return what
}

// objects returns statuses, and the events about them, sorted.
func (w *world) objects() []string {
	w.Helper()
	list := &v1alpha1.CDPCredentialList{}
	w.must(w.Client.List(w.Context(), list, client.InNamespace(w.namespace)))
	var lines []string
	for _, item := range list.Items {
		if aboutProbe(item.Name) {
			continue
		}
		text, err := json.MarshalIndent(item.Status, "", " ")
		w.must(err)
		for line := range strings.Lines(string(text)) {
			lines = append(lines, "status of "+item.Name+": "+strings.TrimRight(line, "\n"))
		}
		var events []string
		for _, event := range w.eventsOf(item.Name, "") {
			events = append(events, fmt.Sprintf("event about %s: %s %s %d times: %s", item.Name, event.Type, event.Reason, w.times(event), event.Note))
		}
		slices.Sort(events)
		lines = append(lines, events...)
	}
	return lines
}

// metrics returns all series, with their values unless they are times.
func (w *world) metrics() []string {
	w.Helper()
	families, err := w.registry.Gather()
	w.must(err)
	var lines []string
	for _, family := range families {
		for _, series := range family.Metric {
			var labels []string
			for _, label := range series.Label {
				labels = append(labels, label.GetName()+"="+label.GetValue())
			}
			line := fmt.Sprintf("metric %s%v", family.GetName(), labels)
			if aboutProbe(line) {
				continue
			}
			if isCount := !strings.Contains(family.GetName(), "seconds"); isCount {
				line += fmt.Sprintf(" %v", series.GetCounter().GetValue()+series.GetGauge().GetValue())
			} else if family.GetType() == dto.MetricType_HISTOGRAM {
				line += " of probes and others" // the histogram includes the probe's
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// aboutProbe reports whether something is about the object that marks the end.
func aboutProbe(text string) bool { return strings.Contains(text, "probe-end") }

var (
	timeText = regexp.MustCompile(`\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?Z)?`)
	uuidText = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(/\d+)?`)
	hostText = regexp.MustCompile(`127\.0\.0\.1:\d+`)
	hexText  = regexp.MustCompile(`\b([0-9a-f]{32}|[0-9a-f]{16}|[0-9a-f]{8})\b`)
)

// plain replaces what differs between any two stages. Random IDs are numbered in the order in which they appear.
func (w *world) plain(line string, names map[string]string) string {
	line = strings.ReplaceAll(line, w.namespace, "NAMESPACE")
	line = uuidText.ReplaceAllString(timeText.ReplaceAllString(hostText.ReplaceAllString(line, "HOST"), "TIME"), "UID")
	return hexText.ReplaceAllStringFunc(line, func(id string) string {
		if names[id] == "" {
			names[id] = fmt.Sprintf("ID-%d", len(names)+1)
		}
		return names[id]
	})
}
