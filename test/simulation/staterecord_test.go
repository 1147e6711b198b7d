// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A state is what a process that has just started observes of one object. It contains none of the operator's own types.
type state struct {
	// Seed and At identify the world and when the reconcile began.
	Seed uint64        `json:"seed"`
	At   time.Duration `json:"at"`

	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Time is the true time, Offset the error of the process' clock.
	Time   time.Time     `json:"time"`
	Offset time.Duration `json:"offset,omitempty"`
	// Ending is set if the namespace is being deleted.
	Ending bool `json:"ending,omitempty"`
	// Credentials are the object, unless it is gone, and other owners of its Secrets.
	Credentials []*v1alpha1.CDPCredential `json:"credentials,omitempty"`
	Secrets     []*corev1.Secret          `json:"secrets,omitempty"`
	// Lifetime and Opaque describe the tokens that endpoints issue, Trouble how endpoints fail.
	Lifetime time.Duration `json:"lifetime"`
	Opaque   bool          `json:"opaque,omitempty"`
	Trouble  trouble       `json:"trouble,omitempty"`
	// Refuses is set if the API server refuses writes of Secrets.
	Refuses bool `json:"refuses,omitempty"`
}

func (s *state) object() types.NamespacedName {
	return types.NamespacedName{Namespace: s.Namespace, Name: s.Name}
}

// observed returns what a reconcile of an object that begins now would find, had its process just started.
func (r *replica) observed(name types.NamespacedName) *state {
	w := r.w
	s := &state{
		Seed: w.seed, At: w.now, Namespace: name.Namespace, Name: name.Name, Time: w.clock(), Offset: r.local().Sub(w.clock()), Ending: w.api.ending[name.Namespace],
		Lifetime: w.vendors.hosts[oauthHost].lifetime, Opaque: w.vendors.hosts[oauthHost].opaque,
	}
	obj := w.api.credentials[name]
	names := map[string]bool{}
	if obj != nil {
		s.Credentials = append(s.Credentials, obj)
		names[obj.Spec.ClientSecretRef.Name], names[obj.Spec.Target.Name], names[obj.Status.TargetName] = true, true, true
	}
	owners := map[string]bool{name.Name: true}
	for _, at := range slices.SortedFunc(maps.Keys(w.api.secrets), byName) {
		secret := w.api.secrets[at]
		if at.Namespace != name.Namespace || !names[at.Name] && owner(secret) != name.Name && !ownedBy(secret, obj) {
			continue
		}
		s.Secrets = append(s.Secrets, secret)
		for _, ref := range secret.OwnerReferences {
			if other := w.api.credentials[types.NamespacedName{Namespace: name.Namespace, Name: ref.Name}]; other != nil && !owners[ref.Name] {
				owners[ref.Name], s.Credentials = true, append(s.Credentials, other)
			}
		}
	}
	return s
}

func ownedBy(secret *corev1.Secret, obj *v1alpha1.CDPCredential) bool {
	return obj != nil && slices.ContainsFunc(secret.OwnerReferences, func(ref metav1.OwnerReference) bool { return ref.UID == obj.UID })
}

// self returns the object itself, nil if it is gone.
func (s *state) self() *v1alpha1.CDPCredential {
	for _, obj := range s.Credentials {
		if obj.Name == s.Name {
			return obj
		}
	}
	return nil
}

// kind groups states by provider and status; not too many of one kind are recorded.
func (s *state) kind() string {
	obj := s.self()
	if obj == nil {
		return "gone"
	}
	kind := []string{fmt.Sprintf("%s with %d Secrets", providerOf(obj), len(s.Secrets))}
	if obj.Spec.Suspend {
		kind = append(kind, "suspended")
	}
	for _, name := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionRefreshed} {
		if c := meta.FindStatusCondition(obj.Status.Conditions, name); c != nil {
			kind = append(kind, string(c.Status), c.Reason)
		}
	}
	return strings.Join(kind, " ")
}

func providerOf(obj *v1alpha1.CDPCredential) string {
	text, err := json.Marshal(obj.Spec.Provider)
	if err != nil {
		panic(err)
	}
	var members map[string]any
	if err := json.Unmarshal(text, &members); err != nil {
		panic(err)
	}
	return strings.Join(slices.Sorted(maps.Keys(members)), " ")
}

// signature is equal for states that differ only in names, in random values, and slightly in their times.
func (s *state) signature() string {
	sketch := sketch{now: s.Time.Add(s.Offset), known: map[string]string{}}
	for _, secret := range s.Secrets {
		sketch.known[string(secret.UID)+"/"+secret.ResourceVersion] = "version of " + secret.Name
	}
	obj := s.self()
	if obj != nil {
		sketch.known[obj.Annotations[v1alpha1.RefreshRequestedAtAnnotation]] = "the request"
		sketch.generation = obj.Generation
		sketch.of("spec", obj.Spec)
		sketch.of("status", obj.Status)
		sketch.of("leaving", obj.DeletionTimestamp != nil)
		sketch.of("annotations", obj.Annotations)
	}
	for _, secret := range s.Secrets {
		sketch.of(secret.Name, map[string]any{
			"labels": secret.Labels, "annotations": secret.Annotations, "owned": ownedBy(secret, obj), "owners": len(secret.OwnerReferences), "type": secret.Type,
			"leaving": secret.DeletionTimestamp != nil, "immutable": secret.Immutable, "data": texts(secret.Data),
		})
	}
	sum := sha256.Sum256([]byte(fmt.Sprintf("%t %t %t ", s.Ending, s.Opaque, s.Offset.Abs() > time.Minute) + strings.ReplaceAll(sketch.String(), s.Name, "obj")))
	return hex.EncodeToString(sum[:12])
}

func texts(data map[string][]byte) map[string]string {
	out := map[string]string{}
	for key, value := range data {
		out[key] = string(value)
	}
	return out
}

// A sketch is a rough description of objects.
type sketch struct {
	strings.Builder
	now        time.Time
	generation int64
	// known maps texts to the names that replace them.
	known map[string]string
}

func (k *sketch) of(name string, what any) {
	text, err := json.Marshal(what)
	if err != nil {
		panic(err)
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		panic(err)
	}
	k.draw(name, tree)
}

func (k *sketch) draw(key string, tree any) {
	switch tree := tree.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(tree)) {
			if key != "message" {
				k.draw(key, tree[key])
			}
		}
	case []any:
		for _, item := range tree {
			k.draw(key, item)
		}
	case string:
		k.text(key, tree)
	case float64:
		fmt.Fprintf(k, "%s=%t,%d\n", key, int64(tree) == k.generation, len(fmt.Sprintf("%b", int64(tree))))
	default:
		fmt.Fprintf(k, "%s=%v\n", key, tree)
	}
}

func (k *sketch) text(key, text string) {
	var record map[string]any
	t, err := time.Parse(time.RFC3339, text)
	switch {
	case k.known[text] != "":
		text = k.known[text]
	case err == nil:
		text = roughly(t.Sub(k.now))
	case strings.HasPrefix(text, "{\"") && json.Unmarshal([]byte(text), &record) == nil:
		k.draw(key, record)
		return
	case len(text) > 12 && !strings.Contains(text, " ") && !strings.Contains(text, "://") && key != "reason":
		text = "something"
	case text != "" && strings.Trim(text, "0123456789") == "":
		text = "number"
	}
	fmt.Fprintf(k, "%s=%s\n", key, text)
}

// roughly returns the order of magnitude of a duration, and its sign.
func roughly(d time.Duration) string {
	for _, limit := range []time.Duration{2 * time.Second, 20 * time.Second, 2 * time.Minute, 20 * time.Minute, 3 * time.Hour} {
		if d.Abs() <= limit {
			return fmt.Sprint(d > 0, limit)
		}
	}
	return fmt.Sprint(d > 0)
}

// A stateRecorder keeps the states of one world that have different signatures.
type stateRecorder struct {
	kept  map[string]*state
	asked map[string]bool
}

func newStateRecorder() *stateRecorder {
	return &stateRecorder{kept: map[string]*state{}, asked: map[string]bool{}}
}

// begins is called for every reconcile that begins.
func (k *stateRecorder) begins(r *replica, name types.NamespacedName) {
	s := r.observed(name)
	if quick := s.quick(); !k.asked[quick] {
		k.asked[quick] = true
		if signature := s.signature(); k.kept[signature] == nil {
			k.kept[signature] = s
		}
	}
}

// quick is equal for states of a world that hardly differ. It is cheaper than signature.
func (s *state) quick() string {
	quick := s.object().String()
	if obj := s.self(); obj != nil {
		quick += " " + obj.ResourceVersion
		if next := obj.Status.NextRefreshTime; next != nil {
			quick += " " + roughly(next.Sub(s.Time.Add(s.Offset)))
		}
	}
	for _, secret := range s.Secrets {
		quick += " " + secret.ResourceVersion
	}
	return quick
}

// statesOf runs the world of a seed and returns the states that were observed in it, by signature.
func statesOf(seed uint64, wires *wiring) map[string]*state {
	recorder := newStateRecorder()
	wires.begins = recorder.begins
	p := planOf(seed)
	live(&p, wires, nil) // TestSeeds checks whether it breaks a promise
	wires.begins = nil
	return recorder.kept
}
