// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/telemetry"
)

// A pairWorld is one world of a pair. The seed decides everything in it except the values of its Secrets, which also depend on which of the two it
// is.
type pairWorld struct {
	*world
	// values are the dice for the Secrets' values. Both worlds throw them equally often.
	values   dice
	watching *observer
	// distinct, if not nil, generates the values: all are equal in one world, and no two in the other.
	distinct func() string
	// ids generate random IDs. With the world's dice, one ID more in one world would change unrelated things.
	ids      randomBytes
	objects  []*object
	lifetime time.Duration
	// rotations counts secret rotations. It is part of each new value, so that a rotation changes the value in both worlds.
	rotations int
	registry  *prometheus.Registry
	// workload is the one that rolloutRestart names; version counts its changes.
	workload *unstructured.Unstructured
	version  int
}

// clientSecrets are Secrets that others own, pairTargets the names of targets, which may be used as client Secrets, too.
var (
	clientSecrets = []string{"s0", "s1", "s2"}
	pairTargets   = []string{"t0", "t1", "t2", "t3"}
	pairHosts     = append([]string{adobeHost}, hostNames...)
	pairProviders = append([]string{"adobe", "adobe-jwt", "oauth2-jwt"}, providers...)
)

const adobeHost = "ims-na1.adobelogin.com"

// pairProvider returns a provider, which may be one that signs with a private key.
func (w *pairWorld) pairProvider(kind string) v1alpha1.Provider {
	switch kind {
	case "adobe":
		return v1alpha1.Provider{Adobe: &v1alpha1.Adobe{OrganizationID: "o", Scopes: []v1alpha1.Scope{"read"}}}
	case "adobe-jwt":
		account := &v1alpha1.AdobeServiceAccount{TechnicalAccountID: "t", Metascopes: []v1alpha1.Scope{"ent"}}
		return v1alpha1.Provider{Adobe: &v1alpha1.Adobe{OrganizationID: "o", ServiceAccount: account}}
	case "oauth2-jwt":
		return v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: "https://" + otherHost + "/jwt", AuthMethod: "PrivateKeyJWT"}}
	}
	return w.provider(kind)
}

func newPairWorld(seed, which uint64, wires *wiring) *pairWorld {
	w := &pairWorld{world: newWorld(seed, wires), values: newDice(seed, which), ids: randomBytes{newDice(seed, 0x1d5)}}
	w.watching, w.judge.off, w.vendors.knowAll = newObserver(w.world), true, true
	w.world.log = w.watching.logger()
	w.lifetime = pick(w, []time.Duration{2 * time.Minute, 15 * time.Minute, time.Hour})
	for _, name := range pairHosts {
		w.vendors.hosts[name] = &host{
			name: name, lifetime: w.lifetime, opaque: name != apsisHost && name != adobeHost, dated: w.maybe(0.7), steady: w.maybe(0.5), kept: map[string]*token{}, troubled: map[string]trouble{},
		}
	}
	for i := range 3 {
		w.objects = append(w.objects, &object{w: w.world, name: types.NamespacedName{Namespace: "a", Name: fmt.Sprintf("obj%d", i)}})
	}
	w.judge.objects = w.objects
	w.workload = &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"template": map[string]any{"metadata": map[string]any{}}}}}
	w.workload.SetUID("workload")
	w.workload.SetAnnotations(map[string]string{v1alpha1.AllowRestartAnnotation: "obj0, obj1"})
	return w
}

// live runs the world from beginning to end.
func (w *pairWorld) live() {
	w.putClientSecrets()
	for i, o := range w.objects {
		spec := v1alpha1.CDPCredentialSpec{
			Provider:        w.pairProvider(pick(w, pairProviders)),
			ClientSecretRef: v1alpha1.ClientSecretReference{Name: pick(w, clientSecrets)},
			Target:          v1alpha1.Target{Name: pairTargets[i]},
		}
		restartWorkload(w, &spec)
		w.api.createCredential(o.name, &v1alpha1.CDPCredential{Spec: spec})
	}
	w.start()
	w.runFor(5 * time.Second)
	plan := newDice(w.seed, 0x9a12)
	for step := range 10 + plan.chance.IntN(25) {
		a, o, seed := pick(&plan, pairActions), pick(&plan, w.objects), plan.chance.Uint64()
		w.watching.step, w.watching.doing = step+1, a.name+" "+o.name.Name
		w.tell("STEP %d: %s", step+1, w.watching.doing)
		w.with(seed, func() { a.do(w, o) })
		w.runFor(pick(&plan, []time.Duration{20 * time.Millisecond, time.Second, 12 * time.Second, 12 * time.Second, 70 * time.Second, w.lifetime / 3, w.lifetime}))
		if step%5 == 4 {
			w.watching.scrape(w.registry)
		}
	}
	w.watching.doing = "the end of"
	w.allWell()
	w.runFor(w.lifetime)
	w.watching.scrape(w.registry)
}

func (w *pairWorld) putClientSecrets() {
	for _, name := range clientSecrets {
		secret := &corev1.Secret{Type: corev1.SecretTypeOpaque}
		w.fill(secret)
		if w.distinct != nil || w.maybe(0.8) {
			secret.Annotations = consenting(consent)
		}
		if w.maybe(0.5) {
			setAnnotation(secret, v1alpha1.AllowedCAAnnotation, "*")
		}
		if _, err := w.api.createSecret(nil, types.NamespacedName{Namespace: "a", Name: name}, secret); err != nil {
			panic(err)
		}
	}
}

// allWell ends all trouble of the vendors and the API server.
func (w *pairWorld) allWell() {
	w.apiFault = apiFault{}
	for _, name := range pairHosts {
		w.vendors.hosts[name].trouble = fine
	}
}

// start starts a process with its own metrics and clients.
func (w *pairWorld) start() {
	w.registry = prometheus.NewRegistry()
	own, err := telemetry.New(w.registry)
	if err != nil {
		panic(err)
	}
	r := w.startReplica(0)
	r.reconciler.Metrics, r.reconciler.RolloutRestart = own, true
	r.reconciler.Rand, r.reconciler.Exchanger = &w.ids, exchange.Exchanger{Now: r.Now, Rand: &w.ids}
	r.reconciler.Transports = pairTransports{w.vendors}
	r.reconciler.Client, r.reconciler.Live = workloadClient{r.reconciler.Client, w}, workloadReader{r.reconciler.Live, w}
}

// restart ends the process, at once or at some point of a reconcile, and starts another one.
func (w *pairWorld) restart() {
	r := w.leader()
	if r == nil {
		return
	}
	w.watching.scrape(w.registry)
	r.deposed = true // so that kill elects no leader: that is done here
	if w.maybe(0.5) {
		r.fuse = 1 + w.chance.IntN(6)
	} else {
		r.kill()
	}
	w.after(w.between(time.Second, 15*time.Second), func() {
		if !r.dead {
			r.kill()
		}
		w.start()
	})
}

// pairTransports reach the same vendors whatever the CA bundle is, as long as it is valid.
type pairTransports struct{ *vendors }

// For implements controllers.Transports.
func (t pairTransports) For(_ string, caBundle []byte) (http.RoundTripper, error) {
	if len(caBundle) > 0 {
		if err := egress.CheckCABundle(caBundle); err != nil {
			return nil, err
		}
	}
	return t.vendors, nil
}

type randomBytes struct{ dice }

func (r *randomBytes) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(r.chance.UintN(256))
	}
	return len(p), nil
}

// A workloadClient can also patch the workload.
type workloadClient struct {
	client.Client
	w *pairWorld
}

func (c workloadClient) Patch(ctx context.Context, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
	if _, ok := obj.(*unstructured.Unstructured); !ok {
		return c.Client.Patch(ctx, obj, patch, opts...)
	}
	body, err := patch.Data(obj)
	if err != nil {
		return err
	}
	var change struct {
		Spec struct {
			Template struct {
				Metadata struct{ Annotations map[string]string }
			}
		}
	}
	if err := json.Unmarshal(body, &change); err != nil {
		return err
	}
	return c.w.running.request("patch workload", true, func() error {
		c.w.version++
		annotations := change.Spec.Template.Metadata.Annotations
		c.w.watching.see("", fmt.Sprintf("workload: %v", annotations))
		return unstructured.SetNestedStringMap(c.w.workload.Object, annotations, "spec", "template", "metadata", "annotations")
	})
}

// A workloadReader can also read the workload.
type workloadReader struct {
	client.Reader
	w *pairWorld
}

func (r workloadReader) Get(ctx context.Context, name client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
	workload, ok := obj.(*unstructured.Unstructured)
	if !ok {
		return r.Reader.Get(ctx, name, obj, opts...)
	}
	return r.w.running.request("get workload", false, func() error {
		workload.Object = r.w.workload.DeepCopy().Object
		workload.SetResourceVersion(fmt.Sprint(r.w.version))
		return nil
	})
}
